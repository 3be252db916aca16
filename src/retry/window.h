#pragma once
// How many attempts may be under way to one destination: its concurrency, less while it says that
// it is too much (429, 503, what its platform says so with), and opening slowly after a pause.
//
// Works like TCP's congestion window (RFC 5681): halved when the destination complains, at most
// once for all attempts under way; then one more for every window of successes. After a pause it is
// 1, 2, 4 … up to where the destination complained.
//
// Threads: one.

#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/delivery.h"
#include "model/limits.h"

namespace eilpost::retry {

class Window final {
 public:
  // Statuses that say "too much" beside 429 and 503.
  void set_complaints(std::vector<std::uint16_t> statuses) { complaints_ = std::move(statuses); }

  [[nodiscard]] std::uint32_t size(std::uint32_t concurrency) const;

  // `started`: when the attempt with this outcome began.
  void note_end(const Outcome& outcome, std::uint32_t concurrency, Instant started, Instant now);

  // After a pause.
  void open_slowly();
  void open_fully();

 private:
  static constexpr double kOpen = limits::kConcurrencyMax;

  [[nodiscard]] bool is_complaint(const Outcome& outcome) const;

  std::vector<std::uint16_t> complaints_;
  double size_ = kOpen;
  double doubles_until_ = kOpen;  // from there on it grows by one a window
  Instant halved_at_{};
};

}  // namespace eilpost::retry
