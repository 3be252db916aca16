#pragma once
// Writes down what came of an attempt, in the form that the log keeps. Pure.

#include <cstdint>

#include "model/delivery.h"

namespace eilpost::record {

struct Facts {
  DeliveryId delivery;
  std::uint16_t number = 1;
  WallTime ended_at;
  Duration duration{};
  std::uint32_t webhook_version = 0;
  std::uint32_t destination_version = 0;
  std::uint64_t body_hash = 0;  // base/hash.h, of the body that was sent
};

// The attempt with its answer cut to what the log keeps: 1 KiB of a success, 16 KiB of a failure,
// at a boundary between characters. Its beginning is by the calendar of its end, which may have
// jumped meanwhile: so the time to the next attempt is always what was decided.
[[nodiscard]] Attempt make_attempt(const Facts& facts, Outcome outcome, const Next& next);

}  // namespace eilpost::record
