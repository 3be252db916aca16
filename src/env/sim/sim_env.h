#pragma once
// The outside world in memory: one seed, one thread, virtual time. Everything in it happens again
// in exactly the same way when the seed and the calls are the same.
//
//   SimEnv env(/*seed=*/1);
//   env.internet().set_name("hooks.example.com", {receiver_address});
//   Server server(env, config);
//   env.advance(2h);                       // everything that is due in two hours happens
//   env.crash(Crash::power_loss);          // the machine stops; the disk forgets
//   ... destroy the server ...
//   env.restart();
//
// There is one machine, with lanes, workers and a disk: the Env. Around it lies the rest of the
// world: the internet and the outside loops, where receivers and clients of a test run; a crash
// does not touch those.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "env/env.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "env/sim/sim_internet.h"
#include "env/sim/sim_loop.h"

namespace eilpost::env {

struct SimOptions {
  std::size_t lanes = 1;
  Duration worker_latency_max = std::chrono::milliseconds(2);
  SimDelay network_delay{.min = std::chrono::microseconds(50), .max = std::chrono::milliseconds(1)};
  WallTime wall_start = kSimWallStart;
};

enum class Crash : std::uint8_t {
  power_loss,      // what was not synced is kept, torn or lost
  process_killed,  // the operating system keeps what was written
};

struct SimDeath {
  int exit_code = 0;
  std::string reason;
  Instant at{};
};

// Threads: one.
class SimEnv final : public Env {
 public:
  explicit SimEnv(std::uint64_t seed, const SimOptions& options = {});
  SimEnv(const SimEnv&) = delete;
  SimEnv& operator=(const SimEnv&) = delete;
  ~SimEnv() override;

  [[nodiscard]] std::size_t lanes_count() const override { return lanes_.size(); }
  [[nodiscard]] Loop& lane(std::size_t index) override;
  [[nodiscard]] SimClock& clock() override { return clock_; }
  [[nodiscard]] SimEntropy& entropy() override { return entropy_; }
  [[nodiscard]] SimDirectory& directory() override { return directory_; }
  // None: date() knows UTC only here.
  [[nodiscard]] std::optional<std::string> read_time_zone(std::string_view name) override;
  // None: the simulation knows no certificates.
  [[nodiscard]] std::vector<Bytes> trusted_certificates(ByteView subject) override;
  [[nodiscard]] std::unique_ptr<Worker> start_worker(std::string_view name) override;
  // From then on nothing of the machine runs; crash() and restart() bring it back.
  void die(int exit_code, std::string_view reason) override;
  [[nodiscard]] const std::optional<SimDeath>& death() const { return death_; }

  // The world around the machine.
  [[nodiscard]] SimInternet& internet() { return internet_; }
  [[nodiscard]] Loop& outside() { return *outside_.front(); }
  // One more loop outside, whose connections come from `address`.
  [[nodiscard]] Loop& add_outside(const Address& address);

  // Runs what is due now, without moving time.
  void run_ready() { advance(Duration::zero()); }
  // Moves time by `step`; everything that becomes due happens at its own moment.
  void advance(Duration step);
  // Jumps from one piece of work to the next until there is none, or `limit` pieces ran. Returns
  // how many.
  std::uint64_t run_until_idle(std::uint64_t limit);
  // Runs until `is_so`, at most for `time_max`. Returns whether it is so.
  [[nodiscard]] bool run_until(const std::function<bool()>& is_so, Duration time_max);
  // Starts `task` on lane 0 and runs until it has ended, at most for `time_max`; nothing (false) if
  // it has not ended by then: it is destroyed.
  template <class T>
  [[nodiscard]] std::optional<T> finish(Task<T> task, Duration time_max = std::chrono::hours(1));
  [[nodiscard]] bool finish(Task<void> task, Duration time_max = std::chrono::hours(1));

  // The machine stops at once: work not yet run is destroyed, connections are reset, handles to
  // files are dead, and until restart() the disk and the loops do nothing.
  // REQUIRES: not called by work of the machine itself.
  void crash(Crash kind);
  // The machine comes back. REQUIRES: what was built on the Env is destroyed. After an orderly
  // end, call it too: it lets go of the lock of the directory.
  void restart();

  // A digest of everything that happened so far.
  [[nodiscard]] std::uint64_t trace() const { return scheduler_.trace(); }

 private:
  class WorkerHandle;

  [[nodiscard]] std::vector<SimQueueId> machine_queues() const;

  Random random_;
  SimOptions options_;
  SimClock clock_;
  SimScheduler scheduler_;
  SimEntropy entropy_;
  SimDirectory directory_;
  SimInternet internet_;
  std::vector<std::unique_ptr<SimLoop>> lanes_;
  std::vector<std::unique_ptr<SimLoop>> outside_;
  std::vector<SimQueueId> worker_queues_;
  bool is_up_ = true;
  std::optional<SimDeath> death_;
};

template <class T>
std::optional<T> SimEnv::finish(Task<T> task, Duration time_max) {
  const auto shared = std::make_shared<Task<T>>(std::move(task));
  lane(0).post([shared] {
    if (shared->valid()) shared->start();
  });
  const bool is_done = run_until([&] { return shared->done(); }, time_max);
  std::optional<T> result;
  if (is_done) result.emplace(shared->result());
  *shared = {};
  return result;
}

}  // namespace eilpost::env
