#pragma once
// A destination's rate limit: never more than so many attempts begun in any stretch of time of so
// long.
//
// Limits:  8 bytes a request of the limit; nothing without one. A restart forgets what was begun
//          before it.
// Threads: one.

#include <cstdint>
#include <vector>

#include "base/time.h"

namespace eilpost::retry {

struct Rate {
  std::uint32_t requests = 0;  // 0: no limit
  Duration per{};

  friend bool operator==(const Rate&, const Rate&) = default;
};

class RateGate final {
 public:
  // What was begun already counts for the new limit, as far as the old one knew it.
  void set(const Rate& rate);

  // When the next attempt may begin: `now` or later.
  [[nodiscard]] Instant earliest(Instant now) const;
  void note_start(Instant now);

 private:
  Rate rate_;
  std::vector<Instant> starts_;  // the last ones; a ring once it is full
  std::size_t oldest_ = 0;
};

}  // namespace eilpost::retry
