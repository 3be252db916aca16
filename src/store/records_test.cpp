#include "store/records.h"

#include <gtest/gtest.h>
#include <string>

#include "base/random.h"
#include "store/segment.h"
#include "store/squeeze.h"
#include "store/test_events.h"

namespace eilpost::store {
namespace {

Record decode(ByteView bytes) {
  Record record;
  EXPECT_TRUE(decode_record(bytes, record));
  return record;
}

Bytes encode(const Accept& accept) {
  Bytes bytes;
  encode_accepted(accept, bytes);
  return bytes;
}

Bytes encode(const Attempt& attempt) {
  Bytes bytes;
  encode_attempt(attempt, bytes);
  return bytes;
}

void expect_same(const Event& a, const Event& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.environment, b.environment);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.received_at, b.received_at);
  EXPECT_EQ(a.document, b.document);
  EXPECT_EQ(a.webhook_id, b.webhook_id);
}

void expect_same(const Attempt& a, const Attempt& b) {
  EXPECT_EQ(a.delivery, b.delivery);
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.started_at, b.started_at);
  EXPECT_EQ(a.duration, b.duration);
  EXPECT_EQ(a.webhook_version, b.webhook_version);
  EXPECT_EQ(a.destination_version, b.destination_version);
  EXPECT_EQ(a.body_hash, b.body_hash);
  EXPECT_EQ(a.outcome.kind, b.outcome.kind);
  EXPECT_EQ(a.outcome.status, b.outcome.status);
  EXPECT_EQ(a.outcome.success, b.outcome.success);
  EXPECT_EQ(a.outcome.request_sent, b.outcome.request_sent);
  EXPECT_EQ(a.outcome.retry_after, b.outcome.retry_after);
  EXPECT_EQ(a.outcome.detail, b.outcome.detail);
  EXPECT_EQ(a.outcome.answer, b.outcome.answer);
  EXPECT_EQ(a.outcome.answer_content_type, b.outcome.answer_content_type);
  EXPECT_EQ(a.next.state, b.next.state);
  EXPECT_EQ(a.next.retry_at, b.next.retry_at);
  EXPECT_EQ(a.next.reason, b.next.reason);
  EXPECT_EQ(a.next.disable_destination, b.next.disable_destination);
}

TEST(Records, AcceptedEventComesBackUnchanged) {
  Accept accept = make_accept(make_event(7), 3);
  const Bytes bytes = encode(accept);
  const Record record = decode(bytes);
  EXPECT_EQ(record.kind, RecordKind::accepted);
  expect_same(to_event(record.event.event), *accept.event);
  EXPECT_FALSE(record.event.replay_of.has_value());
  ASSERT_EQ(record.event.deliveries.size(), 3U);
  for (std::uint16_t i = 0; i < 3; ++i) {
    const OwedState& state = record.event.deliveries[i];
    EXPECT_EQ(state.ordinal, i);
    EXPECT_EQ(state.owed.webhook, accept.owed[i].webhook);
    EXPECT_EQ(state.owed.webhook_version, accept.owed[i].webhook_version);
    EXPECT_EQ(state.owed.destination, accept.owed[i].destination);
    EXPECT_EQ(state.attempts_count, 0);
    EXPECT_EQ(state.state, DeliveryState::pending);
  }
}

TEST(Records, ReplayKeepsWhatItReplaysAndItsWebhookId) {
  Event event = make_event(1);
  event.webhook_id = "dlv_0000000000abc-1";
  Accept accept = make_accept(event);
  accept.replay_of = ReplayOf{.original = {.sequence = {99}, .ordinal = 4}};
  const Bytes bytes = encode(accept);
  const Record record = decode(bytes);
  ASSERT_TRUE(record.event.replay_of.has_value());
  EXPECT_EQ(record.event.replay_of->original, (DeliveryId{.sequence = {99}, .ordinal = 4}));
  expect_same(to_event(record.event.event), event);
}

