// Goal: a user's deliveries go in accept order, one at a time, and a failing one holds them for an
//       hour and no longer.

#include "pipeline/user_lines.h"

#include <gtest/gtest.h>

#include "model/limits.h"

namespace eilpost::pipeline {
namespace {

using namespace std::chrono_literals;

Due make_due(std::uint64_t number, std::uint32_t user) {
  return {.id = {.sequence = {.value = number}}, .user = user};
}

class UserLinesTest : public testing::Test {
 protected:
  bool admit(std::uint64_t number, std::uint32_t user = 1) {
    Due due = make_due(number, user);
    return lines_.admit(due);
  }
  // The number of the next, or 0.
  std::uint64_t leave(std::uint64_t number, std::uint32_t user = 1) {
    const auto next = lines_.leave(make_due(number, user));
    return next ? next->id.sequence.value : 0;
  }
  void fail(std::uint64_t number, Instant now) {
    Due due = make_due(number, 1);
    EXPECT_TRUE(lines_.note_failed(due, now));
  }
  std::vector<std::uint64_t> release(Instant now) {
    std::vector<std::uint64_t> numbers;
    for (const Due& due : lines_.release(now)) numbers.push_back(due.id.sequence.value);
    return numbers;
  }

  Instant now_{1000s};
  UserLines lines_;
};

TEST_F(UserLinesTest, OneOfAUserGoesAtATimeInAcceptOrder) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(3));
  EXPECT_FALSE(admit(2));
  EXPECT_TRUE(admit(9, 2));
  EXPECT_EQ(lines_.size(), 2U);
  EXPECT_EQ(leave(1), 2U);
  EXPECT_EQ(leave(1), 0U);  // It has the line no more.
  EXPECT_FALSE(admit(4));
  EXPECT_EQ(leave(2), 3U);
  EXPECT_EQ(leave(3), 4U);
  EXPECT_EQ(leave(4), 0U);
  EXPECT_TRUE(admit(5));
}

TEST_F(UserLinesTest, WithoutAUserNothingWaits) {
  EXPECT_TRUE(admit(1, 0));
  EXPECT_TRUE(admit(2, 0));
  EXPECT_EQ(leave(1, 0), 0U);
  EXPECT_EQ(lines_.size(), 0U);
}

TEST_F(UserLinesTest, FailingOneIsTriedAgainBeforeTheOthers) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(2));
  fail(1, now_);
  EXPECT_TRUE(admit(1));
  EXPECT_EQ(leave(1), 2U);
}

TEST_F(UserLinesTest, FailingOneHoldsTheOthersForAnHour) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(2));
  EXPECT_FALSE(admit(3));
  fail(1, now_);
  fail(1, now_ + 30min);  // From the first failure on.
  ASSERT_EQ(lines_.next_release(), now_ + limits::kOrderingHoldMax);
  EXPECT_TRUE(release(now_ + limits::kOrderingHoldMax - 1ms).empty());
  EXPECT_EQ(release(now_ + limits::kOrderingHoldMax), (std::vector<std::uint64_t>{2}));
  EXPECT_FALSE(lines_.next_release().has_value());
  EXPECT_FALSE(admit(1));  // It waits for its turn like the others, at its old place.
  EXPECT_EQ(leave(2), 1U);
  EXPECT_EQ(leave(1), 3U);
}

TEST_F(UserLinesTest, OneThatHeldTheOthersForAnHourHoldsThemNoMore) {
  Due failing = make_due(1, 1);
  EXPECT_TRUE(lines_.admit(failing));
  EXPECT_TRUE(lines_.note_failed(failing, now_));
  EXPECT_TRUE(lines_.note_failed(failing, now_ + limits::kOrderingHoldMax - 1ms));
  EXPECT_FALSE(lines_.note_failed(failing, now_ + limits::kOrderingHoldMax));
}

TEST_F(UserLinesTest, AnHourPassesForTheOneThatFailsOnly) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(2));
  EXPECT_FALSE(admit(3));
  fail(1, now_);
  EXPECT_EQ(leave(1), 2U);
  EXPECT_TRUE(release(now_ + 2h).empty());
  EXPECT_EQ(leave(2), 3U);
}

