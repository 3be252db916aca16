#include "env/real/timer_heap.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>

#include "base/random.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};

TEST(TimerHeap, TimersFireInOrderOfTimeThenOfSetting) {
  TimerHeap timers;
  std::string order;
  timers.call_at(kStart + 2s, [&] { order += 'd'; });
  timers.call_at(kStart + 1s, [&] { order += 'a'; });
  timers.call_at(kStart + 1s, [&] { order += 'b'; });
  timers.call_at(kStart + 1s, [&] { order += 'c'; });
  timers.run_due(kStart + 1s);
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(timers.next_due(), kStart + 2s);
  timers.run_due(kStart + 2s);
  EXPECT_EQ(order, "abcd");
  EXPECT_EQ(timers.next_due(), std::nullopt);
}

TEST(TimerHeap, NothingFiresBeforeItsInstant) {
  TimerHeap timers;
  bool fired = false;
  timers.call_at(kStart, [&] { fired = true; });
  timers.run_due(kStart - 1ns);
  EXPECT_FALSE(fired);
  timers.run_due(kStart);
  EXPECT_TRUE(fired);
}

TEST(TimerHeap, CancelledTimerNeverFiresAndItsCallbackIsDestroyed) {
  TimerHeap timers;
  bool fired = false;
  auto witness = std::make_shared<int>(1);
  const TimerId id = timers.call_at(kStart, [&fired, witness] { fired = true; });
  timers.cancel(id);
  EXPECT_EQ(witness.use_count(), 1);
  timers.run_due(kStart + 1s);
  EXPECT_FALSE(fired);
}

TEST(TimerHeap, IdOfATimerThatRanCancelsNothingElse) {
  TimerHeap timers;
  const TimerId old = timers.call_at(kStart, [] {});
  timers.run_due(kStart);
  bool fired = false;
  timers.call_at(kStart + 1s, [&] { fired = true; });
  timers.cancel(old);
  timers.run_due(kStart + 1s);
  EXPECT_TRUE(fired);
}

TEST(TimerHeap, CallbackMayCancelAnotherTimerOfTheSameInstant) {
  TimerHeap timers;
  bool fired = false;
  TimerId second{};
  timers.call_at(kStart, [&] { timers.cancel(second); });
  second = timers.call_at(kStart, [&] { fired = true; });
  timers.run_due(kStart);
  EXPECT_FALSE(fired);
}

TEST(TimerHeap, TimerThatSetsItselfAgainRunsOnceATurn) {
  TimerHeap timers;
  int count = 0;
  std::function<void()> again = [&] {
    ++count;
    timers.call_at(kStart, again);
  };
  timers.call_at(kStart, again);
  timers.run_due(kStart);
  EXPECT_EQ(count, 1);
  timers.run_due(kStart);
  EXPECT_EQ(count, 2);
}

TEST(TimerHeap, ClearDestroysCallbacksWithoutRunningThem) {
  TimerHeap timers;
  auto witness = std::make_shared<int>(1);
  for (int i = 0; i < 10; ++i) timers.call_at(kStart + i * 1s, [witness] { ++*witness; });
  timers.clear();
  EXPECT_EQ(timers.size(), 0U);
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(*witness, 1);
}

// Property: under random setting, cancelling and moving of time, the heap does what a sorted list
// does.
TEST(TimerHeapProperty, BehavesLikeASortedList) {
  struct Row {
    Instant when;
    int number;
    TimerId id;
  };
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    TimerHeap timers;
    std::vector<Row> model;
    std::vector<int> fired;
    std::vector<int> expected;
    Instant now = kStart;
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t choice = random.below(10);
      if (choice < 6) {
        const Instant when = now + std::chrono::milliseconds(random.below(50));
        const TimerId id = timers.call_at(when, [&fired, step] { fired.push_back(step); });
        model.push_back({.when = when, .number = step, .id = id});
      } else if (choice < 9 && !model.empty()) {
        const auto at = static_cast<std::ptrdiff_t>(random.below(model.size()));
        timers.cancel(model[static_cast<std::size_t>(at)].id);
        model.erase(model.begin() + at);
      } else {
        now += std::chrono::milliseconds(random.below(30));
        std::ranges::sort(model, {},
                          [](const Row& row) { return std::pair(row.when, row.number); });
        while (!model.empty() && model.front().when <= now) {
          expected.push_back(model.front().number);
          model.erase(model.begin());
        }
        timers.run_due(now);
        ASSERT_EQ(fired, expected);
      }
      ASSERT_EQ(timers.size(), model.size());
    }
  }
}

}  // namespace
}  // namespace eilpost::env
