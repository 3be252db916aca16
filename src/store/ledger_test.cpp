#include "store/ledger.h"

#include <gtest/gtest.h>
#include <map>
#include <vector>

#include "base/random.h"
#include "store/segment.h"
#include "store/test_events.h"

namespace eilpost::store {
namespace {

// Everything that a ledger says, in order.
std::vector<Unsettled> list(const Ledger& ledger) {
  std::vector<Unsettled> all;
  ledger.for_each_from({}, [&](const Unsettled& delivery) {
    all.push_back(delivery);
    return true;
  });
  return all;
}

void expect_same(const std::vector<Unsettled>& a, const std::vector<Unsettled>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].delivery, b[i].delivery);
    ASSERT_EQ(a[i].location, b[i].location);
    ASSERT_EQ(a[i].owed.webhook, b[i].owed.webhook);
    ASSERT_EQ(a[i].owed.webhook_version, b[i].owed.webhook_version);
    ASSERT_EQ(a[i].owed.destination, b[i].owed.destination);
    ASSERT_EQ(a[i].user_hash, b[i].user_hash);
    ASSERT_EQ(a[i].attempts_count, b[i].attempts_count);
    ASSERT_EQ(a[i].splits_count, b[i].splits_count);
    ASSERT_EQ(a[i].accepted_at, b[i].accepted_at);
    ASSERT_EQ(a[i].next_attempt_at, b[i].next_attempt_at);
    ASSERT_EQ(a[i].wait, b[i].wait);
    ASSERT_EQ(a[i].state, b[i].state);
    ASSERT_EQ(a[i].batch, b[i].batch);
  }
}

void expect_same(const Ledger& a, const Ledger& b) {
  EXPECT_EQ(a.unsettled_count(), b.unsettled_count());
  EXPECT_EQ(a.segments(), b.segments());
  expect_same(list(a), list(b));
}

// A journal in memory: encoded records with their positions.
class Log {
 public:
  Position add(Bytes bytes) {
    const Position position = to_position(segment_, offset_);
    offset_ += bytes.size();
    records_.emplace_back(position, std::move(bytes));
    return position;
  }
  Position accept(std::uint64_t number, std::uint64_t owed_count) {
    Bytes bytes;
    encode_accepted(make_accept(make_event(number), owed_count), bytes);
    return add(std::move(bytes));
  }
  void attempt(DeliveryId id, std::uint16_t number, DeliveryState state, bool is_split = false) {
    Attempt attempt = make_attempt(id, state);
    attempt.number = number;
    attempt.is_split = is_split;
    Bytes bytes;
    encode_attempt(attempt, bytes);
    add(std::move(bytes));
  }
  void settle(DeliveryId id) {
    Bytes bytes;
    encode_settled({.delivery = id, .reason = FailReason::expired, .at = kTestNow}, bytes);
    add(std::move(bytes));
  }
  Position batch(std::vector<DeliveryId> members) {
    Bytes bytes;
    encode_batch({.members = std::move(members)}, bytes);
    return add(std::move(bytes));
  }
  // As the carrier does.
  void carry(const Unsettled& delivery) {
    for (auto& [position, bytes] : records_) {
      if (position != delivery.location) continue;
      Record record;
      ASSERT_TRUE(decode_record(bytes, record));
      record.event.sequence = delivery.delivery.sequence;
      record.event.deliveries = {{.ordinal = delivery.delivery.ordinal,
                                  .owed = delivery.owed,
                                  .attempts_count = delivery.attempts_count,
                                  .splits_count = delivery.splits_count,
                                  .next_attempt_at = delivery.next_attempt_at,
                                  .wait = delivery.wait,
                                  .state = delivery.state,
                                  .batch = delivery.batch}};
      Bytes carried;
      encode_carried(record.event, carried);
      add(std::move(carried));
      return;
    }
    FAIL() << "no such record";
  }
  void next_segment() {
    ++segment_;
    offset_ = kSegmentHeaderBytes;
  }
  void trim(std::uint64_t first_kept) {
    std::erase_if(records_,
                  [&](const auto& record) { return segment_of(record.first) < first_kept; });
  }
  // Applies what was not applied yet.
  void apply_new(Ledger& ledger) {
    for (; applied_ < records_.size(); ++applied_) apply(ledger, applied_);
  }
  void apply_all(Ledger& ledger, Position from = {}) const {
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (records_[i].first >= from) apply(ledger, i);
    }
  }
  [[nodiscard]] std::uint64_t segment() const { return segment_; }
  [[nodiscard]] Position end() const { return to_position(segment_, offset_); }
  void forget_applied() { applied_ = records_.size(); }

 private:
  void apply(Ledger& ledger, std::size_t index) const {
    Record record;
    ASSERT_TRUE(decode_record(records_[index].second, record));
    ledger.apply(record, records_[index].first, records_[index].second.size());
  }

  std::uint64_t segment_ = 1000;
  std::uint64_t offset_ = kSegmentHeaderBytes;
  std::vector<std::pair<Position, Bytes>> records_;
  std::size_t applied_ = 0;
};

