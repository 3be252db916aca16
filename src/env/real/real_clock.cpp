#include "env/real/real_clock.h"

#include <chrono>

namespace eilpost::env {
namespace {

// Whose turn this thread is running.
thread_local const RealClock* turn_clock = nullptr;

Instant steady_now() {
  return Instant(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

Instant RealClock::now() const {
  return turn_clock == this ? turn_now_ : steady_now();
}

WallTime RealClock::wall_now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return WallTime(std::chrono::floor<WallClock::duration>(since_epoch));
}

void RealClock::begin_turn() {
  turn_now_ = steady_now();
  turn_clock = this;
}

void RealClock::end_turn() {
  turn_clock = nullptr;
}

}  // namespace eilpost::env
