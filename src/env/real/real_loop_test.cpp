#include "env/real/real_loop.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <gtest/gtest.h>
#include <string>
#include <thread>

#include "env/real/loop_fixture.h"
#include "env/real/real_worker.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

using RealLoopTest = LoopFixture;

RealLoopOptions options() {
  return {.name = "test", .dns = {}, .system_trust = SystemTrust::load("").value()};
}

TEST_F(RealLoopTest, PostedWorkRunsInALaterTurnInOrder) {
  std::string order;
  loop_.post([&] {
    order += 'a';
    loop_.post([&] { order += 'c'; });
    order += 'b';
  });
  EXPECT_EQ(order, "");
  loop_.run_turn(1s);
  EXPECT_EQ(order, "ab");
  loop_.run_turn(1s);
  EXPECT_EQ(order, "abc");
}

TEST_F(RealLoopTest, WorkOfEachThreadRunsInTheOrderOfItsPosting) {
  constexpr int kThreads = 4;
  constexpr int kWorks = 5000;
  std::vector<std::vector<int>> seen(kThreads);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([this, thread, &seen] {
      for (int i = 0; i < kWorks; ++i) {
        loop_.post([&row = seen[static_cast<std::size_t>(thread)], i] { row.push_back(i); });
      }
    });
  }
  EXPECT_TRUE(run_until([&] {
    return std::ranges::all_of(seen, [](const auto& row) { return row.size() == kWorks; });
  }));
  for (std::thread& thread : threads) thread.join();
  for (const auto& row : seen) EXPECT_TRUE(std::ranges::is_sorted(row));
}

TEST_F(RealLoopTest, TimersFireInOrderAndNotTooEarly) {
  std::string order;
  const Instant start = loop_.clock().now();
  Instant fired{};
  loop_.timers().call_at(start + 20ms, [&] {
    order += 'b';
    fired = loop_.clock().now();
  });
  loop_.timers().call_at(start + 5ms, [&] { order += 'a'; });
  ASSERT_TRUE(run_until([&] { return order.size() == 2; }));
  EXPECT_EQ(order, "ab");
  EXPECT_GE(fired, start + 20ms);
}

TEST_F(RealLoopTest, ClockStandsStillDuringATurnAndOnlyThere) {
  Instant first{};
  Instant second{};
  Instant elsewhere{};
  loop_.post([&] {
    first = loop_.clock().now();
    while (RealClock().now() <= first) continue;
    second = loop_.clock().now();
    std::thread([&] { elsewhere = loop_.clock().now(); }).join();
  });
  loop_.run_turn(1s);
  EXPECT_EQ(first, second);
  EXPECT_GT(elsewhere, first);
  EXPECT_GT(loop_.clock().now(), first);
}

TEST(RealLoop, SleepingLoopWakesForWorkFromAnotherThread) {
  RealLoop loop(options());
  loop.start();
  for (int i = 0; i < 200; ++i) {
    std::promise<std::thread::id> ran;
    loop.post([&] { ran.set_value(std::this_thread::get_id()); });
    EXPECT_NE(ran.get_future().get(), std::this_thread::get_id());
  }
  loop.stop();
}

TEST(RealLoop, WorkAndTimersLeftAtTheStopAreDestroyedWithoutRunning) {
  auto witness = std::make_shared<int>(0);
  RealLoop loop(options());
  loop.timers().call_at(loop.clock().now() + 1h, [witness] { ++*witness; });
  loop.start();
  loop.stop();
  loop.post([witness] { ++*witness; });
  EXPECT_EQ(witness.use_count(), 1);
  EXPECT_EQ(*witness, 0);
}

TEST(RealLoop, EndOfDroppedWorkMayPostAgain) {
  RealLoop loop(options());
  struct PostsAtItsEnd {
    RealLoop* loop;
    ~PostsAtItsEnd() {
      loop->post([] {});
    }
  };
  loop.post([last = std::make_unique<PostsAtItsEnd>(&loop)] {});
  loop.stop();
  loop.post([last = std::make_unique<PostsAtItsEnd>(&loop)] {});
}

TEST(RealWorker, JobsRunOneAfterTheOtherAndAllBeforeTheEnd) {
  constexpr int kJobs = 1000;
  std::vector<int> seen;
  std::atomic<int> running = 0;
  {
    RealWorker worker("test-worker");
    for (int i = 0; i < kJobs; ++i) {
      worker.run([&, i] {
        EXPECT_EQ(running.fetch_add(1), 0);
        seen.push_back(i);
        running.fetch_sub(1);
        if (i == kJobs - 1) worker.run([&] { seen.push_back(kJobs); });
      });
    }
  }
  EXPECT_EQ(seen.size(), kJobs + 1U);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
}

TEST(RealWorker, WaitingWorkerWakesForAJob) {
  RealWorker worker("test-worker");
  for (int i = 0; i < 200; ++i) {
    std::promise<void> ran;
    worker.run([&] { ran.set_value(); });
    ran.get_future().get();
  }
}

}  // namespace
}  // namespace eilpost::env