TEST(Ledger, AcceptedEventOwesWhatItsRecordSays) {
  Log log;
  Ledger ledger;
  const Position sequence = log.accept(1, 2);
  log.apply_new(ledger);
  EXPECT_EQ(ledger.unsettled_count(), 2U);
  const auto found = ledger.find({.sequence = sequence, .ordinal = 1});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->location, sequence);
  EXPECT_EQ(found->owed.webhook, make_owed(1).webhook);
  EXPECT_EQ(found->user_hash, user_hash(make_event(1).user));
  EXPECT_FALSE(found->batch.is_there());
  EXPECT_EQ(found->accepted_at, kTestNow);
  EXPECT_EQ(found->next_attempt_at, WallTime{});
  EXPECT_EQ(found->state, DeliveryState::pending);
  EXPECT_FALSE(ledger.find({.sequence = sequence, .ordinal = 2}).has_value());
}

TEST(Ledger, AttemptSaysWhenTheNextIsOrSettles) {
  Log log;
  Ledger ledger;
  const DeliveryId first{.sequence = log.accept(1, 1)};
  const DeliveryId second{.sequence = log.accept(2, 1)};
  const DeliveryId third{.sequence = log.accept(3, 1)};
  log.attempt(first, 3, DeliveryState::retrying);
  log.attempt(second, 1, DeliveryState::delivered);
  log.attempt(third, 1, DeliveryState::failed);
  log.apply_new(ledger);
  const auto found = ledger.find(first);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->attempts_count, 3);
  EXPECT_EQ(found->state, DeliveryState::retrying);
  EXPECT_EQ(found->next_attempt_at, kTestNow + std::chrono::seconds(300));
  EXPECT_EQ(found->wait, std::chrono::milliseconds(300'000 - 5 - 84));  // from its end on
  EXPECT_FALSE(ledger.find(second).has_value());
  EXPECT_FALSE(ledger.find(third).has_value());
  EXPECT_EQ(ledger.unsettled_count(), 1U);
}

TEST(Ledger, DeliveryIsOfTheBatchThatItWasPutIntoLast) {
  Log log;
  Ledger ledger;
  const DeliveryId first{.sequence = log.accept(1, 1)};
  const DeliveryId second{.sequence = log.accept(2, 1)};
  const DeliveryId third{.sequence = log.accept(3, 1)};
  const Position older = log.batch({first, second});
  const Position newer = log.batch({second, third});
  log.apply_new(ledger);
  EXPECT_EQ(ledger.find(first)->batch, (BatchRef{.formed_at = older, .members_count = 2}));
  EXPECT_EQ(ledger.find(second)->batch, (BatchRef{.formed_at = newer, .members_count = 2}));
  log.next_segment();
  log.carry(*ledger.find(third));
  log.settle(second);
  log.apply_new(ledger);
  log.trim(log.segment());
  Ledger rebuilt;
  log.apply_all(rebuilt);
  EXPECT_EQ(rebuilt.find(third)->batch, (BatchRef{.formed_at = newer, .members_count = 2}));
}

TEST(Ledger, AttemptsThatUseUpNoTryAreCountedApart) {
  Log log;
  Ledger ledger;
  const DeliveryId one{.sequence = log.accept(1, 1)};
  log.attempt(one, 1, DeliveryState::retrying, /*is_split=*/true);
  log.attempt(one, 2, DeliveryState::retrying);
  log.attempt(one, 3, DeliveryState::retrying, /*is_split=*/true);
  log.apply_new(ledger);
  EXPECT_EQ(ledger.find(one)->attempts_count, 3);
  EXPECT_EQ(ledger.find(one)->splits_count, 2);
  EXPECT_EQ(list(*Ledger::decode(ledger.snapshot().encode())).front().splits_count, 2);
  log.next_segment();
  log.carry(*ledger.find(one));
  log.trim(log.segment());
  Ledger rebuilt;
  log.apply_all(rebuilt);
  EXPECT_EQ(rebuilt.find(one)->splits_count, 2);
  EXPECT_EQ(rebuilt.find(one)->attempts_count, 3);
}

TEST(Ledger, CountOfAttemptsThatUseUpNoTryHasAnEnd) {
  Log log;
  Ledger ledger;
  const DeliveryId one{.sequence = log.accept(1, 1)};
  for (std::uint16_t i = 1; i <= kSplitsMax + 5; ++i) {
    log.attempt(one, i, DeliveryState::retrying, /*is_split=*/true);
  }
  log.apply_new(ledger);
  EXPECT_EQ(ledger.find(one)->splits_count, kSplitsMax);
  EXPECT_EQ(ledger.find(one)->attempts_count, kSplitsMax + 5);
}

TEST(Ledger, SegmentLoadFollowsWhatIsOwed) {
  Log log;
  Ledger ledger;
  const DeliveryId old{.sequence = log.accept(1, 1)};
  log.next_segment();
  const DeliveryId young{.sequence = log.accept(2, 1)};
  log.apply_new(ledger);
  EXPECT_EQ(ledger.oldest_segment(), 1000U);
  log.carry(*ledger.find(old));
  log.apply_new(ledger);
  EXPECT_EQ(ledger.oldest_segment(), 1001U);
  EXPECT_GT(ledger.find(old)->location, young.sequence);
  log.settle(old);
  log.settle(young);
  log.apply_new(ledger);
  EXPECT_EQ(ledger.oldest_segment(), std::nullopt);
  EXPECT_EQ(ledger.live_bytes(), 0U);
}

TEST(Ledger, SnapshotStaysAsItWas) {
  Log log;
  Ledger ledger;
  for (std::uint64_t i = 0; i < 3000; ++i) log.accept(i, 1);
  log.apply_new(ledger);
  const std::vector<Unsettled> before = list(ledger);
  const Ledger::Snapshot snapshot = ledger.snapshot();
  for (const Unsettled& delivery : before) {
    if (delivery.delivery.sequence.value % 3 != 0) log.settle(delivery.delivery);
  }
  for (std::uint64_t i = 0; i < 3000; ++i) log.accept(i, 1);
  log.apply_new(ledger);
  std::vector<Unsettled> seen;
  snapshot.for_each([&](const Unsettled& delivery) { seen.push_back(delivery); });
  expect_same(seen, before);
  expect_same(list(*Ledger::decode(snapshot.encode())), before);
}

TEST(Ledger, DeliveriesTakeAboutFortyBytesEach) {
  Ledger ledger;
  Record record;
  Bytes bytes;
  encode_accepted(make_accept(make_event(1)), bytes);
  ASSERT_TRUE(decode_record(bytes, record));
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ledger.apply(record, to_position(1, 64 + i * 50), bytes.size());
  }
  EXPECT_LT(ledger.memory_bytes(), kCount * 50);
  // One in a hundred stays: the others' memory is given back.
  Record settled;
  settled.kind = RecordKind::settled;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    if (i % 100 == 0) continue;
    settled.settled.delivery = {.sequence = to_position(1, 64 + i * 50)};
    ledger.apply(settled, to_position(2, 64), 1);
  }
  EXPECT_EQ(ledger.unsettled_count(), kCount / 100);
  EXPECT_LT(ledger.memory_bytes(), kCount / 100 * 48 * 10);
}

