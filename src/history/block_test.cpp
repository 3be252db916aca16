#include "history/block.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/random.h"
#include "history/matching.h"
#include "history/terms.h"

namespace eilpost::history {
namespace {

constexpr WallTime kNow{std::chrono::milliseconds(1'764'000'000'123)};

// Events with up to four deliveries each; the texts outlive the events.
class Made {
 public:
  explicit Made(std::uint64_t seed) : random_(seed) {
    const std::uint64_t count = 1 + random_.below(40);
    texts.reserve(4 * count);
    for (std::uint64_t i = 0; i < count; ++i) add();
  }

  LoggedEvents all;
  std::vector<Bytes> details;
  std::vector<std::string> texts;

 private:
  std::string_view text(std::string made) { return texts.emplace_back(std::move(made)); }
  WallTime time() { return kNow + std::chrono::milliseconds(random_.below(100'000)); }
  void add() {
    LoggedEvent& event = all.events.emplace_back();
    last_ += 1 + random_.below(1000);
    event.sequence.value = last_;
    event.id = text(fmt::format("event-{}", random_.below(1000)));
    event.type = text(fmt::format("type-{}", random_.below(3)));
    event.user = text(random_.chance(1, 3) ? "" : fmt::format("user-{}", random_.below(9)));
    if (random_.chance(1, 5)) event.webhook_id = text("dlv_again");
    event.environment = static_cast<EnvironmentId>(random_.below(3));
    event.source = static_cast<SourceId>(random_.next());
    event.received_at = time();
    event.time = time();
    if (random_.chance(1, 4)) {
      event.replay_of = DeliveryId{.sequence = {.value = random_.next()}, .ordinal = 3};
    }
    event.first_delivery = all.deliveries.size();
    event.deliveries_count = random_.below(4);
    for (std::size_t i = 0; i < event.deliveries_count; ++i) add_delivery();
    details.emplace_back(random_.below(20), std::byte{7});
  }
  void add_delivery() {
    LoggedDelivery& delivery = all.deliveries.emplace_back();
    delivery.webhook = static_cast<WebhookId>(random_.below(5) << 60U);
    delivery.destination = static_cast<DestinationId>(random_.below(5));
    DeliveryProgress& progress = delivery.progress;
    progress.webhook_version = static_cast<std::uint32_t>(random_.next());
    progress.state = static_cast<DeliveryState>(random_.below(5));
    progress.reason =
        static_cast<FailReason>(random_.below(1 + static_cast<std::uint64_t>(kLastFailReason)));
    progress.attempts_count = static_cast<std::uint16_t>(random_.next());
    if (random_.chance(1, 2)) progress.next_attempt_at = time();
    if (random_.chance(1, 2))
      progress.last_outcome =
          static_cast<OutcomeKind>(random_.below(1 + static_cast<std::uint64_t>(kLastOutcomeKind)));
    progress.last_status = static_cast<std::uint16_t>(random_.next());
    if (random_.chance(1, 2)) progress.settled_at = time();
  }

  Random random_;
  std::uint64_t last_ = 0;
};

Block pack(const Made& made, BlockCodec& codec) {
  BlockBuilder builder;
  for (std::size_t i = 0; i < made.all.events.size(); ++i) {
    const LoggedEvent& event = made.all.events[i];
    builder.add(event, made.all.deliveries_of(event), made.details[i]);
  }
  return builder.finish(codec);
}

void expect_equal(const LoggedDelivery& a, const LoggedDelivery& b) {
  EXPECT_EQ(a.webhook, b.webhook);
  EXPECT_EQ(a.destination, b.destination);
  EXPECT_EQ(a.progress.webhook_version, b.progress.webhook_version);
  EXPECT_EQ(a.progress.state, b.progress.state);
  EXPECT_EQ(a.progress.reason, b.progress.reason);
  EXPECT_EQ(a.progress.attempts_count, b.progress.attempts_count);
  EXPECT_EQ(a.progress.next_attempt_at, b.progress.next_attempt_at);
  EXPECT_EQ(a.progress.last_outcome, b.progress.last_outcome);
  EXPECT_EQ(a.progress.last_status, b.progress.last_status);
  EXPECT_EQ(a.progress.settled_at, b.progress.settled_at);
}

TEST(BlockProperty, WhatWasPackedIsUnpackedAndFound) {
  BlockCodec codec;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(seed);
    const Made made(seed);
    const Block block = pack(made, codec);
    const std::string text = codec.decompress(block.rows).value();
    const LoggedEvents read = decode_rows(text, block.facts.first).value();
    ASSERT_EQ(read.events.size(), made.all.events.size());
    for (std::size_t i = 0; i < read.events.size(); ++i) {
      const LoggedEvent& a = read.events[i];
      const LoggedEvent& b = made.all.events[i];
      EXPECT_EQ(a.sequence, b.sequence);
      EXPECT_EQ(a.id, b.id);
      EXPECT_EQ(a.type, b.type);
      EXPECT_EQ(a.user, b.user);
      EXPECT_EQ(a.webhook_id, b.webhook_id);
      EXPECT_EQ(a.environment, b.environment);
      EXPECT_EQ(a.source, b.source);
      EXPECT_EQ(a.time, b.time);
      EXPECT_EQ(a.received_at, b.received_at);
      EXPECT_EQ(a.replay_of, b.replay_of);
      EXPECT_EQ(a.details_bytes, made.details[i].size());
      ASSERT_EQ(a.deliveries_count, b.deliveries_count);
      const Filter filter{.event_types = {std::string(b.type)},
                          .event_id = std::string(b.id),
                          .user = std::string(b.user),
                          .environment = b.environment,
                          .from = b.received_at};
      EXPECT_TRUE(may_match(filter, block.facts, block.terms));
      for (std::size_t d = 0; d < a.deliveries_count; ++d) {
        const LoggedDelivery& delivery = made.all.deliveries_of(b)[d];
        expect_equal(read.deliveries_of(a)[d], delivery);
        const Filter of_delivery{.webhook = delivery.webhook, .destination = delivery.destination};
        EXPECT_TRUE(may_match(of_delivery, block.facts, block.terms));
      }
    }
  }
}

TEST(BlockProperty, DamagedRowsAreRefusedOrReadButNeverBeyondTheirEnd) {
  BlockCodec codec;
  Random random(1);
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const Made made(seed);
    const Block block = pack(made, codec);
    std::string text = codec.decompress(block.rows).value();
    text[random.below(text.size())] = static_cast<char>(random.next());
    text.resize(text.size() - random.below(3));
    text.shrink_to_fit();
    const auto read = decode_rows(text, block.facts.first);
    if (!read) EXPECT_EQ(read.error().code, ErrorCode::database_corrupt);
  }
}

TEST(Terms, WhatIsAbsentIsSeldomFound) {
  std::vector<std::uint64_t> terms;
  for (std::uint64_t i = 0; i < 1000; ++i) terms.push_back(term_of(TermKind::user, i));
  const Bytes packed = make_terms(terms);
  EXPECT_LE(packed.size(), 1250U);
  int wrong_count = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    EXPECT_TRUE(may_have(packed, terms[i % 1000]));
    if (may_have(packed, term_of(TermKind::webhook, i))) ++wrong_count;
  }
  EXPECT_LT(wrong_count, 200);
}

}  // namespace
}  // namespace eilpost::history
