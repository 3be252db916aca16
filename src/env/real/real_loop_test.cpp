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

constexpr int kNumbersCount = 5000;

void post_numbers(RealLoop& loop, std::vector<int>& target) {
  for (int i = 0; i < kNumbersCount; ++i) loop.post([&target, i] { target.push_back(i); });
}

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
  std::vector<std::vector<int>> seen(4);
  std::vector<std::thread> threads;
  threads.reserve(seen.size());
  for (auto& row : seen) threads.emplace_back(post_numbers, std::ref(loop_), std::ref(row));
  const auto is_full = [](const auto& row) { return row.size() == kNumbersCount; };
  EXPECT_TRUE(run_until([&] { return std::ranges::all_of(seen, is_full); }));
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(std::ranges::all_of(seen, [](auto& row) { return std::ranges::is_sorted(row); }));
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
  std::vector<int> seen;
  std::atomic<int> running = 0;
  std::atomic<int> running_max = 0;
  auto worker = std::make_unique<RealWorker>("test-worker");
  const auto job = [&](int number) {
    running_max = std::max(running_max.load(), ++running);
    seen.push_back(number);
    --running;
  };
  for (int i = 0; i < 1000; ++i) worker->run([&job, i] { job(i); });
  // A job given by a job, while the end is awaited, runs too.
  worker->run([&job, &on = *worker] { on.run([&job] { job(1000); }); });
  worker.reset();
  EXPECT_EQ(running_max, 1);
  EXPECT_EQ(seen.size(), 1001U);
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
