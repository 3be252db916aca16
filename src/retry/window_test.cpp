#include "retry/window.h"

#include <gtest/gtest.h>

namespace eilpost::retry {
namespace {

using namespace std::chrono_literals;

const Outcome kSuccess{.kind = OutcomeKind::answered, .status = 200, .success = true};

Outcome answered(std::uint16_t status) {
  return {.kind = OutcomeKind::answered, .status = status};
}

class WindowTest : public testing::Test {
 protected:
  void end(const Outcome& outcome, int count = 1) {
    for (int i = 0; i < count; ++i) window_.note_end(outcome, 16, now_, now_);
  }
  // A window of attempts under way that end so.
  void end_window(const Outcome& outcome) {
    const auto size = static_cast<int>(window_.size(16));
    const Instant started = now_;
    now_ += 1s;
    for (int i = 0; i < size; ++i) window_.note_end(outcome, 16, started, now_);
    now_ += 1s;
  }

  Window window_;
  Instant now_{100s};
};

TEST_F(WindowTest, IsTheConcurrencyAtFirst) {
  EXPECT_EQ(window_.size(16), 16U);
  EXPECT_EQ(window_.size(1000), 1000U);
}

TEST_F(WindowTest, IsHalvedOnceForAllThatWereUnderWay) {
  end_window(answered(429));
  EXPECT_EQ(window_.size(16), 8U);
  end_window(answered(503));
  EXPECT_EQ(window_.size(16), 4U);
}

TEST_F(WindowTest, APlatformMayComplainInItsOwnWay) {
  end_window(answered(403));
  EXPECT_EQ(window_.size(16), 16U);
  window_.set_complaints({403});
  end_window(answered(403));
  EXPECT_EQ(window_.size(16), 8U);
  end_window(answered(429));
  EXPECT_EQ(window_.size(16), 4U);
  window_.open_fully();
  EXPECT_EQ(window_.size(16), 16U);
}

TEST_F(WindowTest, IsNeverLessThanOne) {
  for (int i = 0; i < 20; ++i) end_window(answered(429));
  EXPECT_EQ(window_.size(16), 1U);
}

TEST_F(WindowTest, GrowsByOneAWindowAfterAComplaint) {
  end_window(answered(429));
  for (std::uint32_t size = 8; size < 16; ++size) {
    ASSERT_EQ(window_.size(16), size);
    end_window(kSuccess);
    end(kSuccess);  // Sums of 1/size fall short of one by a little.
  }
  EXPECT_EQ(window_.size(16), 16U);
}

TEST_F(WindowTest, DoublesAfterAPause) {
  window_.open_slowly();
  for (const std::uint32_t size : {1U, 2U, 4U, 8U, 16U}) {
    ASSERT_EQ(window_.size(16), size);
    end_window(kSuccess);
  }
  EXPECT_EQ(window_.size(1000), 1000U);  // Open for good: a larger concurrency holds at once.
}

TEST_F(WindowTest, OtherFailuresAreTheBreakers) {
  for (const std::uint16_t status :
       std::initializer_list<std::uint16_t>{400, 401, 404, 500, 502, 504})
    end(answered(status));
  end({.kind = OutcomeKind::timeout});
  EXPECT_EQ(window_.size(16), 16U);
}

}  // namespace
}  // namespace eilpost::retry
