#include "env/sim/sim_env.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

// More pieces of work than this within one advance() are a loop that never rests.
constexpr std::uint64_t kTurnsMax = 50'000'000;

constexpr Address kMachineAddress{.bytes = {10, 0, 0, 1}};

}  // namespace

// A worker that the SimEnv knows of until it is destroyed.
class SimEnv::WorkerHandle final : public Worker {
 public:
  explicit WorkerHandle(SimEnv& env)
      : env_(env),
        worker_(env.clock_, env.scheduler_, env.random_.next(), env.options_.worker_latency_max) {
    env_.worker_queues_.push_back(worker_.queue());
  }
  WorkerHandle(const WorkerHandle&) = delete;
  WorkerHandle& operator=(const WorkerHandle&) = delete;
  ~WorkerHandle() override { std::erase(env_.worker_queues_, worker_.queue()); }

  void run(std::move_only_function<void()> job) override { worker_.run(std::move(job)); }

  [[nodiscard]] SimQueueId queue() const { return worker_.queue(); }

 private:
  SimEnv& env_;
  SimWorker worker_;
};

SimEnv::SimEnv(std::uint64_t seed, const SimOptions& options)
    : random_(seed),
      options_(options),
      clock_(options.wall_start),
      scheduler_(clock_, random_.next()),
      entropy_(random_.next()),
      directory_(random_.next()),
      internet_(clock_, scheduler_, random_.next(), options.network_delay) {
  EILPOST_ASSERT(options_.lanes > 0);
  for (std::size_t i = 0; i < options_.lanes; ++i) {
    lanes_.push_back(std::make_unique<SimLoop>(clock_, scheduler_, internet_, kMachineAddress));
  }
  (void)add_outside(internet_.new_address());
}

// Work that is left may hold streams and call back while it is destroyed: it goes first.
SimEnv::~SimEnv() {
  for (const auto& loop : lanes_) scheduler_.stop(loop->queue());
  for (const auto& loop : outside_) scheduler_.stop(loop->queue());
}

Loop& SimEnv::lane(std::size_t index) {
  EILPOST_ASSERT(index < lanes_.size());
  return *lanes_[index];
}

std::vector<Bytes> SimEnv::trusted_certificates(ByteView /*subject*/) {
  return {};
}

std::unique_ptr<Worker> SimEnv::start_worker(std::string_view name) {
  EILPOST_ASSERT(!name.empty() && name.size() <= 15);
  auto worker = std::make_unique<WorkerHandle>(*this);
  if (!is_up_) scheduler_.stop(worker->queue());
  if (death_) scheduler_.pause(worker->queue());
  return worker;
}

std::optional<std::string> SimEnv::read_time_zone(std::string_view /*name*/) {
  return std::nullopt;
}

void SimEnv::die(int exit_code, std::string_view reason) {
  if (death_) return;
  death_ = {.exit_code = exit_code, .reason = std::string(reason), .at = clock_.now()};
  for (const SimQueueId queue : machine_queues()) scheduler_.pause(queue);
}

Loop& SimEnv::add_outside(const Address& address) {
  outside_.push_back(std::make_unique<SimLoop>(clock_, scheduler_, internet_, address));
  return *outside_.back();
}

void SimEnv::advance(Duration step) {
  const Instant target = clock_.now() + step;
  std::uint64_t turns = 0;
  while (scheduler_.run_one(target)) EILPOST_ASSERT(++turns < kTurnsMax);
  clock_.advance(target - clock_.now());
}

std::uint64_t SimEnv::run_until_idle(std::uint64_t limit) {
  std::uint64_t count = 0;
  while (count < limit && scheduler_.run_one(Instant::max())) ++count;
  return count;
}

bool SimEnv::run_until(const std::function<bool()>& is_so, Duration time_max) {
  const Instant target = clock_.now() + time_max;
  std::uint64_t turns = 0;
  while (!is_so()) {
    EILPOST_ASSERT(++turns < kTurnsMax);
    if (scheduler_.run_one(target)) continue;
    clock_.advance(target - clock_.now());
    return is_so();
  }
  return true;
}

bool SimEnv::finish(Task<void> task, Duration time_max) {
  const auto shared = std::make_shared<Task<void>>(std::move(task));
  lane(0).post([shared] {
    if (shared->valid()) shared->start();
  });
  const bool is_done = run_until([&] { return shared->done(); }, time_max);
  *shared = {};
  return is_done;
}

void SimEnv::crash(Crash kind) {
  const std::vector<SimQueueId> queues = machine_queues();
  const std::optional<SimQueueId> running = scheduler_.running();
  EILPOST_ASSERT(!running || std::ranges::find(queues, *running) == queues.end());
  is_up_ = false;
  if (kind == Crash::power_loss) {
    directory_.crash();
  } else {
    directory_.kill_process();
  }
  directory_.set_power(false);
  internet_.drop(queues);
  for (const SimQueueId queue : queues) scheduler_.stop(queue);
}

void SimEnv::restart() {
  EILPOST_ASSERT(worker_queues_.empty());
  if (is_up_) directory_.kill_process();
  for (const auto& loop : lanes_) {
    scheduler_.stop(loop->queue());
    scheduler_.start(loop->queue());
  }
  directory_.set_power(true);
  is_up_ = true;
  death_.reset();
}

std::vector<SimQueueId> SimEnv::machine_queues() const {
  std::vector<SimQueueId> queues = worker_queues_;
  for (const auto& loop : lanes_) queues.push_back(loop->queue());
  return queues;
}

}  // namespace eilpost::env
