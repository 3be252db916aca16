// Goal:   a disk that is full stops ingest and nothing else, loses nothing, and is got over.
// Method: a Store on a simulated disk with no byte left.

#include <gtest/gtest.h>

#include "model/limits.h"
#include "store/store_fixture_for_test.h"

namespace eilpost::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

using StoreDiskTest = StoreTest;

TEST_F(StoreDiskTest, FullDiskRefusesEventsAndSettlesDeliveries) {
  constexpr std::uint64_t kEvents = 100;
  std::vector<DeliveryId> owed;
  owed.reserve(kEvents);
  for (std::uint64_t i = 0; i < kEvents; ++i) owed.push_back({.sequence = accept_one(i)});
  env_.advance(seconds(1));
  env_.directory().set_capacity_bytes(env_.directory().used_bytes());
  std::uint64_t number = 1000;
  while (accept(one(number)).status == AcceptStatus::durable) {
    ASSERT_LT(++number, 2000U);
  }
  EXPECT_TRUE(store_->usage().is_full);
  for (const DeliveryId id : owed) store_->record(make_attempt(id));
  flush();
  EXPECT_EQ(store_->unsettled_count(), number - 1000);
  EXPECT_EQ(accept(one(number)).status, AcceptStatus::full);
  EXPECT_TRUE(store_->usage().is_full);
  // Space is back.
  env_.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  env_.advance(seconds(2));
  const Accepted again = accept(one(number));
  EXPECT_EQ(again.status, AcceptStatus::durable);
  EXPECT_TRUE(again.sequences.at(0).has_value()) << "A refused id is not known.";
  EXPECT_FALSE(store_->usage().is_full);
  crash();
  EXPECT_EQ(unsettled().size(), number - 1000 + 1);
}

TEST_F(StoreDiskTest, NotesWaitInMemoryWhenEvenTheReserveIsUsedUp) {
  const DeliveryId id{.sequence = accept_one(1)};
  env_.advance(seconds(1));
  env_.directory().set_capacity_bytes(env_.directory().used_bytes());
  Attempt attempt = make_attempt(id, DeliveryState::retrying);
  attempt.outcome.answer = std::string(10'000, 'a');
  for (std::uint16_t i = 1; i <= 40; ++i) {  // 400 kB into four segments of 64 kB
    attempt.number = i;
    store_->record(attempt);
    env_.advance(milliseconds(50));
  }
  bool is_flushed = false;
  store_->flush(env_.lane(0), [&] { is_flushed = true; });
  env_.advance(seconds(10));
  EXPECT_FALSE(is_flushed);
  env_.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  env_.advance(seconds(5));
  EXPECT_TRUE(is_flushed);
  crash();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].attempts_count, 40);
}

