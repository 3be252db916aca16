#include "env/sim/sim_env.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "env/sim/sim_peer.h"

namespace eilpost::env {
namespace {

using namespace std::chrono_literals;

TEST(SimTimers, FireInOrderOfTimeThenOfSetting) {
  SimEnv env(1);
  Timers& timers = env.lane(0).timers();
  const Instant now = env.clock().now();
  std::string order;
  timers.call_at(now + 2s, [&] { order += 'c'; });
  timers.call_at(now + 1s, [&] { order += 'a'; });
  timers.call_at(now + 1s, [&] { order += 'b'; });
  env.advance(2s);
  EXPECT_EQ(order, "abc");
}

TEST(SimTimers, CallbackSeesItsOwnInstant) {
  SimEnv env(1);
  const Instant start = env.clock().now();
  Instant seen{};
  env.lane(0).timers().call_at(start + 3s, [&] { seen = env.clock().now(); });
  env.advance(10s);
  EXPECT_EQ(seen, start + 3s);
  EXPECT_EQ(env.clock().now(), start + 10s);
}

TEST(SimTimers, OneThatIsNotYetDueWaits) {
  SimEnv env(1);
  bool fired = false;
  env.lane(0).timers().call_at(env.clock().now() + 1s, [&] { fired = true; });
  env.advance(1s - 1ns);
  EXPECT_FALSE(fired);
  env.advance(1ns);
  EXPECT_TRUE(fired);
}

TEST(SimTimers, CancelledOneNeverFiresThoughDueAtTheSameMoment) {
  SimEnv env(1);
  Timers& timers = env.lane(0).timers();
  bool fired = false;
  TimerId second{};
  timers.call_at(env.clock().now() + 1s, [&] { timers.cancel(second); });
  second = timers.call_at(env.clock().now() + 1s, [&] { fired = true; });
  EXPECT_EQ(env.run_until_idle(10), 1U);
  EXPECT_FALSE(fired);
  timers.cancel(second);
}

TEST(SimTimers, PastDueIsDueNowInALaterTurn) {
  SimEnv env(1);
  std::string order;
  env.lane(0).post([&] {
    env.lane(0).timers().call_at(Instant{}, [&] { order += 'b'; });
    order += 'a';
  });
  env.run_ready();
  EXPECT_EQ(order, "ab");
}

TEST(SimTimers, AYearOfRetriesTakesNoRealTime) {
  SimEnv env(1);
  const Instant start = env.clock().now();
  int ticks = 0;
  std::function<void()> tick = [&] {
    if (++ticks < 365) env.lane(0).timers().call_at(env.clock().now() + 24h, tick);
  };
  env.lane(0).timers().call_at(start + 24h, tick);
  EXPECT_EQ(env.run_until_idle(1000), 365U);
  EXPECT_EQ(env.clock().now() - start, 365 * 24h);
}

TEST(SimClock, CalendarMayJumpButTimeDoesNot) {
  SimEnv env(1);
  const Instant now = env.clock().now();
  EXPECT_EQ(env.clock().wall_now(), kSimWallStart);
  env.advance(1500ms);
  EXPECT_EQ(env.clock().wall_now(), kSimWallStart + 1500ms);
  env.clock().jump_wall(-1h);
  EXPECT_EQ(env.clock().wall_now(), kSimWallStart + 1500ms - 1h);
  EXPECT_EQ(env.clock().now(), now + 1500ms);
}

// Two lanes post to a third: each one's work stays in order, and every interleaving turns up.
TEST(SimLoopProperty, PostersKeepTheirOrderAndInterleaveBySeed) {
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SimEnv env(seed, {.lanes = 3});
    std::string order;
    const auto chain = [&](std::size_t lane, std::string letters) {
      for (const char letter : letters) {
        env.lane(lane).post([&, letter] { env.lane(2).post([&, letter] { order += letter; }); });
      }
    };
    chain(0, "abc");
    chain(1, "xyz");
    env.run_ready();
    ASSERT_EQ(order.size(), 6U);
    ASSERT_LT(order.find('a'), order.find('b'));
    ASSERT_LT(order.find('b'), order.find('c'));
    ASSERT_LT(order.find('x'), order.find('y'));
    ASSERT_LT(order.find('y'), order.find('z'));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 20U);  // 6 over 3
}

TEST(SimWorkerProperty, JobsRunInOrderAtSeededTimes) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimEnv env(seed, {.worker_latency_max = 2ms});
    const auto worker = env.start_worker("storage");
    std::string order;
    worker->run([&] { order += 'a'; });
    worker->run([&] { order += 'b'; });
    worker->run([&] { order += 'c'; });
    EXPECT_EQ(order, "");
    const Instant start = env.clock().now();
    EXPECT_EQ(env.run_until_idle(100), 3U);
    EXPECT_EQ(order, "abc");
    EXPECT_GT(env.clock().now(), start);
    EXPECT_LE(env.clock().now(), start + 6ms);
  }
}