TEST(LedgerProperty, RebuiltFromTheJournalEqualsInMemory) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    Log log;
    auto ledger = std::make_unique<Ledger>();
    std::uint64_t number = 0;
    for (int step = 0; step < 200; ++step) {
      const std::vector<Unsettled> owed = list(*ledger);
      const std::uint64_t what = random.below(20);
      if (what < 8 || owed.empty()) {
        log.accept(++number, random.below(4));
      } else if (what < 19) {
        const Unsettled& one = owed[random.below(owed.size())];
        const auto attempts_count = static_cast<std::uint16_t>(one.attempts_count + 1);
        if (what < 12) log.attempt(one.delivery, attempts_count, DeliveryState::delivered);
        if (what == 12) log.settle(one.delivery);
        if (what > 12 && what < 16) {
          log.attempt(one.delivery, attempts_count, DeliveryState::retrying,
                      /*is_split=*/what == 13);
        }
        if (what == 16 || what == 17) log.carry(one);
        if (what == 18) log.batch({one.delivery, owed[random.below(owed.size())].delivery});
      } else {
        log.next_segment();
        const std::uint64_t oldest = ledger->oldest_segment().value_or(log.segment());
        log.apply_new(*ledger);
        log.trim(oldest);
        log.forget_applied();
      }
      log.apply_new(*ledger);
      if (step % 50 == 25) {  // As after a restart from a checkpoint.
        ledger = Ledger::decode(ledger->snapshot().encode());
        ASSERT_NE(ledger, nullptr);
      }
    }
    Ledger rebuilt;
    log.apply_all(rebuilt);
    expect_same(rebuilt, *ledger);
    if (HasFailure()) return;
  }
}