TEST_F(UserLinesTest, OneThatIsTriedWhenTheHourIsOverKeepsTheLineUntilItFails) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(2));
  Due failing = make_due(1, 1);
  EXPECT_TRUE(lines_.note_failed(failing, now_));
  EXPECT_TRUE(admit(1));  // Its time has come.
  EXPECT_TRUE(release(now_ + limits::kOrderingHoldMax).empty());
  EXPECT_FALSE(admit(3));
  EXPECT_FALSE(lines_.note_failed(failing, now_ + limits::kOrderingHoldMax + 1s));
  EXPECT_EQ(leave(1), 2U);
}

TEST_F(UserLinesTest, OfThoseThatFailedBeforeEachWaitsForTheEarlierOnes) {
  for (const std::uint64_t number : {1U, 2U, 4U}) lines_.claim_again(make_due(number, 1));
  EXPECT_FALSE(admit(3));
  EXPECT_FALSE(admit(2));  // Its time has come first.
  EXPECT_EQ(leave(1), 2U);
  EXPECT_EQ(leave(2), 3U);
  EXPECT_EQ(leave(3), 0U);
  EXPECT_FALSE(admit(5));
  EXPECT_TRUE(admit(4));
  EXPECT_EQ(leave(4), 5U);
}

TEST_F(UserLinesTest, OneThatMayGoKeepsItsLine) {
  EXPECT_TRUE(admit(1));
  lines_.claim_again(make_due(2, 1));
  EXPECT_FALSE(admit(3));
  fail(2, now_);
  EXPECT_EQ(leave(1), 0U);  // Now the one that failed has it.
  EXPECT_FALSE(admit(4));
  EXPECT_TRUE(release(now_ + limits::kOrderingHoldMax - 1s).empty());
  EXPECT_EQ(release(now_ + limits::kOrderingHoldMax), (std::vector<std::uint64_t>{3}));
}

TEST_F(UserLinesTest, OneThatFailedIsNotWaitedForWhenItsHourIsOver) {
  EXPECT_TRUE(admit(1));
  lines_.claim_again(make_due(2, 1));
  EXPECT_FALSE(admit(3));
  fail(2, now_);
  EXPECT_TRUE(release(now_ + limits::kOrderingHoldMax).empty());
  EXPECT_EQ(leave(1), 3U);
}

TEST_F(UserLinesTest, OneThatFailedWaitsInLineWhenItsTimeComesFirst) {
  EXPECT_TRUE(admit(1));
  lines_.claim_again(make_due(2, 1));
  EXPECT_FALSE(admit(3));
  EXPECT_FALSE(admit(2));
  EXPECT_EQ(leave(1), 2U);
  EXPECT_EQ(leave(2), 3U);
}

TEST_F(UserLinesTest, WithoutLinesEverythingBeginsAnew) {
  EXPECT_TRUE(admit(1));
  EXPECT_FALSE(admit(2));
  fail(1, now_);
  EXPECT_EQ(lines_.take_waiting().size(), 1U);
  lines_.forget_lines();
  EXPECT_FALSE(lines_.next_release().has_value());
  EXPECT_TRUE(admit(2));
}

TEST_F(UserLinesTest, AllThatWaitAreTakenInAcceptOrder) {
  EXPECT_TRUE(admit(1, 1));
  EXPECT_TRUE(admit(2, 2));
  for (const std::uint64_t number : {9U, 3U, 7U}) EXPECT_FALSE(admit(number, 1));
  for (const std::uint64_t number : {8U, 4U}) EXPECT_FALSE(admit(number, 2));
  lines_.erase_if([](const Due& due) { return due.id.sequence.value == 7; });
  EXPECT_EQ(lines_.size(), 4U);
  std::vector<std::uint64_t> numbers;
  for (const Due& due : lines_.take_waiting()) numbers.push_back(due.id.sequence.value);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{3, 4, 8, 9}));
  EXPECT_EQ(lines_.size(), 0U);
  EXPECT_FALSE(admit(9, 1));  // 1 has the line.
  EXPECT_EQ(leave(1), 9U);
}

}  // namespace
}  // namespace eilpost::pipeline
