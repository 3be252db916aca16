#pragma once
// A loop, its timers and workers on the one thread of the simulation.

#include <memory>

#include "base/random.h"
#include "env/loop.h"
#include "env/sim/sim_network.h"
#include "env/sim/sim_scheduler.h"

namespace eilpost::env {

class SimTimers final : public Timers {
 public:
  SimTimers(SimScheduler& scheduler, SimQueueId queue) : scheduler_(scheduler), queue_(queue) {}

  TimerId call_at(Instant when, std::move_only_function<void()> callback) override {
    return TimerId{scheduler_.call_at(queue_, when, std::move(callback))};
  }
  void cancel(TimerId id) override { scheduler_.cancel(queue_, static_cast<std::uint64_t>(id)); }

 private:
  SimScheduler& scheduler_;
  SimQueueId queue_;
};

class SimLoop final : public Loop {
 public:
  // `address` is where the loop's connections come from.
  SimLoop(SimClock& clock, SimScheduler& scheduler, SimInternet& internet, Address address);
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;
  ~SimLoop() override;

  void post(std::move_only_function<void()> work) override;
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] Timers& timers() override { return timers_; }
  [[nodiscard]] Network& network() override { return network_; }

  [[nodiscard]] SimQueueId queue() const { return queue_; }

 private:
  SimClock& clock_;
  SimScheduler& scheduler_;
  SimQueueId queue_;
  SimTimers timers_;
  SimNetwork network_;
};

// Each job runs up to `latency_max` after the one before it.
class SimWorker final : public Worker {
 public:
  SimWorker(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed, Duration latency_max);
  SimWorker(const SimWorker&) = delete;
  SimWorker& operator=(const SimWorker&) = delete;
  ~SimWorker() override;

  void run(std::move_only_function<void()> job) override;

  [[nodiscard]] SimQueueId queue() const { return queue_; }

 private:
  SimClock& clock_;
  SimScheduler& scheduler_;
  Random random_;
  Duration latency_max_;
  SimQueueId queue_;
  Instant last_due_{};
};

}  // namespace eilpost::env
