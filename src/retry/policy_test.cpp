#include "retry/policy.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace eilpost::retry {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr WallTime kNow{1'764'000'000'000ms};

Outcome answered(std::uint16_t status) {
  return {.kind = OutcomeKind::answered, .status = status, .success = status / 100 == 2};
}

Situation after_attempt(std::uint16_t number) {
  return {.attempts_count = number, .ended_at = kNow, .accepted_at = kNow};
}

RetrySettings without_jitter() {
  return {.jitter = 0};
}

TEST(RetryPolicy, SuccessIsDelivered) {
  Random random(1);
  EXPECT_EQ(decide(answered(204), {}, after_attempt(1), random).state, DeliveryState::delivered);
}

TEST(RetryPolicy, DefaultScheduleIsTheOneOfTheSpecification) {
  Random random(1);
  const milliseconds expected[] = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
  std::uint16_t number = 1;
  for (const milliseconds delay : expected) {
    const Next next = decide(answered(500), without_jitter(), after_attempt(number), random);
    ASSERT_EQ(next.state, DeliveryState::retrying) << number;
    EXPECT_EQ(next.retry_at - kNow, delay) << number;
    ++number;
  }
  const Next last = decide(answered(500), without_jitter(), after_attempt(number), random);
  EXPECT_EQ(last.state, DeliveryState::failed);
  EXPECT_EQ(last.reason, FailReason::attempts_used_up);
}

TEST(RetryPolicy, EveryOutcomeButSuccessIsTriedAgain) {
  Random random(1);
  for (const OutcomeKind kind :
       {OutcomeKind::dns, OutcomeKind::connect, OutcomeKind::tls, OutcomeKind::timeout,
        OutcomeKind::reset, OutcomeKind::too_large, OutcomeKind::blocked_address,
        OutcomeKind::token, OutcomeKind::render}) {
    const Next next = decide({.kind = kind}, {}, after_attempt(1), random);
    EXPECT_EQ(next.state, DeliveryState::retrying) << static_cast<int>(kind);
  }
  EXPECT_EQ(decide(answered(302), {}, after_attempt(1), random).state, DeliveryState::retrying);
  EXPECT_EQ(decide(answered(404), {}, after_attempt(1), random).state, DeliveryState::retrying);
}

TEST(RetryPolicy, GoneFailsTheDeliveryAndDisablesTheDestination) {
  Random random(1);
  const Next next = decide(answered(410), {}, after_attempt(1), random);
  EXPECT_EQ(next.state, DeliveryState::failed);
  EXPECT_EQ(next.reason, FailReason::final_status);
  EXPECT_TRUE(next.disable_destination);
}

TEST(RetryPolicy, WhatIsFinalFailsAtOnceForItsReason) {
  Random random(1);
  for (const FailReason reason : {FailReason::final_status, FailReason::rejected}) {
    Outcome outcome = answered(400);
    outcome.final_reason = reason;
    const Next next = decide(outcome, {}, after_attempt(1), random);
    EXPECT_EQ(next.state, DeliveryState::failed);
    EXPECT_EQ(next.reason, reason);
    EXPECT_FALSE(next.disable_destination);
  }
}

TEST(RetryPolicy, RetryAfterLengthensButNeverShortens) {
  Random random(1);
  Outcome outcome = answered(429);
  outcome.retry_after = 1h;
  EXPECT_EQ(decide(outcome, without_jitter(), after_attempt(1), random).retry_at - kNow, 1h);
  EXPECT_EQ(decide(outcome, without_jitter(), after_attempt(4), random).retry_at - kNow, 2h);
}

TEST(RetryPolicy, RetryAfterIsCappedAtADay) {
  Random random(1);
  Outcome outcome = answered(503);
  outcome.retry_after = 24h * 365;
  EXPECT_EQ(decide(outcome, without_jitter(), after_attempt(1), random).retry_at - kNow, 24h);
}

TEST(RetryPolicy, WaitBeyondFiveDaysExpires) {
  Random random(1);
  Situation situation = after_attempt(9);
  situation.accepted_at = kNow - 24h * 4 - 1min;
  const Next next = decide(answered(500), without_jitter(), situation, random);
  EXPECT_EQ(next.state, DeliveryState::failed);
  EXPECT_EQ(next.reason, FailReason::expired);
  situation.accepted_at = kNow - 24h * 4;
  EXPECT_EQ(decide(answered(500), without_jitter(), situation, random).state,
            DeliveryState::retrying);
}

// Property: for every valid schedule, attempt and seed the wait lies within the jitter band.
TEST(RetryPolicyProperty, EveryDelayStaysInsideTheJitterBand) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    RetrySettings settings{.delays = {}, .jitter = static_cast<double>(random.below(101)) / 100};
    const std::uint64_t count = random.below(limits::kRetryDelaysMax + 1);
    for (std::uint64_t i = 0; i < count; ++i) {
      settings.delays.emplace_back(1 + random.below(7 * 24 * 3'600'000ULL));
    }
    for (std::uint16_t number = 1; number <= count; ++number) {
      const auto delay = delay_after(settings, number, random);
      ASSERT_TRUE(delay.has_value());
      const auto base = static_cast<double>(settings.delays[number - 1U].count());
      EXPECT_GE(static_cast<double>(delay->count()), base * (1 - settings.jitter) - 1);
      EXPECT_LE(static_cast<double>(delay->count()), base * (1 + settings.jitter) + 1);
    }
    EXPECT_FALSE(delay_after(settings, static_cast<std::uint16_t>(count + 1), random).has_value());
  }
}

}  // namespace
}  // namespace eilpost::retry
