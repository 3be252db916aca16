#include "store/store.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "env/sim/sim_env.h"
#include "store/journal_store.h"
#include "store/manifest.h"
#include "store/records.h"
#include "store/sim_journal.h"
#include "store/store_fixture_for_test.h"

namespace eilpost::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(StoreTest, AcceptedEventSurvivesPowerLoss) {
  const Position sequence = accept_one(1, 2);
  crash();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 2U);
  EXPECT_EQ(owed[0].delivery, (DeliveryId{.sequence = sequence, .ordinal = 0}));
  EXPECT_EQ(owed[1].delivery, (DeliveryId{.sequence = sequence, .ordinal = 1}));
  EXPECT_EQ(owed[1].owed.webhook, make_owed(1).webhook);
  const auto event = read(owed[1].delivery);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ((*event)->document, make_event(1, owed[0].accepted_at).document);
  EXPECT_TRUE(reports_.empty());
}

TEST_F(StoreTest, AnswerComesOnlyAfterTheSync) {
  bool is_answered = false;
  store_->accept(one(1), env_.lane(0), [&](const Accepted&) {
    is_answered = true;
    const env::SimDiskImage durable = env_.directory().durable_image();
    const bool is_there = std::ranges::any_of(durable, [](const auto& file) {
      return as_text(file.second).find("NPS Q4") != std::string_view::npos;
    });
    EXPECT_TRUE(is_there);
  });
  EXPECT_FALSE(is_answered);
  ASSERT_TRUE(env_.run_until([&] { return is_answered; }, seconds(1)));
}

TEST_F(StoreTest, RepeatIsRecognisedOnceAcrossRestarts) {
  const Position sequence = accept_one(1);
  EXPECT_EQ(accept(one(1)).sequences, (std::vector<std::optional<Position>>{std::nullopt}));
  crash();
  EXPECT_FALSE(accept(one(1)).sequences.at(0).has_value());
  reopen();
  EXPECT_FALSE(accept(one(1)).sequences.at(0).has_value());
  EXPECT_EQ(unsettled().size(), 1U);
  EXPECT_GT(accept_one(2), sequence);
}

TEST_F(StoreTest, RepeatWithinOneRequestIsRecognised) {
  std::vector<Accept> batch = one(1);
  batch.push_back(one(1).front());
  batch.push_back(one(2).front());
  const Accepted accepted = accept(std::move(batch));
  ASSERT_EQ(accepted.sequences.size(), 3U);
  EXPECT_TRUE(accepted.sequences[0].has_value());
  EXPECT_FALSE(accepted.sequences[1].has_value());
  EXPECT_TRUE(accepted.sequences[2].has_value());
}

TEST_F(StoreTest, SameIdOfAnotherSourceOrUserIsNoRepeat) {
  (void)accept_one(1);
  std::vector<Accept> batch = one(1);
  Event other_source = *batch[0].event;
  other_source.source = SourceId{77};
  Event other_user = *batch[0].event;
  other_user.user = "another";
  batch.clear();
  batch.push_back(make_accept(other_source));
  batch.push_back(make_accept(other_user));
  const Accepted accepted = accept(std::move(batch));
  EXPECT_TRUE(accepted.sequences.at(0).has_value());
  EXPECT_TRUE(accepted.sequences.at(1).has_value());
}

TEST_F(StoreTest, TwoRequestsAtOnceAreNotBothFirst) {
  int first_count = 0;
  int answers_count = 0;
  for (int i = 0; i < 5; ++i) {
    store_->accept(one(9), env_.lane(0), [&](const Accepted& accepted) {
      ++answers_count;
      first_count += accepted.sequences.at(0) ? 1 : 0;
    });
  }
  ASSERT_TRUE(env_.run_until([&] { return answers_count == 5; }, seconds(1)));
  EXPECT_EQ(first_count, 1);
}

