#pragma once
// What every Journal must do, whatever it is made of.
//
// A test file instantiates JournalConformance with a JournalWorld, which keeps a journal's content
// while the Journal object comes and goes.

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "store/journal.h"

namespace eilpost::store {

class JournalWorld {
 public:
  virtual ~JournalWorld() = default;
  // A new object over what was kept. REQUIRES: the one before is destroyed.
  [[nodiscard]] virtual std::unique_ptr<Journal> open() = 0;
};

using JournalWorldFactory = std::function<std::unique_ptr<JournalWorld>()>;

class JournalConformance : public testing::TestWithParam<JournalWorldFactory> {
 protected:
  using Records = std::vector<std::pair<Position, std::string>>;

  // Opens again and reads everything.
  Records reopen(Position from = {}) {
    journal_.reset();
    journal_ = world_->open();
    Records found;
    EXPECT_TRUE(journal_->recover(from, collect_into(found)).has_value());
    return found;
  }

  static RecordSink collect_into(Records& records) {
    return [&records](Position position, ByteView bytes) {
      records.emplace_back(position, std::string(as_text(bytes)));
    };
  }

  // Appends texts as one unit.
  AppendOutcome append(const std::vector<std::string>& texts) {
    std::vector<ByteView> records;
    for (const std::string& text : texts) records.push_back(as_bytes(text));
    std::vector<Position> positions;
    const AppendOutcome outcome = journal_->append(records, Space::common, positions);
    if (outcome != AppendOutcome::durable) return outcome;
    EXPECT_EQ(positions.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) appended_.emplace_back(positions[i], texts[i]);
    return outcome;
  }

  Records read_all(Position from, std::size_t bytes_max) {
    Records found;
    for (;;) {
      const Result<Position> next = journal_->read_from(from, bytes_max, collect_into(found));
      EXPECT_TRUE(next.has_value());
      if (*next == from) return found;
      from = *next;
    }
  }

  std::unique_ptr<JournalWorld> world_ = GetParam()();
  std::unique_ptr<Journal> journal_;
  Records appended_;
};

TEST_P(JournalConformance, NewJournalIsEmpty) {
  EXPECT_TRUE(reopen().empty());
  EXPECT_EQ(read_all({}, 1000), Records());
  EXPECT_LE(journal_->begin(), journal_->end());
}

TEST_P(JournalConformance, DurableRecordsComeBackInOrder) {
  (void)reopen();
  Random random(1);
  for (int i = 0; i < 100; ++i) {
    std::vector<std::string> texts;
    const std::uint64_t count = 1 + random.below(5);
    for (std::uint64_t j = 0; j < count; ++j) {
      texts.push_back(fmt::format("{}-{}", i, std::string(random.below(300), 'x')));
    }
    ASSERT_EQ(append(texts), AppendOutcome::durable);
    if (i % 30 == 29) ASSERT_EQ(reopen(), appended_);
    if (journal_->wants_space()) ASSERT_TRUE(journal_->prepare_space().has_value());
  }
  EXPECT_EQ(read_all({}, 500), appended_);
  EXPECT_EQ(reopen(), appended_);
  EXPECT_EQ(reopen(), appended_) << "Opening twice equals opening once.";
}

TEST_P(JournalConformance, PositionsRiseAlsoAcrossOpenings) {
  (void)reopen();
  for (int i = 0; i < 20; ++i) {
    const Position end = journal_->end();
    ASSERT_EQ(append({"a", "b"}), AppendOutcome::durable);
    EXPECT_GE(appended_[appended_.size() - 2].first, end);
    EXPECT_GT(journal_->end(), appended_.back().first);
    if (i % 5 == 4) (void)reopen();
  }
  EXPECT_TRUE(std::ranges::is_sorted(appended_));
  EXPECT_EQ(std::ranges::adjacent_find(appended_), appended_.end());
}

TEST_P(JournalConformance, RecoveryMayBeginAtAnyEarlierEnd) {
  (void)reopen();
  ASSERT_EQ(append({"one"}), AppendOutcome::durable);
  const Position end = journal_->end();
  ASSERT_EQ(append({"two", "three"}), AppendOutcome::durable);
  EXPECT_EQ(reopen(end), Records(appended_.begin() + 1, appended_.end()));
  EXPECT_EQ(reopen(journal_->end()), Records());
  ASSERT_EQ(append({"four"}), AppendOutcome::durable);
  EXPECT_EQ(reopen(), appended_);
}

TEST_P(JournalConformance, OneRecordIsReadByItsPosition) {
  (void)reopen();
  ASSERT_EQ(append({"one", std::string(5000, 'y')}), AppendOutcome::durable);
  for (const auto& [position, text] : appended_) {
    const Result<Bytes> bytes = journal_->read_one(position);
    ASSERT_TRUE(bytes.has_value());
    EXPECT_EQ(as_text(*bytes), text);
  }
  EXPECT_FALSE(journal_->read_one(journal_->end()).has_value());
}

TEST_P(JournalConformance, TrimTakesOnlyWhatLiesBefore) {
  (void)reopen();
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(append({fmt::format("{}-{}", i, std::string(1000, 'z'))}), AppendOutcome::durable);
    if (journal_->wants_space()) ASSERT_TRUE(journal_->prepare_space().has_value());
  }
  const Position before = appended_[150].first;
  ASSERT_TRUE(journal_->trim(before).has_value());
  EXPECT_LE(journal_->begin(), before);
  const Records left = read_all({}, 100'000);
  ASSERT_FALSE(left.empty());
  ASSERT_LE(left.front().first, before);
  EXPECT_TRUE(std::ranges::equal(left, std::span(appended_).last(left.size())));
  EXPECT_EQ(reopen(), left);
  for (const auto& [position, text] : appended_) {
    const Result<Bytes> bytes = journal_->read_one(position);
    if (position >= before) ASSERT_TRUE(bytes.has_value());
    if (!bytes) EXPECT_EQ(bytes.error().code, ErrorCode::record_gone);
  }
}

TEST_P(JournalConformance, NewestCheckpointIsGivenBack) {
  (void)reopen();
  EXPECT_FALSE(journal_->take_checkpoint().has_value());
  for (const std::string text : {"first", "second", "third"}) {
    ASSERT_EQ(append({text}), AppendOutcome::durable);
    ASSERT_TRUE(journal_->save_checkpoint(as_bytes(text), journal_->end()).has_value());
  }
  const Position covers = journal_->end();
  journal_.reset();
  journal_ = world_->open();
  const auto checkpoint = journal_->take_checkpoint();
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(as_text(checkpoint->bytes), "third");
  EXPECT_EQ(checkpoint->covers, covers);
}

}  // namespace eilpost::store
