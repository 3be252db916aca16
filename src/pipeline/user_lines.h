#pragma once
// Deliveries of one destination in the order in which each user's events were accepted: one of a
// user goes at a time, the others wait in the user's line (SPEC "ordering: per_user").
//
// One that fails keeps its user's line for at most limits::kOrderingHoldMax after its first
// failure; then the others go on without it, and it goes on when it is its turn again.
//
// Threads: one.
// Limits:  memory for users that have a delivery in the destination's queue, and only for these.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "pipeline/due.h"

namespace eilpost::pipeline {

class UserLines final {
 public:
  // Whether `due` may go now: it has the line of its user, or nobody does and it takes it. Else it
  // is moved into the line, at its place in accept order. One without a user always may.
  [[nodiscard]] bool admit(Due& due);

  // Whether `due`, which waits elsewhere, has the line of its user; it takes one that nobody has.
  [[nodiscard]] bool claim(const Due& due);

  // It will not be sent any more, or not for long: the next of its line may go, if it had the line.
  [[nodiscard]] std::optional<Due> leave(const Due& due);

  // It failed and is tried again later. Whether it may keep its line; if not, let it leave.
  [[nodiscard]] bool note_failed(Due& due, Instant now);
  // When the first line is held no longer.
  [[nodiscard]] std::optional<Instant> next_release() const;
  // Those that may go because one before them failed for too long.
  [[nodiscard]] std::vector<Due> release(Instant now);

  [[nodiscard]] std::size_t size() const { return waiting_count_; }
  // All that wait, in accept order. Those that have a line keep it.
  [[nodiscard]] std::vector<Due> take_waiting();
  // Takes out those about which `is_over` is true.
  void erase_if(const std::function<bool(const Due&)>& is_over);

 private:
  struct Line {
    DeliveryId active;
    bool has_failed = false;
    std::deque<Due> waiting;  // in accept order
  };
  struct Held {
    Instant until;
    std::uint32_t user = 0;
    DeliveryId delivery;
  };
  using Lines = std::unordered_map<std::uint32_t, Line>;

  // The next of the line takes it; without one the line is gone.
  [[nodiscard]] std::optional<Due> pass_on(Lines::iterator line);

  Lines lines_;
  std::deque<Held> held_;  // by time
  std::size_t waiting_count_ = 0;
};

}  // namespace eilpost::pipeline
