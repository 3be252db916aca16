#include "store/tail.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "store/records.h"
#include "store/test_events.h"

namespace eilpost::store {
namespace {

class TailTest : public testing::Test {
 protected:
  // A frame of `count` records, `bytes` more than a record needs.
  void add(std::size_t count, std::size_t bytes = 0) {
    std::vector<Bytes> records(count);
    std::vector<ByteView> views;
    std::vector<Position> positions;
    for (Bytes& record : records) {
      Attempt attempt = make_attempt({.sequence = {.value = 7}});
      attempt.outcome.answer.assign(bytes, 'x');
      encode_attempt(attempt, record);
      views.emplace_back(record);
      positions.push_back({.value = end_.value + positions.size()});
    }
    const Position begin = end_;
    end_.value += 100;
    tail_.add(begin, end_, views, positions);
  }

  static constexpr std::size_t kBytesMax = 64UL * 1024;

  Tail tail_{kBytesMax};
  Position end_{.value = 100};
};

TEST_F(TailTest, WhatWasAddedIsTakenInOrderAndMayBeTakenAgain) {
  add(2);
  add(1);
  for (int i = 0; i < 2; ++i) {
    const auto followed = tail_.take({.value = 100}, 1'000'000);
    ASSERT_TRUE(followed.has_value());
    ASSERT_EQ(followed->records.size(), 3U);
    EXPECT_EQ(followed->records[1].position, Position{.value = 101});
    EXPECT_EQ(followed->next, end_);
    EXPECT_TRUE(std::holds_alternative<Attempt>(to_entry(followed->records[2])));
  }
}

TEST_F(TailTest, NothingIsTakenAtTheEnd) {
  add(1);
  const auto followed = tail_.take(end_, 1000);
  ASSERT_TRUE(followed.has_value());
  EXPECT_TRUE(followed->records.empty());
  EXPECT_EQ(followed->next, end_);
}

TEST_F(TailTest, WhatLiesBeforeItIsToBeReadFromTheDisk) {
  EXPECT_FALSE(tail_.take(end_, 1000).has_value());
  const Position begin = end_;
  add(1);
  EXPECT_FALSE(tail_.take({.value = 50}, 1000).has_value());
  add(1);
  ASSERT_TRUE(tail_.take({.value = 200}, 1000).has_value());
  EXPECT_FALSE(tail_.take(begin, 1000).has_value());  // It was forgotten.
}

TEST_F(TailTest, TakesAboutAsMuchAsIsAsked) {
  add(1, 1000);
  add(1, 1000);
  add(1, 1000);
  const auto followed = tail_.take({.value = 100}, 1500);
  ASSERT_TRUE(followed.has_value());
  EXPECT_EQ(followed->records.size(), 2U);
  EXPECT_EQ(followed->next, Position{.value = 300});
}

TEST_F(TailTest, HoldsNoMoreThanItsLimit) {
  const Position begin = end_;
  for (std::size_t i = 0; i < 9; ++i) add(1, kBytesMax / 8);
  EXPECT_FALSE(tail_.take(begin, 1000).has_value());
  EXPECT_TRUE(tail_.take({.value = end_.value - 100}, 1000).has_value());
}

TEST_F(TailTest, CarriedRecordsAreLeftOut) {
  const Accept accept = make_accept(make_event(1));
  Bytes accepted;
  encode_accepted(accept, accepted);
  Record record;
  ASSERT_TRUE(decode_record(accepted, record));
  Bytes carried;
  encode_carried(record.event, carried);
  const std::vector<ByteView> records{carried, accepted};
  const std::vector<Position> positions{{.value = 100}, {.value = 150}};
  tail_.add({.value = 100}, {.value = 200}, records, positions);
  const auto followed = tail_.take({.value = 100}, 1000);
  ASSERT_TRUE(followed.has_value());
  ASSERT_EQ(followed->records.size(), 1U);
  EXPECT_EQ(followed->records[0].position, Position{.value = 150});
}

}  // namespace
}  // namespace eilpost::store
