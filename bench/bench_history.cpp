// What the delivery log costs: events that were accepted and settled are followed and written, in
// stretches as long as what comes in a tenth of a second under load; CPU time of the history's
// thread alone. And how long a search takes in a file of many deliveries. For instructions, which
// are the same on every run:
//
//   valgrind --tool=callgrind --separate-threads=yes eilpost_bench --benchmark_filter=write_log

#include <algorithm>
#include <benchmark/benchmark.h>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "env/real/real_env.h"
#include "history/history.h"
#include "store/store.h"
#include "store/test_events.h"

namespace eilpost::history {
namespace {

constexpr std::size_t kStretch = 1800;        // events
constexpr std::uint64_t kRareEvery = 20'000;  // events
constexpr std::uint64_t kRareWebhook = 99;
constexpr std::size_t kLate = 60;  // of them, settled in the next stretch only

struct Cost {
  double cpu_seconds = 0;
  std::uint64_t written_bytes = 0;  // handed to write()
};

// Of the calling thread, so far.
std::uint64_t written_bytes() {
  std::ifstream io("/proc/thread-self/io");
  std::string word;
  std::uint64_t bytes = 0;
  while (io >> word) {
    if (word == "wchar:") io >> bytes;
  }
  return bytes;
}

Cost cost_so_far() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return {
      .cpu_seconds = static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec),
      .written_bytes = written_bytes()};
}

std::size_t asked(const char* name, std::size_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class LoggedStore {
 public:
  explicit LoggedStore(const Options& options = {}) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "eilpost-bench-XXXXXX").string();
    EILPOST_ASSERT(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    const auto tell = [](std::string_view what) { fmt::print(stderr, "{}\n", what); };
    env_ = env::RealEnv::open({.data_directory = path_}).value();
    store_ = store::Store::open(*env_, {}, tell).value();
    history_ = History::open(*env_, *store_, options, tell).value();
    env_->start();
  }
  LoggedStore(const LoggedStore&) = delete;
  LoggedStore& operator=(const LoggedStore&) = delete;
  ~LoggedStore() {
    env_->stop();
    history_.reset();
    store_.reset();
    env_.reset();
    std::filesystem::remove_all(path_);
  }

  // Accepts `count` events and settles all but the last `late_count` of them, and what was late
  // before. The user is one of a thousand, the webhook one of sixty, and that of one event of
  // 20,000 another.
  void add(std::size_t count, std::size_t late_count) {
    for (const DeliveryId id : late_) store_->record(store::make_attempt(id));
    late_.clear();
    std::vector<store::Accept> batch;
    batch.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      ++number_;
      batch.push_back(store::make_accept(
          store::make_event(number_, store::kTestNow + std::chrono::milliseconds(number_ / 18))));
      batch.back().owed[0] =
          store::make_owed(number_ % kRareEvery == 0 ? kRareWebhook : number_ % 60);
    }
    std::vector<std::optional<Position>> sequences;
    wait([&](std::function<void()> done) {
      store_->accept(std::move(batch), env_->lane(0), [&, done](const store::Accepted& accepted) {
        EILPOST_ASSERT(accepted.status == store::AcceptStatus::durable);
        sequences = accepted.sequences;
        done();
      });
    });
    for (std::size_t i = 0; i < count; ++i) {
      const DeliveryId id{.sequence = sequences[i].value()};
      if (i + late_count >= count) {
        late_.push_back(id);
        continue;
      }
      Attempt attempt = store::make_attempt(id);
      attempt.started_at += std::chrono::milliseconds(number_ / 18);
      attempt.body_hash *= id.sequence.value;
      attempt.outcome.answer = "ok";
      attempt.outcome.answer_content_type = "text/plain";
      store_->record(std::move(attempt));
    }
    wait([&](std::function<void()> done) { store_->flush(env_->lane(0), std::move(done)); });
  }

  // What `query` answers, once everything is written.
  template <class Query>
  auto ask(Query query) {
    std::optional<decltype(query(std::declval<Reader&>()))> answer;
    wait([&](std::function<void()> done) {
      history_->run_query([&, done](Reader& reader) {
        answer = query(reader);
        done();
      });
    });
    return std::move(*answer);
  }

  [[nodiscard]] std::uint64_t log_bytes() { return history_->usage().disk_bytes; }
  [[nodiscard]] std::size_t count() const { return number_; }

 private:
  void wait(const std::function<void(std::function<void()>)>& begin) {
    std::mutex mutex;
    std::condition_variable condition;
    bool is_done = false;
    begin([&] {
      const std::scoped_lock lock(mutex);
      is_done = true;
      condition.notify_one();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return is_done; });
  }

  std::string path_;
  std::unique_ptr<env::RealEnv> env_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<History> history_;
  std::vector<DeliveryId> late_;
  std::uint64_t number_ = 0;
};

