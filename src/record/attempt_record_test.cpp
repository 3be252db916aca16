#include "record/attempt_record.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace eilpost::record {
namespace {

using namespace std::chrono_literals;

TEST(AttemptRecord, KeepsAKibibyteOfASuccessAndSixteenOfAFailure) {
  const std::string answer(20'000, 'x');
  EXPECT_EQ(make_attempt({}, {.success = true, .answer = answer}, {}).outcome.answer.size(), 1024U);
  EXPECT_EQ(make_attempt({}, {.status = 500, .answer = answer}, {}).outcome.answer.size(), 16384U);
}

TEST(AttemptRecord, CutsBetweenCharacters) {
  std::string answer(1023, 'x');
  answer += "ü and more";
  const Attempt attempt = make_attempt({}, {.success = true, .answer = answer}, {});
  EXPECT_EQ(attempt.outcome.answer, std::string(1023, 'x'));
}

TEST(AttemptRecord, RepeatsTheFactsAndHashesTheBody) {
  const Attempt attempt =
      make_attempt({.delivery = {.sequence = Position{7}, .ordinal = 2},
                    .number = 3,
                    .ended_at = WallTime(1'000ms),
                    .duration = 1'999'999ns,
                    .webhook_version = 4,
                    .destination_version = 5,
                    .body_hash = hash64("{}")},
                   {.status = 204, .success = true}, {.state = DeliveryState::delivered});
  EXPECT_EQ(attempt.delivery, (DeliveryId{.sequence = Position{7}, .ordinal = 2}));
  EXPECT_EQ(attempt.number, 3);
  EXPECT_EQ(attempt.started_at, WallTime(999ms));
  EXPECT_EQ(attempt.duration, 1ms);
  EXPECT_EQ(attempt.webhook_version, 4U);
  EXPECT_EQ(attempt.destination_version, 5U);
  EXPECT_EQ(attempt.body_hash, hash64("{}"));
  EXPECT_EQ(attempt.next.state, DeliveryState::delivered);
}

}  // namespace
}  // namespace eilpost::record
