#pragma once
// The circuit breaker of one destination: after kBreakerFailures failures in a row it pauses the
// destination, for kBreakerPauseMin at first; then one attempt is let through, the probe. If that
// fails the next pause is twice as long, up to kBreakerPauseMax; else all goes on.
//
// Source:     SPEC "Delivery".
// Invariants: what an attempt meets that began before the pause says nothing about the probe; only
//             its success counts.
// Threads:    one.

#include <cstdint>

#include "base/time.h"
#include "model/delivery.h"

namespace eilpost::retry {

// What an outcome says about the destination.
enum class Verdict : std::uint8_t {
  well,
  ill,
  content,  // it refused what was in this request; another one may please it
};

[[nodiscard]] Verdict verdict_of(const Outcome& outcome);

class Breaker final {
 public:
  enum class Change : std::uint8_t { none, paused, recovered };

  // When the next attempt may begin: at once (`now`), at the end of the pause, or never while the
  // probe is under way (Instant::max()).
  [[nodiscard]] Instant earliest(Instant now) const;

  void note_start(Instant now);
  [[nodiscard]] Change note_end(Verdict verdict, Instant started, Instant now);
  // The attempt begun then came to nothing: no request was made.
  void note_abandoned(Instant started);

  // It was paused when this process began: the next attempt is the probe.
  void begin_paused(Instant now);

  // Somebody says that the destination is well.
  void resume() { *this = Breaker(); }

  [[nodiscard]] bool is_paused() const { return pause_ > Duration::zero(); }
  [[nodiscard]] Instant paused_until() const { return paused_until_; }

 private:
  [[nodiscard]] bool is_probe(Instant started) const {
    return is_probing_ && started >= probe_started_;
  }
  [[nodiscard]] Change note_end_while_paused(Verdict verdict, Instant started, Instant now);

  std::uint32_t failures_count_ = 0;  // in a row
  Duration pause_{};                  // zero: not paused
  Instant paused_until_{};
  Instant probe_started_{};
  bool is_probing_ = false;
};

}  // namespace eilpost::retry
