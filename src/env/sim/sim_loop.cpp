#include "env/sim/sim_loop.h"

#include <algorithm>
#include <utility>

namespace eilpost::env {

SimLoop::SimLoop(SimClock& clock, SimScheduler& scheduler, SimInternet& internet, Address address)
    : clock_(clock),
      scheduler_(scheduler),
      queue_(scheduler.add_queue()),
      timers_(scheduler, queue_),
      network_(internet, queue_, address) {}

SimLoop::~SimLoop() {
  scheduler_.remove_queue(queue_);
}

void SimLoop::post(std::move_only_function<void()> work) {
  scheduler_.call_at(queue_, clock_.now(), std::move(work));
}

SimWorker::SimWorker(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed,
                     Duration latency_max)
    : clock_(clock),
      scheduler_(scheduler),
      random_(seed),
      latency_max_(latency_max),
      queue_(scheduler.add_queue()) {}

SimWorker::~SimWorker() {
  scheduler_.drain(queue_);
  scheduler_.remove_queue(queue_);
}

void SimWorker::run(std::move_only_function<void()> job) {
  const auto latency_count = static_cast<std::uint64_t>(latency_max_.count());
  const Duration latency(random_.next() % (latency_count + 1));
  last_due_ = std::max(last_due_, clock_.now()) + latency;
  scheduler_.call_at(queue_, last_due_, std::move(job));
}

}  // namespace eilpost::env
