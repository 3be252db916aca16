#pragma once
// The clocks of the machine.

#include "env/clock.h"

namespace eilpost::env {

// Threads: now() and wall_now() from any thread; begin_turn() and end_turn() from the loop's.
class RealClock final : public Clock {
 public:
  // Between begin_turn() and end_turn() the loop's own thread sees one instant; every other thread
  // sees the time that it is.
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] WallTime wall_now() const override;

  void begin_turn();
  void end_turn();

 private:
  Instant turn_now_{};
};

}  // namespace eilpost::env