TEST(LedgerProperty, ManyDeliveriesInAnyOrderAreFound) {
  Random random(5);
  Ledger ledger;
  std::map<std::uint64_t, bool> model;  // by sequence
  Record carried;
  Bytes bytes;
  encode_accepted(make_accept(make_event(1)), bytes);
  ASSERT_TRUE(decode_record(bytes, carried));
  carried.kind = RecordKind::carried;
  Record settled;
  settled.kind = RecordKind::settled;
  for (std::uint64_t i = 0; i < 30'000; ++i) {
    const std::uint64_t sequence = 1 + random.below(10'000);
    if (random.chance(2, 3)) {
      carried.event.sequence = {.value = sequence};
      ledger.apply(carried, to_position(7, 64 + i), 10);
      model[sequence] = true;
    } else {
      settled.settled.delivery = {.sequence = {.value = sequence}};
      ledger.apply(settled, to_position(7, 64 + i), 10);
      model.erase(sequence);
    }
  }
  EXPECT_EQ(ledger.unsettled_count(), model.size());
  const std::vector<Unsettled> all = list(ledger);
  ASSERT_EQ(all.size(), model.size());
  std::size_t at = 0;
  for (const auto& [sequence, is_there] : model) {
    ASSERT_EQ(all[at++].delivery.sequence.value, sequence);
    ASSERT_TRUE(ledger.find({.sequence = {.value = sequence}}).has_value());
  }
}

TEST(Ledger, DamagedCheckpointIsRefusedOrHarmless) {
  Log log;
  Ledger ledger;
  for (std::uint64_t i = 0; i < 20; ++i) log.accept(i, 2);
  log.apply_new(ledger);
  const Bytes bytes = ledger.snapshot().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Ledger::decode(ByteView(bytes).first(size)), nullptr);
  }
}

}  // namespace
}  // namespace eilpost::store