TEST(Records, AnyDocumentComesBackUnchanged) {
  const Event good = make_event(3);
  std::vector<std::string> documents{"", "{}", "[]", good.document + " ", " " + good.document};
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    std::string document = good.document;
    const std::size_t at = random.below(document.size());
    if (random.chance(1, 2)) {
      document[at] = static_cast<char>(random.below(256));
    } else {
      document.erase(at, random.below(40));
    }
    documents.push_back(std::move(document));
  }
  for (const std::string& document : documents) {
    Event event = good;
    event.document = document;
    const Bytes bytes = encode(make_accept(event));
    expect_same(to_event(decode(bytes).event.event), event);
  }
}

TEST(Records, ExtremeFieldsComeBackUnchanged) {
  Event event = make_event(3);
  event.user.clear();
  event.environment = static_cast<EnvironmentId>(0xFFFFFFFF);
  event.source = static_cast<SourceId>(0xFFFFFFFFFFFFFFFF);
  event.time = WallTime::min();
  event.received_at = WallTime::max();
  const Bytes first = encode(make_accept(event, 0));
  expect_same(to_event(decode(first).event.event), event);

  event = make_event(4);
  event.user = "somebody who is not in the document";
  event.time = WallTime::max();
  event.received_at = WallTime::min();
  const Bytes second = encode(make_accept(event, 0));
  expect_same(to_event(decode(second).event.event), event);
}

TEST(Records, CarriedEventKeepsWhatIsStillOwed) {
  Event event = make_event(11);
  event.webhook_id = "other";
  Accept accept = make_accept(event, 4);
  accept.replay_of = ReplayOf{.original = {.sequence = {5}, .ordinal = 6}};
  const Bytes accepted = encode(accept);
  Record record = decode(accepted);
  record.event.sequence = {.value = 4711};
  record.event.deliveries = {
      {.ordinal = 1, .owed = accept.owed[1]},
      {.ordinal = 3,
       .owed = accept.owed[3],
       .attempts_count = 300,
       .splits_count = 7,
       .next_attempt_at = kTestNow,
       .wait = std::chrono::milliseconds(86'400'000),
       .state = DeliveryState::retrying},
  };
  Bytes bytes;
  encode_carried(record.event, bytes);
  const Record carried = decode(bytes);
  EXPECT_EQ(carried.kind, RecordKind::carried);
  EXPECT_EQ(carried.event.sequence.value, 4711U);
  expect_same(to_event(carried.event.event), event);
  EXPECT_EQ(carried.event.replay_of->original.ordinal, 6);
  ASSERT_EQ(carried.event.deliveries.size(), 2U);
  EXPECT_EQ(carried.event.deliveries[0].ordinal, 1);
  EXPECT_EQ(carried.event.deliveries[0].next_attempt_at, WallTime{});
  EXPECT_EQ(carried.event.deliveries[1].ordinal, 3);
  EXPECT_EQ(carried.event.deliveries[0].splits_count, 0);
  EXPECT_EQ(carried.event.deliveries[1].attempts_count, 300);
  EXPECT_EQ(carried.event.deliveries[1].splits_count, 7);
  EXPECT_EQ(carried.event.deliveries[1].next_attempt_at, kTestNow);
  EXPECT_EQ(carried.event.deliveries[1].wait, std::chrono::milliseconds(86'400'000));
  EXPECT_EQ(carried.event.deliveries[1].state, DeliveryState::retrying);
  EXPECT_EQ(carried.event.deliveries[1].owed.webhook, accept.owed[3].webhook);
}

TEST(Records, AttemptComesBackUnchanged) {
  Attempt attempt = make_attempt({.sequence = {123456789}, .ordinal = 300});
  expect_same(decode(encode(attempt)).attempt, attempt);

  attempt.number = 65'535;
  attempt.outcome.kind = OutcomeKind::too_large;
  attempt.outcome.success = false;
  attempt.outcome.status = 65'535;
  attempt.outcome.retry_after = Duration(-5);
  attempt.outcome.detail = "why";
  attempt.outcome.answer = std::string("\0binary\xFF", 8);
  attempt.outcome.answer_content_type = "text/html";
  attempt.next = {.state = DeliveryState::failed,
                  .retry_at = WallTime::max(),
                  .reason = FailReason::damaged,
                  .disable_destination = true};
  expect_same(decode(encode(attempt)).attempt, attempt);

  // A Record that is used again keeps nothing of what it held before.
  Record record = decode(encode(attempt));
  const Attempt plain = make_attempt({.sequence = {1}, .ordinal = 0}, DeliveryState::retrying);
  ASSERT_TRUE(decode_record(encode(plain), record));
  expect_same(record.attempt, plain);
}

