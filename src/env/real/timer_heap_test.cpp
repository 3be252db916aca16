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

// A heap and a sorted list that are told the same.
class Pair {
 public:
  explicit Pair(std::uint64_t seed) : random_(seed) {}

  void step(int number) {
    const std::uint64_t choice = random_.below(10);
    if (choice < 6) {
      set(number);
    } else if (choice < 9) {
      cancel();
    } else {
      advance();
    }
  }

  [[nodiscard]] bool agrees() const {
    return fired_ == expected_ && timers_.size() == rows_.size();
  }

 private:
  struct Row {
    Instant when;
    int number;
    TimerId id;
  };

  void set(int number) {
    const Instant when = now_ + std::chrono::milliseconds(random_.below(50));
    const TimerId id = timers_.call_at(when, [this, number] { fired_.push_back(number); });
    rows_.push_back({.when = when, .number = number, .id = id});
  }

  void cancel() {
    if (rows_.empty()) return;
    const auto row = rows_.begin() + static_cast<std::ptrdiff_t>(random_.below(rows_.size()));
    timers_.cancel(row->id);
    rows_.erase(row);
  }

  void advance() {
    now_ += std::chrono::milliseconds(random_.below(30));
    std::ranges::sort(rows_, {}, [](const Row& row) { return std::pair(row.when, row.number); });
    while (!rows_.empty() && rows_.front().when <= now_) {
      expected_.push_back(rows_.front().number);
      rows_.erase(rows_.begin());
    }
    timers_.run_due(now_);
  }

  Random random_;
  Instant now_ = kStart;
  TimerHeap timers_;
  std::vector<Row> rows_;
  std::vector<int> fired_;
  std::vector<int> expected_;
};

// Property: under random setting, cancelling and moving of time, the heap does what a sorted list
// does.
TEST(TimerHeapProperty, BehavesLikeASortedList) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Pair pair(seed);
    bool agrees = true;
    for (int number = 0; number < 200 && agrees; ++number) {
      pair.step(number);
      agrees = pair.agrees();
    }
    ASSERT_TRUE(agrees) << "seed " << seed;
  }
}

}  // namespace
}  // namespace eilpost::env
