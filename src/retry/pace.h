#pragma once
// How fast attempts may follow each other to one destination: its breaker, its rate limit, its
// window, as one.
//
// Threads: one.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"
#include "model/delivery.h"
#include "retry/breaker.h"
#include "retry/rate_gate.h"
#include "retry/window.h"

namespace eilpost::retry {

class Pace final {
 public:
  void set_rate(const Rate& rate) { rate_.set(rate); }
  // Statuses by which it asks for fewer at once, beside 429 and 503.
  void set_complaints(std::vector<std::uint16_t> statuses) {
    window_.set_complaints(std::move(statuses));
  }

  // When the next attempt may begin: `now` or later; Instant::max(): when one under way has ended.
  [[nodiscard]] Instant earliest(Instant now) const {
    return std::max(breaker_.earliest(now), rate_.earliest(now));
  }
  // How many may be under way.
  [[nodiscard]] std::uint32_t window(std::uint32_t concurrency) const {
    return window_.size(concurrency);
  }

  void note_start(Instant now) {
    breaker_.note_start(now);
    rate_.note_start(now);
  }
  [[nodiscard]] Breaker::Change note_end(const Outcome& outcome, std::uint32_t concurrency,
                                         Instant started, Instant now) {
    window_.note_end(outcome, concurrency, started, now);
    const Breaker::Change change = breaker_.note_end(verdict_of(outcome), started, now);
    if (change == Breaker::Change::recovered) window_.open_slowly();
    return change;
  }
  // The attempt begun then came to nothing: no request was made.
  void note_abandoned(Instant started) { breaker_.note_abandoned(started); }

  // It was paused when this process began: the next attempt is the probe.
  void begin_paused(Instant now) { breaker_.begin_paused(now); }

  // Somebody says that the destination is well. Its rate limit holds on.
  void resume() {
    breaker_.resume();
    window_.open_fully();
  }

  [[nodiscard]] bool is_paused() const { return breaker_.is_paused(); }
  [[nodiscard]] Instant paused_until() const { return breaker_.paused_until(); }

 private:
  Breaker breaker_;
  RateGate rate_;
  Window window_;
};

}  // namespace eilpost::retry