// Small records may still fit where larger ones before them do not: they wait all the same.
TEST_F(StoreDiskTest, FlushOnAFullDiskWaitsForAllThatWasRecordedBefore) {
  const DeliveryId large{.sequence = accept_one(1)};
  const DeliveryId small{.sequence = accept_one(2)};
  env_.advance(seconds(1));
  env_.directory().set_capacity_bytes(env_.directory().used_bytes());
  Attempt first = retrying(small, 1);
  first.outcome.answer = std::string(6'000, 'a');
  store_->record(first);
  flush();
  std::uint16_t flushed_count = 0;
  bool is_flushed = true;
  for (std::uint16_t number = 1; is_flushed && number < 100; ++number) {
    Attempt attempt = retrying(large, number);
    attempt.outcome.answer = std::string(15'000, 'a');
    for (int i = 0; i < 4; ++i) store_->record(attempt);  // a frame that nearly fills a segment
    attempt = retrying(small, number);
    attempt.outcome.answer = std::string(6'000, 'a');
    store_->record(attempt);
    is_flushed = false;
    store_->flush(env_.lane(0), [&] { is_flushed = true; });
    env_.advance(milliseconds(100));
    if (is_flushed) flushed_count = number;
  }
  EXPECT_FALSE(is_flushed);
  EXPECT_GT(flushed_count, 0);
  crash();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 2U);
  EXPECT_EQ(owed[0].attempts_count, flushed_count);
  EXPECT_EQ(owed[1].attempts_count, flushed_count);
}

// The ids must be in a file before the journal is trimmed, and the disk has no byte for it. The
// order of what the helper does decides too: space is wanted all the time, and not to be had.
TEST_F(StoreDiskTest, FullDiskIsGotOverByTrimmingWhatIsSettledAndFollowed) {
  fill_disk(4 * options_.segment_bytes);
  settle_all();
  flush();
  store_->followed_until({.value = UINT64_MAX});
  env_.advance(seconds(10));  // No request comes that could find out.
  EXPECT_FALSE(store_->usage().is_full);
  EXPECT_EQ(accept(one(5000)).status, AcceptStatus::durable);
  EXPECT_FALSE(accept(one(0)).sequences.at(0).has_value()) << "Trimming forgets no id.";
}

// A destination that is down may be owed a little in every segment.
TEST_F(StoreDiskTest, FullDiskIsGotOverThoughALittleIsOwedEverywhere) {
  fill_disk(5 * options_.segment_bytes);
  env_.advance(seconds(2));  // The ids go to a file.
  std::size_t owed_count = 0;
  for (std::size_t i = 0; i < accepted_.size(); ++i) {
    if (i % 50 == 0) {
      ++owed_count;
    } else {
      store_->record(make_attempt({.sequence = accepted_[i]}));
    }
  }
  flush();
  store_->followed_until({.value = UINT64_MAX});
  env_.advance(seconds(10));
  EXPECT_FALSE(store_->usage().is_full);
  EXPECT_EQ(accept(one(5000, 0)).status, AcceptStatus::durable);
  crash();
  EXPECT_EQ(unsettled().size(), owed_count);
}

TEST_F(StoreDiskTest, FullDiskWakesTheFollowerAgainAndAgain) {
  fill_disk();
  int wakes_count = 0;
  store_->on_more([&] { ++wakes_count; });
  env_.advance(seconds(10));
  EXPECT_GE(wakes_count, 5);
  store_->on_more({});
}

TEST_F(StoreDiskTest, FullDiskIsKnownAfterARestart) {
  fill_disk();
  settle_all();
  flush();
  crash(env::Crash::process_killed);
  env_.advance(seconds(3));
  EXPECT_TRUE(store_->is_full());
  EXPECT_TRUE(store_->usage().is_full);
  env_.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  env_.advance(seconds(3));
  EXPECT_FALSE(store_->is_full());
}

TEST_F(StoreDiskTest, RepeatsAloneDoNotEndAFullDisk) {
  fill_disk();
  EXPECT_EQ(accept(one(0)).status, AcceptStatus::durable);
  EXPECT_TRUE(store_->is_full());
}

TEST_F(StoreDiskTest, OwesBetweenSeesTheOldestThatIsOwed) {
  const Position first = accept_one(1);
  const Position second = accept_one(2, 2);
  const Position third = accept_one(3);
  store_->record(make_attempt({.sequence = second, .ordinal = 0}));
  flush();
  EXPECT_TRUE(store_->owes_between({}, second));
  EXPECT_FALSE(store_->owes_between({}, first));
  EXPECT_TRUE(store_->owes_between(second, third));
  store_->record(make_attempt({.sequence = second, .ordinal = 1}));
  flush();
  EXPECT_FALSE(store_->owes_between(second, third));
  EXPECT_TRUE(store_->owes_between(second, {.value = UINT64_MAX}));
  store_->record(make_attempt({.sequence = third}));
  flush();
  EXPECT_FALSE(store_->owes_between(second, {.value = UINT64_MAX}));
}

TEST_F(StoreDiskTest, DiskBytesAreThoseOfTheFiles) {
  for (std::uint64_t i = 0; i < 800; ++i) {
    store_->record(make_attempt({.sequence = accept_one(i)}));
  }
  env_.advance(hours(2));
  store_->followed_until({.value = UINT64_MAX});
  (void)accept_one(5001);
  env_.advance(seconds(5));
  const auto expect_right = [this] {
    std::uint64_t bytes = 0;
    for (const auto& [path, content] : env_.directory().image()) bytes += content.size();
    EXPECT_GT(store_->disk_bytes() + 4096, bytes);
    // The first segment grows as it is written, and stands for a whole one.
    EXPECT_LE(store_->disk_bytes(), bytes + options_.segment_bytes + 4096);
    EXPECT_EQ(store_->usage().disk_bytes, store_->disk_bytes());
  };
  expect_right();
  reopen();
  expect_right();
}

TEST_F(StoreDiskTest, JournalIsKeptShortWhenRoomIsWanted) {
  for (std::uint64_t i = 0; i < 1000; ++i) {
    store_->record(make_attempt({.sequence = accept_one(i)}));
  }
  store_->followed_until({.value = UINT64_MAX});
  (void)accept_one(5000);
  env_.advance(seconds(5));
  EXPECT_GT(store_->usage().segments_count, 8U) << "The ids wait for an hour.";
  store_->want_room(true);
  env_.advance(seconds(5));
  EXPECT_LE(store_->usage().segments_count, 2U);
  EXPECT_FALSE(accept(one(3)).sequences.at(0).has_value()) << "Trimming forgets no id.";
}

TEST_F(StoreDiskTest, WhatWaitsForSpaceInMemoryIsBounded) {
  const DeliveryId id{.sequence = accept_one(1)};
  env_.advance(seconds(1));
  env_.directory().set_capacity_bytes(env_.directory().used_bytes());
  Attempt attempt = make_attempt(id, DeliveryState::retrying);
  attempt.outcome.answer = std::string(16'000, 'a');
  std::size_t bytes = 0;
  while (!store_->is_behind() && bytes < 2 * limits::kDeferredBytesMax) {
    for (int i = 0; i < 10; ++i, bytes += attempt.outcome.answer.size()) store_->record(attempt);
    env_.advance(milliseconds(50));
  }
  EXPECT_LT(bytes, limits::kDeferredBytesMax + (1U << 20U));
  EXPECT_GT(bytes, limits::kDeferredBytesMax);
  env_.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  env_.advance(seconds(3));
  EXPECT_FALSE(store_->is_behind());
}

}  // namespace
}  // namespace eilpost::store