TEST(Records, SettledComesBackUnchanged) {
  Bytes bytes;
  encode_settled(
      {.delivery = {.sequence = {77}, .ordinal = 2}, .reason = FailReason::expired, .at = kTestNow},
      bytes);
  const Record record = decode(bytes);
  EXPECT_EQ(record.kind, RecordKind::settled);
  EXPECT_EQ(record.settled.delivery, (DeliveryId{.sequence = {77}, .ordinal = 2}));
  EXPECT_EQ(record.settled.reason, FailReason::expired);
  EXPECT_EQ(record.settled.at, kTestNow);
}

TEST(Records, BatchComesBackUnchanged) {
  const Batched batch{.members = {{.sequence = {.value = 1ULL << 61U}, .ordinal = 7},
                                  {.sequence = {.value = 900}, .ordinal = 0},
                                  {.sequence = {.value = 900}, .ordinal = 65535},
                                  {.sequence = {.value = 1600}, .ordinal = 1}}};
  Bytes bytes;
  encode_batch(batch, bytes);
  Record record;
  ASSERT_TRUE(decode_record(bytes, record));
  EXPECT_EQ(record.kind, RecordKind::batch);
  EXPECT_EQ(record.batch.members, batch.members);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record(ByteView(bytes).first(size), record));
  }
}

TEST(Records, AttemptKeepsTheBatchItWasMadeWith) {
  Attempt attempt = make_attempt({.sequence = {.value = 7}});
  attempt.batch = {.id = {.low = 1, .high = 1ULL << 63U}, .deliveries_count = 300};
  attempt.is_split = true;
  Bytes bytes;
  encode_attempt(attempt, bytes);
  Record record;
  ASSERT_TRUE(decode_record(bytes, record));
  EXPECT_EQ(record.attempt.batch, attempt.batch);
  EXPECT_TRUE(record.attempt.is_split);
  ASSERT_TRUE(decode_record(encode(make_attempt({.sequence = {1}})), record));
  EXPECT_FALSE(record.attempt.is_split);
  EXPECT_EQ(record.attempt.outcome.status, attempt.outcome.status);
}

TEST(Records, EventOf600BytesCostsAtMost800BytesInAll) {
  const Accept accept = make_accept(make_event(1));
  EXPECT_GE(accept.event->document.size(), 700U);
  const Bytes accepted = encode(accept);
  const Bytes attempt = encode(make_attempt({.sequence = {1ULL << 61U}, .ordinal = 0}));
  EXPECT_LE(attempt.size() + kRecordHeaderBytes, 64U);
  const ByteView alone[] = {ByteView(accepted)};
  const ByteView lazy[] = {ByteView(attempt)};
  EXPECT_LE(frame_bytes(alone) + frame_bytes(lazy), 800U);
}

TEST(Records, CanonicalDocumentIsSqueezed) {
  EXPECT_TRUE(squeeze(make_event(1)).has_value());
  Event other = make_event(1);
  other.time += std::chrono::milliseconds(1);
  EXPECT_FALSE(squeeze(other).has_value());
}

// Cuts and foreign bytes are refused or give another good record, never more.
TEST(Records, EveryCutIsRefused) {
  Record record;
  for (const Bytes& bytes :
       {encode(make_accept(make_event(5), 2)), encode(make_attempt({.sequence = {1}}))}) {
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode_record(ByteView(bytes).first(size), record)) << size;
    }
    Bytes longer = bytes;
    longer.push_back(std::byte{0});
    EXPECT_FALSE(decode_record(longer, record));
  }
}

}  // namespace
}  // namespace eilpost::store