void write_log(benchmark::State& state) {
  LoggedStore log;
  const auto cost = [](Reader&) { return cost_so_far(); };
  const Cost begin = log.ask(cost);
  Cost end = begin;
  for ([[maybe_unused]] auto turn : state) {
    log.add(kStretch, static_cast<std::size_t>(state.range(0)));
    end = log.ask(cost);
  }
  const auto count = static_cast<double>(log.count());
  state.counters["cpu_us_per_event"] = 1e6 * (end.cpu_seconds - begin.cpu_seconds) / count;
  state.counters["written_bytes_per_event"] =
      static_cast<double>(end.written_bytes - begin.written_bytes) / count;
  state.counters["log_bytes_per_event"] = static_cast<double>(log.log_bytes()) / count;
}

// Made once, for all searches.
LoggedStore& full_log() {
  static const std::size_t kDeliveries = asked("EILPOST_BENCH_DELIVERIES", 20'000);
  static LoggedStore log(
      {.retention = std::chrono::hours(24) * 365 * 100,  // The events are of a test's time.
       .file_rows_max = asked("EILPOST_BENCH_FILE_DELIVERIES", Options().file_rows_max)});
  while (log.count() < kDeliveries) {
    log.add(kStretch, kLate);
    (void)log.ask([](Reader& reader) { return reader.count_deliveries({.event_id = "none"}); });
  }
  return log;
}

void search(benchmark::State& state, const std::function<void(Reader&)>& query) {
  LoggedStore& log = full_log();
  for ([[maybe_unused]] auto turn : state) {
    (void)log.ask([&](Reader& reader) {
      query(reader);
      return 0;
    });
  }
}

void page(benchmark::State& state, const Filter& filter) {
  search(state, [&](Reader& reader) {
    benchmark::DoNotOptimize(reader.deliveries(filter, {.count = 50}).value());
  });
}

void count(benchmark::State& state, const Filter& filter) {
  search(state, [&](Reader& reader) {
    benchmark::DoNotOptimize(reader.count_by_webhook(filter).value());
  });
}

const Event kOld = store::make_event(1000);

void page_all(benchmark::State& state) {
  page(state, {});
}
void page_by_webhook(benchmark::State& state) {
  page(state, {.webhook = store::make_owed(7).webhook});
}
void page_by_rare_webhook(benchmark::State& state) {
  page(state, {.webhook = store::make_owed(kRareWebhook).webhook});
}
void page_by_destination(benchmark::State& state) {
  page(state, {.destination = store::make_owed(3).destination});
}
void page_by_event_id(benchmark::State& state) {
  page(state, {.event_id = kOld.id});
}
void page_by_user(benchmark::State& state) {
  page(state, {.user = kOld.user});
}
void page_by_absent_user(benchmark::State& state) {
  page(state, {.user = "nobody"});
}
void page_by_failed(benchmark::State& state) {
  page(state, {.states = {DeliveryState::failed}});
}
void page_by_time(benchmark::State& state) {
  page(state, {.until = store::kTestNow + std::chrono::seconds(10)});
}
void page_by_webhook_and_user(benchmark::State& state) {
  page(state, {.webhook = store::make_owed(7).webhook, .user = kOld.user});
}
void count_all(benchmark::State& state) {
  count(state, {});
}
void count_by_webhook(benchmark::State& state) {
  count(state, {.webhook = store::make_owed(7).webhook});
}
void count_by_user(benchmark::State& state) {
  count(state, {.user = kOld.user});
}
void count_by_failed(benchmark::State& state) {
  count(state, {.states = {DeliveryState::failed}});
}

BENCHMARK(write_log)->Arg(0)->Arg(kLate)->Iterations(20)->UseRealTime();
BENCHMARK(page_all)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_webhook)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_rare_webhook)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_destination)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_event_id)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_user)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_absent_user)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_failed)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_time)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(page_by_webhook_and_user)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(count_all)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(count_by_webhook)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(count_by_user)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(count_by_failed)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace eilpost::history
