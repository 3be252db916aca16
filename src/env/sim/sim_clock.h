#pragma once
// Virtual time: stands still until somebody moves it.

#include "base/assert.h"
#include "env/clock.h"

namespace eilpost::env {

// 2026-11-24T09:00:00Z.
inline constexpr WallTime kSimWallStart{std::chrono::milliseconds(1'795'510'800'000)};

// Threads: one.
class SimClock final : public Clock {
 public:
  explicit SimClock(WallTime start = kSimWallStart) : wall_start_(start) {}

  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return wall_start_ + std::chrono::floor<WallClock::duration>(now_ - kStart);
  }

  // Runs nothing: timers are run by SimEnv::advance(). REQUIRES: step >= 0.
  void advance(Duration step) {
    EILPOST_ASSERT(step >= Duration::zero());
    now_ += step;
  }

  // Sets the calendar forward or back, as an administrator or NTP would.
  void jump_wall(std::chrono::milliseconds step) { wall_start_ += step; }

 private:
  // Not zero, so that an Instant that nobody set is not by chance the present.
  static constexpr Instant kStart{std::chrono::hours(1)};

  WallTime wall_start_;
  Instant now_ = kStart;
};

}  // namespace eilpost::env
