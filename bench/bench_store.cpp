// What the store costs: an event accepted, delivered at once and settled, with 64 requests waiting
// or in batches of 20; recognising a repeat; opening again with many deliveries pending. CPU time
// of the whole process: encoding on the lane, the storage thread, the answers.

#include <array>
#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "env/real/real_directory.h"
#include "env/real/real_entropy.h"
#include "env/real/real_env.h"
#include "store/repeats.h"
#include "store/store.h"
#include "store/test_events.h"

namespace eilpost::store {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& value) {
    return static_cast<double>(value.tv_sec) + 1e-6 * static_cast<double>(value.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// A folder that is gone afterwards.
class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "eilpost-bench-XXXXXX").string();
    EILPOST_ASSERT(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::string path_;
};

std::unique_ptr<env::RealEnv> open_env(const Folder& folder) {
  env::RealEnvOptions options;
  options.data_directory = folder.path();
  return env::RealEnv::open(options).value();
}

std::unique_ptr<Store> open_store(env::Env& env) {
  auto store =
      Store::open(env, {}, [](std::string_view what) { fmt::print(stderr, "{}\n", what); }).value();
  store->followed_until({.value = UINT64_MAX});
  return store;
}

constexpr std::size_t kNumberAt =
    20;  // in the document: the id's second half of {"event":{"id":"9f0c

// Accepts events on the lane, `window` requests at a time, until there were `total`.
class Load {
 public:
  struct Options {
    std::size_t total = 0;
    std::size_t first = 0;  // number of the first event: each is new
    std::size_t window = 64;
    std::size_t batch = 1;
    bool settles = true;
  };

  Load(env::Env& env, Store& store, const Options& options)
      : loop_(env.lane(0)), store_(store), options_(options), template_(make_event(0)) {}

  void run() {
    loop_.post([this] {
      for (std::size_t i = 0; i < options_.window; ++i) send();
    });
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return is_done_; });
  }

 private:
  void send() {
    if (sent_ >= options_.total) return;
    std::vector<Accept> batch;
    for (std::size_t i = 0; i < options_.batch; ++i) {
      Event event = template_;
      fmt::format_to_n(event.document.data() + kNumberAt, 8, "{:08x}", options_.first + ++sent_);
      event.id.replace(4, 8, event.document, kNumberAt, 8);
      Accept accept;
      accept.owed.push_back(make_owed(sent_));
      accept.event = std::make_shared<const Event>(std::move(event));
      batch.push_back(std::move(accept));
    }
    store_.accept(std::move(batch), loop_, [this](const Accepted& accepted) { receive(accepted); });
  }
  void receive(const Accepted& accepted) {
    for (const auto& sequence : accepted.sequences) {
      EILPOST_ASSERT(sequence.has_value());
      if (options_.settles) store_.record(make_attempt({.sequence = *sequence}));
    }
    answered_ += accepted.sequences.size();
    if (answered_ >= options_.total) {
      const std::scoped_lock lock(mutex_);
      is_done_ = true;
      done_.notify_one();
    } else {
      send();
    }
  }

  env::Loop& loop_;
  Store& store_;
  const Options options_;
  const Event template_;
  std::size_t sent_ = 0;
  std::size_t answered_ = 0;
  std::mutex mutex_;
  std::condition_variable done_;
  bool is_done_ = false;
};

void accept_and_settle(benchmark::State& state) {
  const Folder folder;
  const auto env = open_env(folder);
  const auto store = open_store(*env);
  env->start();
  const auto batch = static_cast<std::size_t>(state.range(0));
  std::size_t total = 0;
  const Usage before = store->usage();
  double cpu = 0;
  constexpr std::size_t kEventsEach = 10'000;
  while (state.KeepRunningBatch(kEventsEach)) {
    const double begin = cpu_seconds();
    Load load(*env, *store, {.total = kEventsEach, .first = total, .batch = batch});
    load.run();
    total += kEventsEach;
    cpu += cpu_seconds() - begin;
  }
  const Usage after = store->usage();
  state.counters["cpu_us_per_event"] = 1e6 * cpu / static_cast<double>(total);
  state.counters["bytes_per_event"] =
      static_cast<double>(after.written_bytes - before.written_bytes) / static_cast<double>(total);
  state.counters["events_per_frame"] =
      static_cast<double>(total) / static_cast<double>(after.frames_count - before.frames_count);
  env->stop();
}

void open_with_pending(benchmark::State& state) {
  const Folder folder;
  {
    const auto env = open_env(folder);
    const auto store = open_store(*env);
    env->start();
    Load load(*env, *store,
              {.total = static_cast<std::size_t>(state.range(0)), .batch = 20, .settles = false});
    load.run();
    env->stop();
  }
  for ([[maybe_unused]] auto turn : state) {
    const auto env = open_env(folder);
    const auto store = open_store(*env);
    EILPOST_ASSERT(store->unsettled_count() == static_cast<std::uint64_t>(state.range(0)));
  }
}

void recognise_repeat(benchmark::State& state) {
  const Folder folder;
  const auto directory = env::RealDirectory::open_path(folder.path()).value();
  env::RealEntropy entropy;
  const auto generations = static_cast<std::uint64_t>(state.range(0));
  constexpr std::uint64_t kIdsEach = 100'000;
  const auto repeats =
      Repeats::open(*directory, entropy, {.ids_max = kIdsEach * 16}, [](std::string_view) {
      }).value();
  Random random(1);
  const auto hash = [&random] {
    const std::uint64_t low = random.next();
    return Hash128{.low = low, .high = random.next()};
  };
  for (std::uint64_t i = 0; i < generations * kIdsEach; ++i) {
    repeats->remember(hash(), {.value = i});
    if (auto job = repeats->begin_spill({.value = i + 1}, WallTime{})) {
      repeats->spilled((*job)(), WallTime{});
    }
  }
  for ([[maybe_unused]] auto turn : state) benchmark::DoNotOptimize(repeats->is_known(hash()));
}

BENCHMARK(accept_and_settle)->Arg(1)->Arg(20)->UseRealTime();
BENCHMARK(open_with_pending)->Arg(20'000)->Unit(benchmark::kMillisecond);
BENCHMARK(recognise_repeat)->Arg(1)->Arg(16);

}  // namespace
}  // namespace eilpost::store
