#include "pipeline/fair_queue.h"

#include <gtest/gtest.h>
#include <map>

#include "base/random.h"

namespace eilpost::pipeline {
namespace {

WebhookId webhook(std::uint64_t number) {
  return static_cast<WebhookId>(number);
}

Due due(std::uint64_t webhook_number, std::uint64_t sequence, std::size_t document_bytes = 0) {
  Due made{.id = {.sequence = {.value = sequence}}, .webhook = webhook(webhook_number)};
  if (document_bytes > 0) {
    auto event = std::make_shared<Event>();
    event->document.assign(document_bytes, 'x');
    made.event = std::move(event);
  }
  return made;
}

class FairQueueTest : public testing::Test {
 protected:
  FreshBytes fresh_;
  FairQueue queue_{fresh_};
};

TEST_F(FairQueueTest, WebhooksTakeTurnsAndEachKeepsItsOrder) {
  for (std::uint64_t i = 1; i <= 4; ++i) queue_.push(due(1, i));
  queue_.push(due(2, 5));
  queue_.push(due(3, 6));
  queue_.push(due(2, 7));
  std::vector<std::uint64_t> order;
  while (!queue_.empty()) order.push_back(queue_.pop().id.sequence.value);
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 5, 6, 2, 7, 3, 4}));
}

TEST_F(FairQueueTest, EventsAreForgottenBeyondTheBudgetOfTheLane) {
  const std::size_t half = limits::kFreshBytesMax / 2;
  queue_.push(due(1, 1, half));
  FairQueue other(fresh_);
  other.push(due(1, 2, half));
  queue_.push(due(1, 3, 1));
  EXPECT_TRUE(queue_.pop().event);
  EXPECT_FALSE(queue_.pop().event);
  queue_.push(due(1, 4, half));
  EXPECT_TRUE(queue_.pop().event);  // There is room again.
  EXPECT_EQ(fresh_.used, half);
}

TEST_F(FairQueueTest, WhatLeavesGivesItsBytesBack) {
  for (std::uint64_t i = 0; i < 10; ++i) queue_.push(due(i % 3, i, 100));
  EXPECT_EQ(fresh_.used, 1000U);
  queue_.erase_if([](const Due& each) { return each.id.sequence.value < 3; });
  EXPECT_EQ(fresh_.used, 700U);
  EXPECT_EQ(queue_.size(), 7U);
  queue_.forget_events();
  EXPECT_EQ(fresh_.used, 0U);
  EXPECT_EQ(queue_.take_all().size(), 7U);
  EXPECT_TRUE(queue_.empty());
  {
    FairQueue gone(fresh_);
    gone.push(due(1, 1, 100));
  }
  EXPECT_EQ(fresh_.used, 0U);
}

TEST(FairQueueProperty, NobodyWaitsForMoreThanOneOfEachOther) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    FreshBytes fresh;
    FairQueue queue(fresh);
    std::map<WebhookId, std::deque<std::uint64_t>> model;
    for (std::uint64_t i = 1; i <= 200; ++i) {
      if (queue.empty() || random.below(3) > 0) {
        const std::uint64_t number = 1 + random.below(8);
        queue.push(due(number, i));
        model[webhook(number)].push_back(i);
        continue;
      }
      const Due next = queue.pop();
      auto& line = model[next.webhook];
      ASSERT_FALSE(line.empty()) << "seed " << seed;
      ASSERT_EQ(next.id.sequence.value, line.front()) << "seed " << seed;
      line.pop_front();
      const bool others_wait = std::ranges::any_of(model, [&](const auto& entry) {
        return entry.first != next.webhook && !entry.second.empty();
      });
      if (others_wait && !line.empty()) {
        const Due after = queue.pop();
        ASSERT_NE(after.webhook, next.webhook) << "seed " << seed;
        model[after.webhook].pop_front();
      }
    }
    std::size_t left = 0;
    for (const auto& [id, line] : model) left += line.size();
    ASSERT_EQ(queue.size(), left) << "seed " << seed;
  }
}

}  // namespace
}  // namespace eilpost::pipeline
