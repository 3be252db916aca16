// What the loop itself costs: a message of 256 bytes there and back on loopback, TCP and TLS, a
// timer set and cancelled, work posted. CPU time of the whole process, both ends.

#include <array>
#include <benchmark/benchmark.h>
#include <memory>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env/real/real_loop.h"

namespace eilpost::env {
namespace {

constexpr std::size_t kMessageBytes = 256;

RealLoopOptions options() {
  return {.name = "bench", .dns = {}, .system_trust = SystemTrust::load("").value()};
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& value) {
    return static_cast<double>(value.tv_sec) + 1e-6 * static_cast<double>(value.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Reads a message, writes one, and so on.
class Player {
 public:
  Player(std::unique_ptr<Stream> stream, std::int64_t& count)
      : stream_(std::move(stream)), count_(count) {}

  void serve() {
    stream_->write(message_, [](const Result<void>& result) { EILPOST_ASSERT(result); });
  }
  void play() {
    stream_->read(buffer_, [this](const Result<std::size_t>& result) {
      EILPOST_ASSERT(result.has_value() && *result == kMessageBytes);
      stream_->write(message_, [this](const Result<void>& written) {
        EILPOST_ASSERT(written.has_value());
        ++count_;
        play();
      });
    });
  }

 private:
  std::unique_ptr<Stream> stream_;
  std::array<std::byte, 4096> buffer_{};
  std::array<std::byte, kMessageBytes> message_{};
  std::int64_t& count_;  // of all players
};

void ping_pong(benchmark::State& state) {
  const auto pairs = static_cast<std::size_t>(state.range(0));
  std::int64_t done = 0;
  RealLoop loop(options());
  std::vector<std::unique_ptr<Player>> players;
  std::vector<std::unique_ptr<Operation>> operations;
  const Endpoint any{.address = parse_address("127.0.0.1").value(), .port = 0};
  const auto add = [&](std::unique_ptr<Stream> stream) {
    players.push_back(std::make_unique<Player>(std::move(stream), done));
  };
  const auto listener = loop.network().listen(any, add).value();
  for (std::size_t i = 0; i < pairs; ++i) {
    operations.push_back(loop.network().connect(
        {.endpoint = listener->local_endpoint()},
        [&](Result<std::unique_ptr<Stream>> stream) { add(std::move(stream.value())); }));
    while (players.size() < 2 * (i + 1)) loop.run_turn(std::chrono::seconds(1));
    players.back()->serve();
    loop.run_turn(std::chrono::seconds(1));
  }
  for (const auto& player : players) player->play();
  const double begin = cpu_seconds();
  const std::int64_t start = done;
  for (auto _ : state) {
    const std::int64_t goal = done + 1000;
    while (done < goal) loop.run_turn(std::chrono::seconds(1));
  }
  const double used = cpu_seconds() - begin;
  state.SetItemsProcessed(done - start);
  state.counters["cpu_us_per_read_and_write"] = used * 1e6 / static_cast<double>(done - start);
}
BENCHMARK(ping_pong)->Arg(1)->Arg(16)->Arg(64)->Unit(benchmark::kMicrosecond);

void timer_set_and_cancelled(benchmark::State& state) {
  TimerHeap timers;
  const Instant start{};
  std::vector<TimerId> ids;
  ids.reserve(static_cast<std::size_t>(state.range(0)));
  for (int i = 0; i < state.range(0); ++i) {
    ids.push_back(timers.call_at(start + std::chrono::microseconds(i * 7919 % 100003), [] {}));
  }
  std::size_t at = 0;
  std::int64_t now = 0;
  for (auto _ : state) {
    timers.cancel(ids[at]);
    ids[at] = timers.call_at(start + std::chrono::microseconds(now += 10), [&now] { ++now; });
    at = (at + 1) % ids.size();
  }
}
BENCHMARK(timer_set_and_cancelled)->Arg(100)->Arg(10000);

void posted_work(benchmark::State& state) {
  RealLoop loop(options());
  std::int64_t ran = 0;
  for (auto _ : state) {
    for (int i = 0; i < 100; ++i) loop.post([&ran] { ++ran; });
    loop.run_turn(Duration::zero());
  }
  state.SetItemsProcessed(ran);
}
BENCHMARK(posted_work);

}  // namespace
}  // namespace eilpost::env