TEST_F(StoreTest, ReplayIsNeverARepeat) {
  const Position sequence = accept_one(1);
  std::vector<Accept> batch = one(1);
  batch[0].replay_of = ReplayOf{.original = {.sequence = sequence}};
  EXPECT_TRUE(accept(batch).sequences.at(0).has_value());
  EXPECT_TRUE(accept(batch).sequences.at(0).has_value());
}

TEST_F(StoreTest, IdIsNewAgainAfterTheWindow) {
  (void)accept_one(1);
  for (int i = 0; i < 24; ++i) {
    env_.advance(hours(1));
    (void)accept_one(100 + static_cast<std::uint64_t>(i));
    if (i < 23) EXPECT_FALSE(accept(one(1)).sequences.at(0).has_value()) << i;
  }
  env_.advance(hours(1));
  (void)accept_one(200);
  env_.advance(hours(1));
  (void)accept_one(201);
  env_.advance(seconds(1));
  EXPECT_TRUE(accept(one(1)).sequences.at(0).has_value());
}

TEST_F(StoreTest, SettledDeliveryIsNotOwedAfterARestart) {
  const Position first = accept_one(1, 2);
  const Position second = accept_one(2);
  store_->record(make_attempt({.sequence = first, .ordinal = 0}));
  store_->record(Settled{.delivery = {.sequence = second}, .reason = FailReason::expired});
  flush();
  EXPECT_EQ(store_->unsettled_count(), 1U);
  crash();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].delivery, (DeliveryId{.sequence = first, .ordinal = 1}));
  EXPECT_EQ(read({.sequence = second}).error().code, ErrorCode::record_gone);
}

TEST_F(StoreTest, BatchIsKnownAfterPowerLossOnceItWasFlushed) {
  const DeliveryId first{.sequence = accept_one(1)};
  const DeliveryId second{.sequence = accept_one(2)};
  const DeliveryId third{.sequence = accept_one(3)};
  store_->record(Batched{.members = {first, third}});
  flush();
  crash();
  std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 3U);
  EXPECT_EQ(owed[0].batch.members_count, 2U);
  EXPECT_EQ(owed[1].delivery, second);
  EXPECT_FALSE(owed[1].batch.is_there());
  EXPECT_EQ(owed[2].batch, owed[0].batch);
  reopen();  // From a checkpoint.
  EXPECT_EQ(unsettled()[2].batch, owed[0].batch);
}

TEST_F(StoreTest, AttemptsOfABatchAreThereAllOrNone) {
  const DeliveryId first{.sequence = accept_one(1)};
  const DeliveryId second{.sequence = accept_one(2)};
  const std::vector<Attempt> attempts = {make_attempt(first), make_attempt(second)};
  const std::uint64_t frames_count = store_->usage().frames_count;
  store_->record(std::span(attempts));
  flush();
  EXPECT_EQ(store_->usage().frames_count, frames_count + 1);
  crash();
  EXPECT_TRUE(unsettled().empty());
}

TEST_F(StoreTest, NotesAreDurableAfterTheLazyDelay) {
  const Position sequence = accept_one(1);
  store_->record(retrying({.sequence = sequence}, 1));
  env_.advance(milliseconds(30));
  crash();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].attempts_count, 1);
  EXPECT_EQ(owed[0].state, DeliveryState::retrying);
  EXPECT_EQ(owed[0].next_attempt_at, env::kSimWallStart + seconds(300));
}

TEST_F(StoreTest, NoteAloneWaitsForTheLazyDelay) {
  const Position sequence = accept_one(1);
  env_.advance(seconds(1));
  const std::uint64_t frames_count = store_->usage().frames_count;
  store_->record(make_attempt({.sequence = sequence}, DeliveryState::retrying));
  env_.advance(milliseconds(15));
  EXPECT_EQ(store_->usage().frames_count, frames_count);
  (void)accept_one(2);  // It rides along.
  EXPECT_EQ(store_->usage().frames_count, frames_count + 1);
  env_.advance(seconds(1));
  EXPECT_EQ(store_->usage().frames_count, frames_count + 1);
}

