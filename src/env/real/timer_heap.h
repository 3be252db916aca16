#pragma once
// Timers in a heap. Setting and cancelling cost O(log n) and, once warm, no allocation.
//
// Threads: one loop.

#include <cstdint>
#include <optional>
#include <vector>

#include "env/timers.h"

namespace eilpost::env {

class TimerHeap final : public Timers {
 public:
  TimerHeap() = default;
  TimerHeap(const TimerHeap&) = delete;
  TimerHeap& operator=(const TimerHeap&) = delete;

  TimerId call_at(Instant when, std::move_only_function<void()> callback) override;
  void cancel(TimerId id) override;

  // When the next timer is due.
  [[nodiscard]] std::optional<Instant> next_due() const;
  // Runs what is due at `now` and was set before the call.
  void run_due(Instant now);
  // Drops all timers without running them.
  void clear();
  [[nodiscard]] std::size_t size() const { return heap_.size(); }

 private:
  // Ordered by (when, sequence).
  struct Entry {
    Instant when;
    std::uint64_t sequence;
    std::uint32_t slot;
  };
  // A TimerId is the slot's number and its generation, so that the id of a timer that ran never
  // cancels the slot's next user.
  struct Slot {
    std::move_only_function<void()> callback;
    std::uint32_t generation = 1;
    std::uint32_t place = 0;  // in heap_
  };

  [[nodiscard]] static bool is_before(const Entry& a, const Entry& b);
  void put(std::uint32_t place, const Entry& entry);
  void sift_up(std::uint32_t place, const Entry& entry);
  void sift_down(std::uint32_t place, const Entry& entry);
  // Takes the entry out of the heap and frees its slot.
  std::move_only_function<void()> take(std::uint32_t place);

  std::vector<Entry> heap_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace eilpost::env
