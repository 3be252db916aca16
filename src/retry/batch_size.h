#pragma once
// How many events one request to a destination may hold: what its settings say, less while it
// answers that it is too much (413).
//
// Threads: one.

#include <algorithm>
#include <cstdint>

namespace eilpost::retry {

class BatchSize final {
 public:
  [[nodiscard]] std::uint32_t limit(std::uint32_t events_max) const {
    return std::min(limit_, events_max);
  }

  // A request with so many events was too large.
  void note_too_large(std::uint32_t count) { limit_ = std::min(limit_, std::max(count / 2, 1U)); }
  // One with so many was taken: after a while more is tried again.
  void note_taken(std::uint32_t count) {
    if (count < limit_ || limit_ == UINT32_MAX) return;
    taken_ += 1;
    if (taken_ < kTakenBeforeMore) return;
    taken_ = 0;
    limit_ += std::max(limit_ / 8, 1U);
  }
  void reset() { *this = BatchSize(); }

 private:
  static constexpr std::uint32_t kTakenBeforeMore = 100;

  std::uint32_t limit_ = UINT32_MAX;
  std::uint32_t taken_ = 0;
};

}  // namespace eilpost::retry