TEST_F(StoreTest, RequestsThatWaitShareAFrame) {
  env_.advance(seconds(1));
  const std::uint64_t frames_count = store_->usage().frames_count;
  int answers_count = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    store_->accept(one(i), env_.lane(0), [&](const Accepted&) { ++answers_count; });
  }
  ASSERT_TRUE(env_.run_until([&] { return answers_count == 50; }, seconds(1)));
  EXPECT_LE(store_->usage().frames_count, frames_count + 2);
}

TEST_F(StoreTest, FollowerSeesEverythingInOrder) {
  const Position first = accept_one(1, 2);
  store_->record(make_attempt({.sequence = first}));
  store_->record(Settled{.delivery = {.sequence = first, .ordinal = 1}});
  const Position second = accept_one(2, 0);
  bool is_woken = false;
  store_->on_more([&] { is_woken = true; });
  const Result<Followed> followed = store_->follow({}, 1'000'000);
  ASSERT_TRUE(followed.has_value());
  const std::vector<Entry> entries = to_entries(*followed);
  ASSERT_EQ(entries.size(), 4U);
  const auto* accepted = std::get_if<AcceptedEntry>(entries.data());
  ASSERT_NE(accepted, nullptr);
  EXPECT_EQ(accepted->sequence, first);
  EXPECT_EQ(accepted->event.id, make_event(1).id);
  EXPECT_EQ(accepted->owed.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Attempt>(entries[1]));
  EXPECT_TRUE(std::holds_alternative<Settled>(entries[2]));
  EXPECT_EQ(std::get<AcceptedEntry>(entries[3]).sequence, second);
  EXPECT_TRUE(store_->follow(followed->next, 1000)->records.empty());
  EXPECT_FALSE(is_woken);
  const Position third = accept_one(3);
  EXPECT_TRUE(is_woken);
  const Followed more = store_->follow(followed->next, 1000).value();
  ASSERT_EQ(more.records.size(), 1U);
  EXPECT_EQ(std::get<AcceptedEntry>(to_entry(more.records[0])).sequence, third);
}

TEST_F(StoreTest, EventIsReadBackFromTheDisk) {
  const Position sequence = accept_one(7);
  reopen();  // The cache is empty now.
  const auto event = read({.sequence = sequence});
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ((*event)->id, make_event(7).id);
}

TEST_F(StoreTest, DamagedEventIsReportedWhenItIsRead) {
  const Position sequence = accept_one(7);
  reopen();
  env_.directory().flip_bit("journal/" + segment_name(segment_of(sequence)),
                            offset_of(sequence) + 30);
  EXPECT_EQ(read({.sequence = sequence}).error().code, ErrorCode::journal_corrupt);
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_NE(reports_[0].find(segment_place(segment_of(sequence), offset_of(sequence))),
            std::string::npos)
      << reports_[0];
}

TEST_F(StoreTest, JournalIsTrimmedAsFarAsTheFollowerCame) {
  const Position first = accept_one(0);
  store_->record(make_attempt({.sequence = first}));
  for (std::uint64_t i = 1; i < 1000; ++i) {
    store_->record(make_attempt({.sequence = accept_one(i)}));
  }
  env_.advance(hours(2));  // The ids are in a file then.
  (void)accept_one(5000);
  env_.advance(seconds(1));
  EXPECT_GT(store_->usage().segments_count, 8U);
  store_->followed_until({.value = UINT64_MAX});
  (void)accept_one(5001);
  env_.advance(seconds(5));
  EXPECT_LE(store_->usage().segments_count, 2U);
  EXPECT_FALSE(accept(one(3)).sequences.at(0).has_value()) << "Trimming forgets no id.";
  crash();
  EXPECT_FALSE(accept(one(4)).sequences.at(0).has_value());
}