TEST(SimWorker, DestroyingItRunsTheJobsAlreadyGiven) {
  SimEnv env(1);
  int done = 0;
  {
    const auto worker = env.start_worker("storage");
    for (int i = 0; i < 3; ++i) worker->run([&] { ++done; });
  }
  EXPECT_EQ(done, 3);
}

Task<int> add_later(SimEnv& env, int a, int b) {
  co_await wait_until(env.lane(0).timers(), env.clock().now() + 30min);
  co_return a + b;
}

TEST(SimEnv, FinishRunsATaskToItsEnd) {
  SimEnv env(1);
  EXPECT_EQ(env.finish(add_later(env, 1, 2)), 3);
  EXPECT_EQ(env.finish(add_later(env, 1, 2), 29min), std::nullopt);
}

TEST(SimEnv, RunUntilStopsAtTheMomentOrAtTheLimit) {
  SimEnv env(1);
  const Instant start = env.clock().now();
  bool is_so = false;
  env.lane(0).timers().call_at(start + 5s, [&] { is_so = true; });
  EXPECT_FALSE(env.run_until([&] { return is_so; }, 4s));
  EXPECT_EQ(env.clock().now(), start + 4s);
  EXPECT_TRUE(env.run_until([&] { return is_so; }, 4s));
  EXPECT_EQ(env.clock().now(), start + 5s);
}

TEST(SimEnv, AfterDieNothingOfTheMachineRuns) {
  SimEnv env(1, {.lanes = 2});
  const auto worker = env.start_worker("storage");
  int ran = 0;
  env.lane(0).post([&] {
    env.die(3, "fsync failed");
    env.lane(0).post([&] { ++ran; });
    env.lane(1).post([&] { ++ran; });
    worker->run([&] { ++ran; });
    env.lane(1).timers().call_at(env.clock().now() + 1s, [&] { ++ran; });
  });
  bool outside_ran = false;
  env.outside().timers().call_at(env.clock().now() + 1h, [&] { outside_ran = true; });
  env.advance(2h);
  EXPECT_EQ(ran, 0);
  EXPECT_TRUE(outside_ran);
  ASSERT_TRUE(env.death().has_value());
  EXPECT_EQ(env.death()->exit_code, 3);
  EXPECT_EQ(env.death()->reason, "fsync failed");
}

TEST(SimEnv, CrashDestroysWorkWithoutRunningItAndRestartBringsTheMachineBack) {
  SimEnv env(1);
  auto worker = env.start_worker("storage");
  auto guard = std::make_shared<int>(0);
  env.lane(0).post([guard] { ++*guard; });
  env.lane(0).timers().call_at(env.clock().now() + 1s, [guard] { ++*guard; });
  worker->run([guard] { ++*guard; });
  env.crash(Crash::power_loss);
  EXPECT_EQ(guard.use_count(), 1);
  env.lane(0).post([guard] { ++*guard; });
  worker->run([guard] { ++*guard; });
  EXPECT_EQ(guard.use_count(), 1);
  worker.reset();
  env.advance(1h);
  EXPECT_EQ(*guard, 0);
  EXPECT_FALSE(env.directory().list().has_value());

  env.restart();
  env.lane(0).post([guard] { ++*guard; });
  env.run_ready();
  EXPECT_EQ(*guard, 1);
  EXPECT_TRUE(env.directory().list().has_value());
}

