#pragma once
// When the deliveries that are owed were accepted, so that the oldest is known at any time.
//
// Limits:  memory grows with the number of different seconds, at most those of kDeliveryAgeMax.
// Threads: a lane adds and removes; anybody asks for the oldest.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>

#include "base/time.h"

namespace eilpost::pipeline {

class OwedTimes final {
 public:
  void add(WallTime accepted_at);
  // REQUIRES: it was added.
  void remove(WallTime accepted_at);

  // To the second, rounded down. Nothing: no delivery is owed.
  [[nodiscard]] std::optional<WallTime> oldest() const;

 private:
  using Second = std::chrono::time_point<WallTime::clock, std::chrono::seconds>;

  void note_oldest();

  std::map<Second, std::uint64_t> counts_;
  std::atomic<std::int64_t> oldest_s_ = kNone;

  static constexpr std::int64_t kNone = -1;  // Nothing is accepted before 1970.
};

}  // namespace eilpost::pipeline