TEST_F(StoreTest, WhatIsOwedIsCarriedOutOfTheWay) {
  store_->followed_until({.value = UINT64_MAX});
  const Position old = accept_one(0, 3);
  store_->record(make_attempt({.sequence = old, .ordinal = 1}));
  store_->record(retrying({.sequence = old, .ordinal = 2}, 4));
  for (std::uint64_t i = 1; i < 2000; ++i) {
    store_->record(make_attempt({.sequence = accept_one(i)}));
    if (i % 300 == 0) env_.advance(hours(1));
  }
  env_.advance(hours(1));
  (void)accept_one(9999);
  env_.advance(seconds(5));
  EXPECT_LE(store_->usage().segments_count, 8U);
  crash();
  EXPECT_TRUE(reports_.empty());
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 3U);
  EXPECT_EQ(owed[0].delivery, (DeliveryId{.sequence = old, .ordinal = 0}));
  EXPECT_GT(owed[0].location, old);
  EXPECT_EQ(owed[1].delivery, (DeliveryId{.sequence = old, .ordinal = 2}));
  EXPECT_EQ(owed[1].attempts_count, 4);
  EXPECT_EQ(owed[1].next_attempt_at, env::kSimWallStart + seconds(300));
  const auto event = read(owed[0].delivery);
  ASSERT_TRUE(event.has_value());
  EXPECT_EQ((*event)->document, make_event(0, owed[0].accepted_at).document);
}

TEST_F(StoreTest, FailedSyncEndsTheProcess) {
  (void)accept_one(1);
  env_.advance(seconds(1));
  bool is_answered = false;
  env_.directory().fail_once(2);
  store_->accept(one(2), env_.lane(0), [&](const Accepted&) { is_answered = true; });
  env_.advance(seconds(1));
  ASSERT_TRUE(env_.death().has_value());
  EXPECT_EQ(env_.death()->exit_code, kExitJournalFailed);
  EXPECT_FALSE(is_answered);
  crash();
  EXPECT_FALSE(accept(one(1)).sequences.at(0).has_value());
}

TEST_F(StoreTest, RequestThatFitsNoSegmentIsRefused) {
  constexpr std::uint64_t kEvents = 150;
  std::vector<Accept> batch;
  batch.reserve(kEvents);
  for (std::uint64_t i = 0; i < kEvents; ++i) batch.push_back(one(i).front());
  EXPECT_EQ(accept(std::move(batch)).status, AcceptStatus::too_large);
  EXPECT_EQ(accept(one(5)).sequences.size(), 1U);
}

TEST_F(StoreTest, CalendarThatGoesBackKeepsNothingWaiting) {
  env_.clock().jump_wall(hours(23));
  const DeliveryId id{.sequence = accept_one(1)};
  record_retry_in(id, seconds(50));
  env_.clock().jump_wall(-hours(23));
  reopen();
  const std::vector<Unsettled> owed = unsettled();
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].next_attempt_at, env_.clock().wall_now() + seconds(50));
}

// In the journal alone, in a carried record and in a checkpoint.
TEST_F(StoreTest, NothingWaitsLongerThanWasDecidedWhileTheCalendarWasAhead) {
  const DeliveryId id{.sequence = accept_one(1)};
  env_.clock().jump_wall(hours(50));
  record_retry_in(id, seconds(50));
  store_->followed_until({.value = UINT64_MAX});
  for (std::uint64_t i = 2; i < 1000; ++i) {
    store_->record(make_attempt({.sequence = accept_one(i)}));
  }
  env_.advance(hours(2));
  (void)accept_one(1001);
  env_.advance(seconds(5));
  record_retry_in({.sequence = accept_one(1002)}, seconds(50));
  env_.clock().jump_wall(-hours(54));
  for (const bool is_crash : {true, false, true}) {
    if (is_crash) {
      crash();
    } else {
      reopen();
    }
    const std::vector<Unsettled> all = unsettled();
    ASSERT_GE(all.size(), 2U);
    EXPECT_NE(all.front().location, id.sequence) << "It was to be carried.";
    for (const Unsettled& owed : all) {
      EXPECT_LE(owed.next_attempt_at, env_.clock().wall_now() + seconds(50));
    }
  }
}

