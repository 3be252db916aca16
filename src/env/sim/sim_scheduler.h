#pragma once
// Runs everything that happens in a simulation, one piece of work after the other, on one thread.
//
// Work lies in queues; each stands for a thread of the real world. Within a queue work runs in the
// order (due, order of giving). Which of several queues with due work goes next, the seed says:
// that is how the interleavings of threads are explored. Time moves only when nothing is due.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/random.h"
#include "env/sim/sim_clock.h"

namespace eilpost::env {

enum class SimQueueId : std::uint32_t {};

class SimScheduler {
 public:
  using Work = std::move_only_function<void()>;

  SimScheduler(SimClock& clock, std::uint64_t seed) : clock_(clock), random_(seed) {}
  SimScheduler(const SimScheduler&) = delete;
  SimScheduler& operator=(const SimScheduler&) = delete;

  [[nodiscard]] SimQueueId add_queue();
  // Destroys the queue and its work.
  void remove_queue(SimQueueId queue);

  // Gives work; what is due in the past is due now. In a stopped queue the work is destroyed at
  // once. The number is for cancel() and never 0.
  std::uint64_t call_at(SimQueueId queue, Instant when, Work work);
  void cancel(SimQueueId queue, std::uint64_t id);

  // A paused queue keeps its work but runs none. A stopped one has none and takes none.
  void pause(SimQueueId queue);
  void stop(SimQueueId queue);
  void start(SimQueueId queue);

  // Runs what is left in a queue, whenever it is due, without moving time.
  void drain(SimQueueId queue);

  // Runs the next piece of work due at `limit` at the latest; false if there is none. Time moves to
  // the moment when it is due, never beyond.
  bool run_one(Instant limit);

  // The queue whose work is running, if any is.
  [[nodiscard]] std::optional<SimQueueId> running() const { return running_; }

  // A digest of what ran so far and when: equal for equal runs.
  [[nodiscard]] std::uint64_t trace() const { return trace_; }

 private:
  enum class State : std::uint8_t { started, paused, stopped };
  using Key = std::pair<Instant, std::uint64_t>;

  struct Queue {
    State state = State::started;
    std::map<Key, Work> work;
    std::unordered_map<std::uint64_t, Instant> due_of;
  };
  using Queues = std::map<SimQueueId, Queue>;

  // The queue to run next among those with work due at `when`.
  [[nodiscard]] Queues::iterator choose(Instant when);
  [[nodiscard]] std::optional<Instant> first_due() const;
  void run_first(Queues::iterator queue);

  SimClock& clock_;
  Random random_;
  std::uint64_t next_work_ = 1;
  std::uint32_t next_queue_ = 1;
  std::uint64_t trace_ = 0;
  std::optional<SimQueueId> running_;
  Queues queues_;
};

}  // namespace eilpost::env
