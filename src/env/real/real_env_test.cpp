#include "env/real/real_env.h"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <future>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "env/await.h"
#include "env/deadline.h"
#include "env/real/loop_fixture.h"
#include "env/real/signal_watcher.h"
#include "env/run_on.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

class RealEnvTest : public ::testing::Test {
 protected:
  RealEnvTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "eilpost-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    env_ = RealEnv::open({.lanes_count = 2, .data_directory = path_ + "/data"}).value();
  }
  ~RealEnvTest() override {
    env_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path_;
  std::unique_ptr<RealEnv> env_;
};

TEST_F(RealEnvTest, LanesAreThreadsOfTheirOwn) {
  env_->start();
  EXPECT_EQ(env_->lanes_count(), 2U);
  std::vector<std::thread::id> threads;
  for (std::size_t i = 0; i < 2; ++i) {
    std::promise<std::thread::id> id;
    env_->lane(i).post([&] { id.set_value(std::this_thread::get_id()); });
    threads.push_back(id.get_future().get());
  }
  EXPECT_NE(threads[0], threads[1]);
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST_F(RealEnvTest, DataFolderIsMadeAndUsed) {
  EXPECT_TRUE(replace_file(env_->directory(), "a", as_bytes("x")).has_value());
  EXPECT_TRUE(std::filesystem::exists(path_ + "/data/a"));
}

TEST_F(RealEnvTest, FolderThatCannotBeIsAnError) {
  const auto env = RealEnv::open({.data_directory = path_ + "/no/such"});
  ASSERT_FALSE(env.has_value());
  EXPECT_EQ(env.error().code, ErrorCode::not_found);
}

TEST_F(RealEnvTest, ClocksAgreeWithTheMachine) {
  const Instant first = env_->clock().now();
  EXPECT_GE(env_->clock().now(), first);
  const WallTime wall = env_->clock().wall_now();
  const auto expected = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LT(std::chrono::abs(wall.time_since_epoch() - expected), 5s);
}

Task<void> echo_once(std::unique_ptr<Stream> stream) {
  std::byte buffer[64];
  const Result<std::size_t> count = co_await read(*stream, buffer);
  if (!count) co_return;
  const Result<void> written = co_await write(*stream, std::span(buffer).first(*count));
  EXPECT_TRUE(written.has_value());
}

Task<std::string> ask(Network& network, Endpoint endpoint) {
  Result<Resolved> resolved = co_await resolve(network, to_string(endpoint.address));
  if (!resolved) co_return resolved.error().detail;
  ConnectOptions options{.endpoint = {.address = resolved->addresses[0], .port = endpoint.port}};
  Result<std::unique_ptr<Stream>> stream = co_await connect(network, options);
  if (!stream) co_return stream.error().detail;
  const Result<void> written = co_await write(**stream, as_bytes("question"));
  if (!written) co_return written.error().detail;
  std::byte buffer[64];
  const Result<std::size_t> count = co_await read(**stream, buffer);
  if (!count) co_return count.error().detail;
  co_return std::string(as_text(std::span(buffer).first(*count)));
}

Task<std::string> hang(Network& network, Endpoint endpoint) {
  ConnectOptions options{.endpoint = endpoint};
  Result<std::unique_ptr<Stream>> stream = co_await connect(network, options);
  if (!stream) co_return stream.error().detail;
  std::byte buffer[64];
  const Result<std::size_t> count = co_await read(**stream, buffer);
  co_return count ? "something came" : count.error().detail;
}

class AwaitTest : public LoopFixture {};

TEST_F(AwaitTest, CoroutinesTalkOverRealSockets) {
  TaskSet servers;
  const auto listener = network().listen(loopback(0), [&](std::unique_ptr<Stream> stream) {
    servers.spawn(echo_once(std::move(stream)));
  });
  ASSERT_TRUE(listener.has_value());
  Task<std::string> task = ask(network(), (*listener)->local_endpoint());
  bool done = false;
  task.start([&] { done = true; });
  ASSERT_TRUE(run_until([&] { return done; }));
  EXPECT_EQ(task.result(), "question");
}

TEST_F(AwaitTest, DestroyedTaskWithdrawsWhatItWaitsFor) {
  std::vector<std::unique_ptr<Stream>> accepted;
  const auto listener = network().listen(
      loopback(0), [&](std::unique_ptr<Stream> stream) { accepted.push_back(std::move(stream)); });
  // Destroyed at each of its waits: connecting, then reading.
  for (int turns = 0; turns < 4; ++turns) {
    Task<std::string> task = hang(network(), (*listener)->local_endpoint());
    task.start();
    for (int i = 0; i < turns; ++i) loop_.run_turn(1ms);
    task = {};
    settle();
  }
  EXPECT_FALSE(accepted.empty());
}

TEST_F(AwaitTest, DeadlineCutsAHangingRead) {
  std::vector<std::unique_ptr<Stream>> accepted;
  const auto listener = network().listen(
      loopback(0), [&](std::unique_ptr<Stream> stream) { accepted.push_back(std::move(stream)); });
  std::optional<std::optional<std::string>> outcome;
  const auto wait = [](RealLoop& loop, Endpoint endpoint,
                       std::optional<std::optional<std::string>>& target) -> Task<void> {
    Task<std::string> inner = hang(loop.network(), endpoint);
    const Instant when = loop.clock().now() + 30ms;
    target = co_await with_deadline(loop.timers(), when, std::move(inner));
  };
  Task<void> task = wait(loop_, (*listener)->local_endpoint(), outcome);
  task.start();
  ASSERT_TRUE(run_until([&] { return outcome.has_value(); }));
  EXPECT_EQ(*outcome, std::nullopt);
}

TEST_F(RealEnvTest, BlockingWorkComesBackToItsLane) {
  const auto worker = env_->start_worker("test-worker");
  env_->start();
  std::promise<bool> same_thread;
  Task<void> task;
  const auto work = [](Worker& on, Loop& loop, std::promise<bool>& answer) -> Task<void> {
    const std::thread::id before = std::this_thread::get_id();
    auto job = [] { return std::this_thread::get_id(); };
    const std::thread::id elsewhere = co_await run_on(on, loop, job);
    answer.set_value(before == std::this_thread::get_id() && elsewhere != before);
  };
  env_->lane(0).post([&] {
    task = work(*worker, env_->lane(0), same_thread);
    task.start();
  });
  EXPECT_TRUE(same_thread.get_future().get());
  env_->stop();
}

TEST_F(RealEnvTest, WorkPostedAcrossTheStopIsDroppedQuietly) {
  env_->start();
  std::atomic<bool> ending = false;
  std::thread poster([&] {
    while (!ending) env_->lane(0).post([] {});
  });
  std::promise<void> running;
  env_->lane(0).post([&] { running.set_value(); });
  running.get_future().get();
  env_->stop();
  ending = true;
  poster.join();
}

TEST(SignalWatcher, SignalsBecomeCallbacksOnTheLoop) {
  RealLoop loop({.name = "test", .dns = {}, .system_trust = SystemTrust::load("").value()});
  std::vector<int> seen;
  {
    const int signals[] = {SIGTERM, SIGINT, SIGHUP};
    const SignalWatcher watcher(loop.reactor(), signals,
                                [&](int signal) { seen.push_back(signal); });
    kill(getpid(), SIGTERM);
    loop.run_turn(5s);
    EXPECT_EQ(seen, std::vector<int>{SIGTERM});
    kill(getpid(), SIGHUP);
    loop.run_turn(5s);
    EXPECT_EQ(seen, (std::vector<int>{SIGTERM, SIGHUP}));
    kill(getpid(), SIGINT);  // Still waiting at the end: it must not end the test.
  }
  EXPECT_EQ(seen.size(), 2U);
}

TEST(RealEnvDeathTest, DieEndsTheProcessWithItsCodeAndReason) {
  const auto env = RealEnv::open({.data_directory = ::testing::TempDir()}).value();
  EXPECT_EXIT(env->die(70, "the disk is gone"), ::testing::ExitedWithCode(70),
              "eilpost: the disk is gone");
}

}  // namespace
}  // namespace eilpost::env
