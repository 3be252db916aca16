#pragma once
// Deliveries of one destination in the order in which each user's events were accepted: one of a
// user goes at a time, the others wait in the user's line (SPEC "ordering: per_user").
//
// One that fails keeps its user's line for at most limits::kOrderingHoldMax after its first
// failure; then the others go on without it, and it goes on when it is its turn again. One that is
// being tried when the time is over keeps the line until its attempt has ended.
//
// Threads: one.
// Limits:  memory for users that have a delivery in the destination's queue, and only for these:
//          some 60 bytes for each, and 80 more than a Due for each delivery that waits in a line.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/time.h"
#include "pipeline/due.h"
#include "pipeline/later_heap.h"

namespace eilpost::pipeline {

class UserLines final {
 public:
  // Whether `due` may go now: it has the line of its user, or nobody does and it takes it. Else it
  // is moved into the line, at its place in accept order. One without a user always may.
  [[nodiscard]] bool admit(Due& due);

  // Whether `due` may go now, as above; if not it waits elsewhere.
  [[nodiscard]] bool claim(const Due& due);

  // It failed before this start, and waits for its next try: its user's later ones wait for it, and
  // it for earlier ones that do the same.
  void claim_again(const Due& due);

  // It will not be sent any more, or not for long: the next of its line may go, if it had the line.
  [[nodiscard]] std::optional<Due> leave(const Due& due);

  // It failed and is tried again later. Whether it may keep its line; if not, let it leave.
  [[nodiscard]] bool note_failed(Due& due, Instant now);
  // When the first line is held no longer.
  [[nodiscard]] std::optional<Instant> next_release() const { return held_.earliest(); }
  // Those that may go because one before them failed for too long.
  [[nodiscard]] std::vector<Due> release(Instant now);

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }
  // All that wait, in accept order. Those that have a line keep it.
  [[nodiscard]] std::vector<Due> take_waiting();
  // There is no order any more. REQUIRES: nothing waits.
  void forget_lines();
  // Takes out those about which `is_over` is true.
  void erase_if(const std::function<bool(const Due&)>& is_over);

 private:
  struct Line {
    DeliveryId active;
    bool is_failing = false;  // it waits for its next try
    bool is_held = false;     // held_ knows until when
  };
  struct Held {
    std::uint32_t user = 0;
    DeliveryId delivery;

    [[nodiscard]] DeliveryId key() const { return delivery; }
  };
  using Lines = std::unordered_map<std::uint32_t, Line>;

  static constexpr std::size_t kHeldSlack = 64;

  void forget_what_is_over();
  // The next of the line takes it; without one the line is gone.
  [[nodiscard]] std::optional<Due> pass_on(Lines::iterator line);

  Lines lines_;
  std::map<std::pair<std::uint32_t, DeliveryId>, Due> waiting_;  // by user, in accept order
  std::set<std::pair<std::uint32_t, DeliveryId>> failing_;       // wait for a try and for the line
  LaterHeap<Held> held_;
};

}  // namespace eilpost::pipeline
