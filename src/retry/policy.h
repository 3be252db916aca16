#pragma once
// What follows an attempt: delivered, tried again, or failed. Pure: no clock, no I/O, no state.
//
// Source: SPEC "Delivery"; Retry-After is RFC 9110 §10.2.3.

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/random.h"
#include "base/time.h"
#include "model/delivery.h"
#include "model/destination.h"

namespace eilpost::retry {

struct Situation {
  std::uint16_t attempts_count = 1;  // this one included
  WallTime ended_at;                 // when the attempt ended
  WallTime accepted_at;              // when the delivery came to be
};

// Decides what is next. A receiver's Retry-After can only lengthen the wait, up to 24 h. A wait
// that would pass the delivery's age limit of 5 days ends it: failed, reason expired.
[[nodiscard]] Next decide(const Outcome& outcome, const RetrySettings& settings,
                          const Situation& situation, Random& random);

// The wait after the attempt of this number failed (1 is the first), jitter included; nothing when
// the schedule is used up. Lies within the jitter band of the schedule's delay; at least 1 ms.
[[nodiscard]] std::optional<std::chrono::milliseconds> delay_after(const RetrySettings& settings,
                                                                   std::uint16_t attempts_count,
                                                                   Random& random);

}  // namespace eilpost::retry
