#include "retry/rate_gate.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace eilpost::retry {
namespace {

using namespace std::chrono_literals;

TEST(RateGate, WithoutALimitNothingWaits) {
  RateGate gate;
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(gate.earliest(Instant(5s)), Instant(5s));
    gate.note_start(Instant(5s));
  }
}

TEST(RateGate, AfterAsManyAsAllowedTheOldestMustBeOldEnough) {
  RateGate gate;
  gate.set({.requests = 2, .per = 1s});
  gate.note_start(Instant(5s));
  gate.note_start(Instant(5s + 300ms));
  EXPECT_EQ(gate.earliest(Instant(5s + 400ms)), Instant(6s));
  gate.note_start(Instant(6s));
  EXPECT_EQ(gate.earliest(Instant(6s)), Instant(6s + 300ms));
}

TEST(RateGate, ANewLimitKnowsWhatWasBegun) {
  RateGate gate;
  gate.set({.requests = 3, .per = 1s});
  for (const Duration at : {1s, 2s, 3s, 4s}) gate.note_start(Instant(at));
  gate.set({.requests = 1, .per = 10s});
  EXPECT_EQ(gate.earliest(Instant(5s)), Instant(14s));
  gate.set({.requests = 2, .per = 10s});
  EXPECT_EQ(gate.earliest(Instant(5s)), Instant(5s));  // Of two it knows one.
  gate.set({});
  EXPECT_EQ(gate.earliest(Instant(5s)), Instant(5s));
}

TEST(RateGate, ALargeLimitIsUsedUpWholeThoughItIsCountedInGroups) {
  constexpr std::uint32_t kRequests = 10 * RateGate::kGroupsMax - 1;
  RateGate gate;
  gate.set({.requests = kRequests, .per = 1s});
  for (std::uint32_t i = 0; i < kRequests; ++i) {
    ASSERT_EQ(gate.earliest(Instant(5s)), Instant(5s)) << i;
    gate.note_start(Instant(5s));
  }
  EXPECT_EQ(gate.earliest(Instant(5s)), Instant(6s));
}

TEST(RateGateProperty, NoStretchOfTimeHasMoreThanALargeLimit) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const auto requests = static_cast<std::uint32_t>(300 + random.below(2000));
    const Duration per = std::chrono::milliseconds(1 + random.below(2000));
    RateGate gate;
    gate.set({.requests = requests, .per = per});
    std::vector<Instant> starts;
    Instant now{};
    for (int i = 0; i < 10'000; ++i) {
      now += std::chrono::microseconds(random.below(1000));
      now = gate.earliest(now);
      gate.note_start(now);
      starts.push_back(now);
    }
    for (std::size_t i = requests; i < starts.size(); ++i) {
      ASSERT_GE(starts[i] - starts[i - requests], per) << "seed " << seed;
    }
  }
}

TEST(RateGateProperty, NoStretchOfTimeHasMoreThanAllowed) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const auto requests = static_cast<std::uint32_t>(1 + random.below(20));
    const Duration per = std::chrono::milliseconds(1 + random.below(2000));
    RateGate gate;
    gate.set({.requests = requests, .per = per});
    std::vector<Instant> starts;
    Instant now{};
    for (int i = 0; i < 100; ++i) {
      now += std::chrono::milliseconds(random.below(200));
      now = gate.earliest(now);
      gate.note_start(now);
      starts.push_back(now);
    }
    for (std::size_t i = requests; i < starts.size(); ++i) {
      ASSERT_GE(starts[i] - starts[i - requests], per) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace eilpost::retry
