#include "env/sim/sim_scheduler.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"

namespace eilpost::env {

SimQueueId SimScheduler::add_queue() {
  const SimQueueId id{next_queue_++};
  queues_.try_emplace(id);
  return id;
}

void SimScheduler::remove_queue(SimQueueId queue) {
  stop(queue);
  queues_.erase(queue);
}

std::uint64_t SimScheduler::call_at(SimQueueId queue, Instant when, Work work) {
  const std::uint64_t id = next_work_++;
  const auto found = queues_.find(queue);
  if (found == queues_.end() || found->second.state == State::stopped) return id;
  const Instant due = std::max(when, clock_.now());
  found->second.work.emplace(Key{due, id}, std::move(work));
  found->second.due_of.emplace(id, due);
  return id;
}

void SimScheduler::cancel(SimQueueId queue, std::uint64_t id) {
  const auto found = queues_.find(queue);
  if (found == queues_.end()) return;
  const auto due = found->second.due_of.find(id);
  if (due == found->second.due_of.end()) return;
  // What the work owns may call back here when it is destroyed: it leaves the tables first.
  const auto work = found->second.work.extract(Key{due->second, id});
  found->second.due_of.erase(due);
}

void SimScheduler::pause(SimQueueId queue) {
  Queue& found = queues_.at(queue);
  if (found.state == State::started) found.state = State::paused;
}

void SimScheduler::stop(SimQueueId queue) {
  Queue& found = queues_.at(queue);
  found.state = State::stopped;
  found.due_of.clear();
  const auto work = std::exchange(found.work, {});
}

void SimScheduler::start(SimQueueId queue) {
  queues_.at(queue).state = State::started;
}

void SimScheduler::drain(SimQueueId queue) {
  const auto found = queues_.find(queue);
  EILPOST_ASSERT(found != queues_.end());
  while (found->second.state == State::started && !found->second.work.empty()) run_first(found);
}

bool SimScheduler::run_one(Instant limit) {
  EILPOST_ASSERT(!running_);  // Work may not run the simulation that runs it.
  const std::optional<Instant> due = first_due();
  if (!due || *due > limit) return false;
  if (*due > clock_.now()) clock_.advance(*due - clock_.now());
  run_first(choose(clock_.now()));
  return true;
}

std::optional<Instant> SimScheduler::first_due() const {
  std::optional<Instant> first;
  for (const auto& [id, queue] : queues_) {
    if (queue.state != State::started || queue.work.empty()) continue;
    const Instant due = queue.work.begin()->first.first;
    if (!first || due < *first) first = due;
  }
  return first;
}

SimScheduler::Queues::iterator SimScheduler::choose(Instant when) {
  auto chosen = queues_.end();
  std::uint64_t candidates = 0;
  for (auto at = queues_.begin(); at != queues_.end(); ++at) {
    const Queue& queue = at->second;
    if (queue.state != State::started || queue.work.empty()) continue;
    if (queue.work.begin()->first.first > when) continue;
    // Each of n candidates ends up chosen once in n times.
    if (random_.below(++candidates) == 0) chosen = at;
  }
  EILPOST_ASSERT(chosen != queues_.end());
  return chosen;
}

void SimScheduler::run_first(Queues::iterator queue) {
  auto first = queue->second.work.extract(queue->second.work.begin());
  const std::uint64_t id = first.key().second;
  queue->second.due_of.erase(id);
  const auto when = static_cast<std::uint64_t>(clock_.now().time_since_epoch().count());
  trace_ = combine_hashes(combine_hashes(trace_, id), when);
  const std::optional<SimQueueId> outer = std::exchange(running_, queue->first);
  first.mapped()();
  running_ = outer;
}

}  // namespace eilpost::env
