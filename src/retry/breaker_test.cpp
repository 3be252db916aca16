#include "retry/breaker.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace eilpost::retry {
namespace {

using namespace std::chrono_literals;
using Change = Breaker::Change;

class BreakerTest : public testing::Test {
 protected:
  Change fail() {
    breaker_.note_start(now_);
    return breaker_.note_end(Verdict::ill, now_, now_);
  }
  void pause() {
    for (std::uint32_t i = 0; i + 1 < limits::kBreakerFailures; ++i) {
      ASSERT_EQ(fail(), Change::none);
    }
    ASSERT_EQ(fail(), Change::paused);
  }

  Breaker breaker_;
  Instant now_{100s};
};

TEST_F(BreakerTest, OneThatBeginsPausedSendsTheProbeAtOnce) {
  breaker_.begin_paused(now_);
  EXPECT_TRUE(breaker_.is_paused());
  EXPECT_EQ(breaker_.earliest(now_), now_);
  breaker_.note_start(now_);
  EXPECT_EQ(breaker_.earliest(now_), Instant::max());
  EXPECT_EQ(breaker_.note_end(Verdict::ill, now_, now_), Change::none);
  EXPECT_EQ(breaker_.paused_until(), now_ + 2 * limits::kBreakerPauseMin);
  now_ = breaker_.paused_until();
  breaker_.note_start(now_);
  EXPECT_EQ(breaker_.note_end(Verdict::well, now_, now_), Change::recovered);
}

TEST_F(BreakerTest, TenFailuresInARowPauseForAMinute) {
  pause();
  EXPECT_TRUE(breaker_.is_paused());
  EXPECT_EQ(breaker_.earliest(now_), now_ + 1min);
  EXPECT_EQ(breaker_.earliest(now_ + 2min), now_ + 2min);
}

TEST_F(BreakerTest, ASuccessBetweenBeginsTheRowAnew) {
  for (int i = 0; i < 9; ++i) ASSERT_EQ(fail(), Change::none);
  ASSERT_EQ(breaker_.note_end(Verdict::well, now_, now_), Change::none);
  for (int i = 0; i < 9; ++i) ASSERT_EQ(fail(), Change::none);
  EXPECT_EQ(fail(), Change::paused);
}

TEST_F(BreakerTest, WhatTheContentCausesNeitherCountsNorEndsTheRow) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(breaker_.note_end(Verdict::content, now_, now_), Change::none);
  }
  for (int i = 0; i < 9; ++i) ASSERT_EQ(fail(), Change::none);
  ASSERT_EQ(breaker_.note_end(Verdict::content, now_, now_), Change::none);
  EXPECT_EQ(fail(), Change::paused);
}

TEST_F(BreakerTest, OneProbeIsLetThrough) {
  pause();
  now_ += 1min;
  ASSERT_EQ(breaker_.earliest(now_), now_);
  breaker_.note_start(now_);
  EXPECT_EQ(breaker_.earliest(now_ + 1h), Instant::max());
}

TEST_F(BreakerTest, PausesDoubleUpToAnHour) {
  pause();
  for (const Duration pause : {2min, 4min, 8min, 16min, 32min, 60min, 60min}) {
    now_ = breaker_.paused_until();
    ASSERT_EQ(fail(), Change::none);
    EXPECT_EQ(breaker_.earliest(now_), now_ + pause);
  }
}

TEST_F(BreakerTest, AProbeThatIsAnsweredEndsThePause) {
  for (const Verdict verdict : {Verdict::well, Verdict::content}) {
    breaker_.resume();
    pause();
    now_ = breaker_.paused_until();
    breaker_.note_start(now_);
    EXPECT_EQ(breaker_.note_end(verdict, now_, now_ + 1s), Change::recovered);
    EXPECT_EQ(breaker_.earliest(now_), now_);
    for (int i = 0; i < 9; ++i) ASSERT_EQ(fail(), Change::none);  // The row begins anew, too.
  }
}

TEST_F(BreakerTest, AnAttemptFromBeforeThePauseIsNoProbe) {
  const Instant before = now_;
  now_ += 1s;
  pause();
  now_ = breaker_.paused_until();
  breaker_.note_start(now_);
  EXPECT_EQ(breaker_.note_end(Verdict::ill, before, now_), Change::none);
  EXPECT_EQ(breaker_.note_end(Verdict::content, before, now_), Change::none);
  EXPECT_EQ(breaker_.earliest(now_), Instant::max());  // The probe is still under way.
  EXPECT_EQ(breaker_.note_end(Verdict::well, before, now_), Change::recovered);
}

TEST_F(BreakerTest, AnAbandonedProbeMakesRoomForAnother) {
  pause();
  now_ = breaker_.paused_until();
  breaker_.note_start(now_);
  breaker_.note_abandoned(now_ - 1s);  // It began before the probe.
  EXPECT_EQ(breaker_.earliest(now_), Instant::max());
  breaker_.note_abandoned(now_);
  EXPECT_EQ(breaker_.earliest(now_), now_);
}

TEST(Verdict, TellsContentFromDestination) {
  const auto answered = [](std::uint16_t status, bool success = false) {
    return verdict_of({.kind = OutcomeKind::answered, .status = status, .success = success});
  };
  EXPECT_EQ(answered(204, true), Verdict::well);
  for (const int status : {400, 405, 413, 414, 415, 422}) {
    EXPECT_EQ(answered(static_cast<std::uint16_t>(status)), Verdict::content) << status;
  }
  for (const int status : {200, 301, 401, 403, 404, 408, 429, 500, 503}) {
    EXPECT_EQ(answered(static_cast<std::uint16_t>(status)), Verdict::ill) << status;
  }
  EXPECT_EQ(verdict_of({.kind = OutcomeKind::render}), Verdict::content);
  EXPECT_EQ(verdict_of({.kind = OutcomeKind::timeout}), Verdict::ill);
}

}  // namespace
}  // namespace eilpost::retry
