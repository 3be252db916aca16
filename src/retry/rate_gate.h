#pragma once
// A destination's rate limit: never more than so many attempts begun in any stretch of time of so
// long.
//
// Limits:  at most 4 KiB; nothing without a limit. Of a limit above kGroupsMax requests, those
// begun
//          one after another are counted in groups and forgotten together, a little late. A restart
//          forgets what was begun before it.
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
  static constexpr std::uint32_t kGroupsMax = 256;

  // What was begun already counts for the new limit, as far as the old one knew it.
  void set(const Rate& rate);

  // When the next attempt may begin: `now` or later.
  [[nodiscard]] Instant earliest(Instant now) const;
  void note_start(Instant now);

 private:
  struct Group {
    Instant last;  // start
    std::uint32_t count = 0;
  };

  void forget_oldest();

  Rate rate_;
  std::vector<Group> groups_;  // oldest first; without the first one there is room
  std::uint32_t count_ = 0;    // of all groups
};

}  // namespace eilpost::retry