TEST(SimEnv, DeadMachineCanBeRestarted) {
  SimEnv env(1);
  env.lane(0).post([&] { env.die(1, "reason"); });
  env.run_ready();
  env.crash(Crash::process_killed);
  env.restart();
  EXPECT_FALSE(env.death().has_value());
  bool ran = false;
  env.lane(0).post([&] { ran = true; });
  env.run_ready();
  EXPECT_TRUE(ran);
}

TEST(SimEnv, KilledProcessLosesNothingThatWasWrittenAndAPowerLossMay) {
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const Crash kind : {Crash::process_killed, Crash::power_loss}) {
      SimEnv env(seed);
      {
        const auto file = env.directory().open("f", OpenMode::create_new).value();
        ASSERT_TRUE(file->write_at(0, as_bytes("hello")).has_value());
      }
      ASSERT_TRUE(env.directory().lock().has_value());
      env.crash(kind);
      env.restart();
      const bool is_there = env.directory().image().contains("f");
      if (kind == Crash::process_killed) ASSERT_TRUE(is_there);
      if (!is_there) ++lost;
      EXPECT_TRUE(env.directory().lock().has_value());
    }
  }
  EXPECT_GT(lost, 5);
}

TEST(SimEnv, OrderlyRestartLetsGoOfTheLock) {
  SimEnv env(1);
  ASSERT_TRUE(env.directory().lock().has_value());
  EXPECT_EQ(env.directory().lock().error().code, ErrorCode::already_locked);
  env.restart();
  EXPECT_TRUE(env.directory().lock().has_value());
}

TEST(SimEnv, CrashResetsConnectionsAndFreesPorts) {
  SimEnv env(1);
  const Endpoint endpoint{.address = parse_address("127.0.0.1").value(), .port = 80};
  const Endpoint everywhere{.address = {}, .port = 80};
  auto peer = std::make_unique<SimPeer>(env.lane(0), everywhere, "\n");
  SimCaller caller(env.outside(), endpoint);
  env.advance(10ms);
  ASSERT_TRUE(caller.is_connected());
  env.crash(Crash::power_loss);
  env.advance(10ms);
  ASSERT_TRUE(caller.error().has_value());
  EXPECT_EQ(caller.error()->code, ErrorCode::connection_reset);
  SimCaller too_early(env.outside(), endpoint);
  env.advance(10ms);
  EXPECT_EQ(too_early.error()->code, ErrorCode::connect_failed);

  peer.reset();
  env.restart();
  const SimPeer again(env.lane(0), everywhere, "\n");
  SimCaller later(env.outside(), endpoint);
  env.advance(10ms);
  EXPECT_TRUE(later.is_connected());
}

// A little world in which everything happens: two runs of one seed must agree to the last turn.
std::uint64_t trace_of_a_run(std::uint64_t seed) {
  SimEnv env(seed, {.lanes = 2});
  const auto worker = env.start_worker("storage");
  const Endpoint endpoint{.address = {}, .port = 80};
  SimPeer peer(env.lane(1), endpoint, "\n");
  peer.always({.bytes = std::string(5000, 'x'), .drip_bytes = 700, .drip_every = 1ms});
  SimCaller caller(env.outside(), {.address = parse_address("127.0.0.1").value(), .port = 80});
  for (int i = 0; i < 10; ++i) {
    caller.send("question\n");
    worker->run([&env] { env.lane(0).post([] {}); });
    env.advance(5ms);
  }
  for (int i = 0; i < 5; ++i) {
    const auto file = env.directory().open("f", OpenMode::create).value();
    EXPECT_TRUE(file->write_at(0, Bytes(3000, std::byte{1})).has_value());
    env.directory().crash();
  }
  std::uint64_t bytes = env.trace();
  for (const auto& [name, content] : env.directory().image()) bytes += content.size();
  return bytes + random_u64(env.entropy());
}

TEST(SimEnvProperty, OneSeedGivesOneRun) {
  std::set<std::uint64_t> traces;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::uint64_t trace = trace_of_a_run(seed);
    ASSERT_EQ(trace, trace_of_a_run(seed)) << seed;
    traces.insert(trace);
  }
  EXPECT_EQ(traces.size(), 100U);
}

}  // namespace
}  // namespace eilpost::env