TEST_F(StoreTest, CloseCommitsEverything) {
  const DeliveryId id{.sequence = accept_one(1)};
  store_->record(make_attempt(id));
  reopen();
  EXPECT_TRUE(unsettled().empty());
}

TEST_F(StoreTest, CheckpointGivesWhatTheJournalGives) {
  for (std::uint64_t i = 0; i < 400; ++i) {
    const Position sequence = accept_one(i, 2);
    store_->record(make_attempt({.sequence = sequence}));
  }
  reopen();
  const std::vector<Unsettled> from_checkpoint = unsettled();
  ASSERT_EQ(from_checkpoint.size(), 400U);
  store_->close();
  store_.reset();
  env_.restart();
  const auto folder = env_.directory().subdirectory("journal").value();
  for (const std::string& name : folder->list().value()) {
    if (name.starts_with("checkpoint-")) ASSERT_TRUE(folder->remove(name).has_value());
  }
  open();
  const std::vector<Unsettled> from_journal = unsettled();
  ASSERT_EQ(from_journal.size(), from_checkpoint.size());
  for (std::size_t i = 0; i < from_journal.size(); ++i) {
    EXPECT_EQ(from_journal[i].delivery, from_checkpoint[i].delivery);
    EXPECT_EQ(from_journal[i].location, from_checkpoint[i].location);
    EXPECT_EQ(from_journal[i].accepted_at, from_checkpoint[i].accepted_at);
  }
}

// A journal whose answer is lost, or that another process owns now.
class SimJournalStoreTest : public testing::TestWithParam<std::pair<AppendOutcome, bool>> {
 protected:
  std::unique_ptr<JournalStore> open() {
    JournalStore::Parts parts;
    parts.directory = env_.directory().subdirectory("repeats").value();
    auto journal = std::make_unique<SimJournal>(content_);
    journal_ = journal.get();
    parts.journal = std::move(journal);
    parts.on_damage = [](std::string_view) {};
    parts.repeats = Repeats::open(*parts.directory, env_.entropy(), {}, parts.on_damage).value();
    return JournalStore::open(env_, {}, std::move(parts)).value();
  }
  std::optional<Accepted> accept(JournalStore& store, std::uint64_t number) {
    std::optional<Accepted> answer;
    std::vector<Accept> batch;
    batch.push_back(make_accept(make_event(number, env_.clock().wall_now())));
    store.accept(std::move(batch), env_.lane(0),
                 [&](Accepted accepted) { answer = std::move(accepted); });
    env_.advance(seconds(1));
    return answer;
  }

  env::SimEnv env_{1};
  std::shared_ptr<SimJournalContent> content_ = std::make_shared<SimJournalContent>();
  SimJournal* journal_ = nullptr;
};

TEST_P(SimJournalStoreTest, DoubtEndsTheProcessAndTheJournalDecidesAfterwards) {
  const auto [outcome, is_taken] = GetParam();
  auto store = open();
  ASSERT_TRUE(accept(*store, 1).has_value());
  journal_->answer_after(1, outcome, is_taken);
  EXPECT_FALSE(accept(*store, 2).has_value()) << "Nothing is promised.";
  ASSERT_TRUE(env_.death().has_value());
  EXPECT_FALSE(accept(*store, 3).has_value());
  env_.crash(env::Crash::process_killed);
  store.reset();
  env_.restart();

  store = open();
  std::size_t owed_count = 0;
  store->take_unsettled([&](const Unsettled&) { ++owed_count; });
  EXPECT_EQ(owed_count, is_taken ? 2U : 1U);
  const auto again = accept(*store, 2);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->sequences.at(0).has_value(), !is_taken);
}

INSTANTIATE_TEST_SUITE_P(Outcomes, SimJournalStoreTest,
                         testing::Values(std::pair(AppendOutcome::unknown, true),
                                         std::pair(AppendOutcome::unknown, false),
                                         std::pair(AppendOutcome::fenced, false),
                                         std::pair(AppendOutcome::failed, true)));

}  // namespace
}  // namespace eilpost::store
