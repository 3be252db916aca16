#include "store/file_journal.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "store/manifest.h"

namespace eilpost::store {
namespace {

constexpr std::uint64_t kTestSegmentBytes = 16UL * 1024;

// A disk with one journal on it.
class FileJournalTest : public testing::Test {
 protected:
  using Texts = std::vector<std::string>;

  // Opens again; reads everything, and what is reported.
  Texts reopen() {
    close();
    folder_ = directory_.subdirectory("journal").value();
    journal_ = FileJournal::open(*folder_, entropy_, {.segment_bytes = kTestSegmentBytes},
                                 [this](std::string_view what) { reports_.emplace_back(what); })
                   .value();
    Texts found;
    EXPECT_TRUE(
        journal_->recover({}, [&](Position, ByteView bytes) { found.emplace_back(as_text(bytes)); })
            .has_value());
    return found;
  }
  void close() {
    journal_.reset();
    folder_.reset();
    reports_.clear();
  }

  AppendOutcome append(const Texts& texts, Space space = Space::common) {
    std::vector<ByteView> records;
    for (const std::string& text : texts) records.push_back(as_bytes(text));
    positions_.clear();
    const AppendOutcome outcome = journal_->append(records, space, positions_);
    if (outcome == AppendOutcome::durable) {
      std::ranges::copy(texts, std::back_inserter(appended_));
      places_.insert(places_.end(), positions_.begin(), positions_.end());
    }
    return outcome;
  }
  // Appends frames of three records until `segments` are begun.
  void fill_segments(std::uint64_t segments) {
    while (journal_->usage().segments_count < segments) {
      const std::size_t n = appended_.size();
      ASSERT_EQ(append({fmt::format("{} {}", n, std::string(n % 700, 'a')),
                        fmt::format("{} b", n + 1), fmt::format("{} c", n + 2)}),
                AppendOutcome::durable);
      ASSERT_TRUE(journal_->prepare_space().has_value());
    }
  }
  [[nodiscard]] static std::string path_of(Position position) {
    return "journal/" + segment_name(segment_of(position));
  }

  env::SimDirectory directory_{1};
  env::SimEntropy entropy_{1};
  std::unique_ptr<env::Directory> folder_;
  std::unique_ptr<FileJournal> journal_;
  std::vector<std::string> reports_;
  std::vector<Position> positions_;
  Texts appended_;
  std::vector<Position> places_;
};

TEST_F(FileJournalTest, FirstNumbersOfTwoJournalsDiffer) {
  std::set<std::uint64_t> numbers;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    env::SimDirectory directory(seed);
    env::SimEntropy entropy(seed);
    const auto journal = FileJournal::open(directory, entropy, {}, [](std::string_view) {}).value();
    numbers.insert(segment_of(journal->begin()));
    EXPECT_LT(segment_of(journal->begin()), 1ULL << 36U);
  }
  EXPECT_EQ(numbers.size(), 50U);
}

TEST_F(FileJournalTest, FolderIsLocked) {
  (void)reopen();
  const auto again = FileJournal::open(*directory_.subdirectory("journal").value(), entropy_, {},
                                       [](std::string_view) {});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::already_locked);
}

TEST_F(FileJournalTest, RecordsSpanSegments) {
  (void)reopen();
  fill_segments(4);
  EXPECT_EQ(reopen(), appended_);
  EXPECT_TRUE(reports_.empty());
  EXPECT_EQ(journal_->usage().segments_count, 4U);
}

TEST_F(FileJournalTest, PreparedSegmentsHaveAllTheirBytes) {
  (void)reopen();
  EXPECT_TRUE(journal_->wants_space());
  ASSERT_TRUE(journal_->prepare_space().has_value());
  EXPECT_FALSE(journal_->wants_space());
  std::size_t full_count = 0;
  for (const auto& [path, bytes] : directory_.durable_image()) {
    full_count += bytes.size() == kTestSegmentBytes ? 1 : 0;
  }
  EXPECT_EQ(full_count, 3U);
}

TEST_F(FileJournalTest, TrimmedSegmentsAreUsedAgain) {
  (void)reopen();
  fill_segments(6);
  const std::size_t files_count = directory_.image().size();
  ASSERT_TRUE(journal_->trim(journal_->end()).has_value());
  EXPECT_EQ(journal_->usage().segments_count, 1U);
  const std::size_t kept = journal_->usage().bytes;
  EXPECT_LE(kept, kTestSegmentBytes);
  for (int i = 0; i < 10; ++i) {
    fill_segments(2);
    ASSERT_TRUE(journal_->trim(journal_->end()).has_value());
  }
  EXPECT_LE(directory_.image().size(), files_count);
  const Texts found = reopen();
  ASSERT_LT(found.size(), appended_.size());
  EXPECT_TRUE(std::ranges::equal(found, std::span(appended_).last(found.size())));
  EXPECT_TRUE(reports_.empty());
}

TEST_F(FileJournalTest, TruncatedTailIsIgnoredAndReported) {
  (void)reopen();
  ASSERT_EQ(append({"one", "two"}), AppendOutcome::durable);
  ASSERT_EQ(append({"three", "four"}), AppendOutcome::durable);
  // The last record of the last frame is not as it was written.
  directory_.flip_bit(path_of(places_[3]), offset_of(places_[3]) + kRecordHeaderBytes);
  EXPECT_EQ(reopen(), (Texts{"one", "two"}));
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_NE(reports_[0].find("torn tail"), std::string::npos);
  ASSERT_EQ(append({"five"}), AppendOutcome::durable);
  EXPECT_EQ(reopen(), (Texts{"one", "two", "five"}));
  EXPECT_TRUE(reports_.empty());
}

TEST_F(FileJournalTest, DamagedRecordAloneIsMissing) {
  (void)reopen();
  ASSERT_EQ(append({"one", "two", "three"}), AppendOutcome::durable);
  ASSERT_EQ(append({"four"}), AppendOutcome::durable);
  for (const unsigned at : {0U, 4U, 8U}) {  // length, checksum, content
    directory_.flip_bit(path_of(places_[1]), offset_of(places_[1]) + at);
    EXPECT_EQ(reopen(), (Texts{"one", "three", "four"}));
    ASSERT_EQ(reports_.size(), 1U);
    EXPECT_NE(reports_[0].find("2 of 3 records are good"), std::string::npos);
    EXPECT_EQ(journal_->read_one(places_[1]).error().code, ErrorCode::journal_corrupt);
    EXPECT_TRUE(journal_->read_one(places_[2]).has_value());
    directory_.flip_bit(path_of(places_[1]), offset_of(places_[1]) + at);
  }
}

TEST_F(FileJournalTest, DamageBeforeACheckpointIsNoTornTail) {
  (void)reopen();
  ASSERT_EQ(append({"one", "two"}), AppendOutcome::durable);
  const Position end = journal_->end();
  ASSERT_TRUE(journal_->save_checkpoint(as_bytes("x"), end).has_value());
  directory_.flip_bit(path_of(places_[0]), offset_of(places_[0]) + kRecordHeaderBytes);
  EXPECT_EQ(reopen(), Texts{"two"});
  ASSERT_EQ(reports_.size(), 1U);
  EXPECT_NE(reports_[0].find("Damage"), std::string::npos);
  // Its header too: nothing is found, but its positions are not used again.
  directory_.flip_bit(path_of(end), kSegmentHeaderBytes);
  EXPECT_EQ(reopen(), Texts());
  EXPECT_FALSE(reports_.empty());
  EXPECT_GE(journal_->end(), end);
}

// Goal: a flipped bit anywhere costs the records it is in, is reported, and nothing else.
TEST_F(FileJournalTest, DamageBeforeATornTailIsStillDamageAtTheNextOpening) {
  (void)reopen();
  ASSERT_EQ(append({"one", "two"}), AppendOutcome::durable);
  ASSERT_EQ(append({"three", "four"}), AppendOutcome::durable);
  const Position torn = places_[2];
  const Position damaged = places_[0];
  close();
  directory_.flip_bit(path_of(damaged), offset_of(damaged) + kRecordHeaderBytes);
  directory_.flip_bit(path_of(torn), offset_of(torn) + kRecordHeaderBytes);
  EXPECT_EQ(reopen(), Texts{"two"});
  EXPECT_EQ(reopen(), Texts{"two"});
  ASSERT_EQ(append({"five"}), AppendOutcome::durable);
  EXPECT_EQ(reopen(), (Texts{"two", "five"}));
}

TEST_F(FileJournalTest, FlippedBitAnywhereIsReported) {
  (void)reopen();
  fill_segments(3);
  ASSERT_EQ(append({"last frame of all"}), AppendOutcome::durable);
  const Texts all = appended_;
  const Position end = journal_->end();
  ASSERT_TRUE(journal_->save_checkpoint(as_bytes("x"), end).has_value());
  close();
  const env::SimDiskImage image = directory_.image();
  Random random(3);
  for (int i = 0; i < 400; ++i) {
    SCOPED_TRACE(i);
    const std::uint64_t number =
        segment_of(places_.front()) + random.below(segment_of(end) - segment_of(places_[0]) + 1);
    const std::string path = "journal/" + segment_name(number);
    const std::uint64_t size = number == segment_of(end) ? offset_of(end) : kTestSegmentBytes;
    const std::uint64_t offset = kSegmentHeaderBytes + random.below(size - kSegmentHeaderBytes);
    directory_.flip_bit(path, offset, static_cast<unsigned>(random.below(8)));
    const Texts found = reopen();
    // All that is found was appended, in order; at most a frame of three is missing.
    std::size_t at = 0;
    for (const std::string& text : found) {
      while (at < all.size() && all[at] != text) ++at;
      ASSERT_LT(at++, all.size());
    }
    ASSERT_GE(found.size() + 3, all.size());
    if (found.size() < all.size()) ASSERT_FALSE(reports_.empty()) << offset << " of " << path;
    close();
    directory_.plant(path, image.at(path));
  }
}

TEST_F(FileJournalTest, DamagedManifestIsReplacedByTheSegmentsHeaders) {
  (void)reopen();
  fill_segments(3);
  close();
  directory_.flip_bit("journal/MANIFEST", 14);
  EXPECT_EQ(reopen(), appended_);
  EXPECT_EQ(reports_.size(), 1U);
  fill_segments(5);
  EXPECT_EQ(reopen(), appended_);
}

TEST_F(FileJournalTest, DamagedCheckpointIsPassedOver) {
  (void)reopen();
  ASSERT_EQ(append({"one"}), AppendOutcome::durable);
  const Position first_covers = journal_->end();
  ASSERT_TRUE(journal_->save_checkpoint(as_bytes("first"), first_covers).has_value());
  ASSERT_EQ(append({"two"}), AppendOutcome::durable);
  const Position covers = journal_->end();
  ASSERT_TRUE(journal_->save_checkpoint(as_bytes("second"), covers).has_value());
  close();
  directory_.flip_bit(fmt::format("journal/checkpoint-{:016x}", covers.value), 17);
  EXPECT_EQ(reopen(), (Texts{"one", "two"}));
  EXPECT_EQ(reports_.size(), 1U);
  const auto checkpoint = journal_->take_checkpoint();
  ASSERT_TRUE(checkpoint.has_value());
  EXPECT_EQ(as_text(checkpoint->bytes), "first");
}

TEST_F(FileJournalTest, FullDiskKeepsTheReserveForWhatMustBeSettled) {
  (void)reopen();
  ASSERT_TRUE(journal_->prepare_space().has_value());
  directory_.set_capacity_bytes(directory_.used_bytes());
  const std::string text(1000, 't');
  while (append({text}) == AppendOutcome::durable) {
    if (appended_.size() > 1000) FAIL() << "never full";
  }
  EXPECT_EQ(journal_->prepare_space().error().code, ErrorCode::disk_full);
  EXPECT_EQ(append({text}), AppendOutcome::full);
  std::size_t reserved_count = 0;
  while (append({"settled"}, Space::reserve) == AppendOutcome::durable) ++reserved_count;
  EXPECT_GT(reserved_count, 2 * kTestSegmentBytes / 60);
  EXPECT_EQ(append({text}), AppendOutcome::full);
  // Space is back.
  directory_.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  ASSERT_TRUE(journal_->prepare_space().has_value());
  EXPECT_EQ(append({text}), AppendOutcome::durable);
  EXPECT_EQ(reopen(), appended_);
  EXPECT_TRUE(reports_.empty());
}

TEST_F(FileJournalTest, NothingIsWrittenWhenASegmentDoesNotFitOnTheDisk) {
  (void)reopen();
  directory_.set_capacity_bytes(directory_.used_bytes() + kTestSegmentBytes - 1);
  const std::uint64_t operations = directory_.operation_count();
  EXPECT_EQ(journal_->prepare_space().error().code, ErrorCode::disk_full);
  EXPECT_EQ(directory_.operation_count(), operations + 1) << "The name is removed, to be sure.";
}

TEST_F(FileJournalTest, FullDiskInTheMiddleOfAFrameLeavesNothing) {
  (void)reopen();  // The first segment is not yet filled with zeros: it grows.
  ASSERT_EQ(append({"one"}), AppendOutcome::durable);
  directory_.set_capacity_bytes(directory_.used_bytes() + 100);
  EXPECT_EQ(append({std::string(500, 'x'), "y", "z"}), AppendOutcome::full);
  EXPECT_EQ(append({"small"}), AppendOutcome::durable);
  directory_.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  EXPECT_EQ(append({"two"}), AppendOutcome::durable);
  EXPECT_EQ(reopen(), (Texts{"one", "small", "two"}));
  EXPECT_TRUE(reports_.empty());
}

TEST_F(FileJournalTest, FailedSyncEndsTheJournal) {
  (void)reopen();
  ASSERT_EQ(append({"one"}), AppendOutcome::durable);
  directory_.fail_once(2);  // the write is the first
  EXPECT_EQ(append({"two"}), AppendOutcome::failed);
  EXPECT_EQ(append({"three"}), AppendOutcome::failed) << "A failed sync is never tried again.";
}

TEST_F(FileJournalTest, MissingSegmentIsReported) {
  (void)reopen();
  fill_segments(3);
  const std::uint64_t second = segment_of(places_.front()) + 1;
  ASSERT_TRUE(folder_->remove(segment_name(second)).has_value());
  const Texts found = reopen();
  EXPECT_FALSE(found.empty());
  EXPECT_LT(found.size(), appended_.size());
  EXPECT_FALSE(reports_.empty());
  ASSERT_EQ(append({"more"}), AppendOutcome::durable);
  EXPECT_EQ(reopen().back(), "more");
}

// A crash came between a segment's end and the new list.
TEST_F(FileJournalTest, FullDiskOnWhichASegmentIsMissingIsOpened) {
  (void)reopen();
  fill_segments(2);
  ASSERT_TRUE(journal_->prepare_space().has_value());
  const std::string last = folder_->list().value().back();
  ASSERT_TRUE(parse_segment_name(last).has_value());
  ASSERT_TRUE(folder_->remove(last).has_value());
  directory_.set_capacity_bytes(directory_.used_bytes());
  EXPECT_EQ(reopen(), appended_);
  directory_.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  fill_segments(4);
  EXPECT_EQ(reopen(), appended_);
  EXPECT_TRUE(reports_.empty());
}

TEST_F(FileJournalTest, StaleBytesOfAReusedFileNeverPass) {
  (void)reopen();
  fill_segments(3);
  ASSERT_TRUE(journal_->trim(journal_->end()).has_value());
  appended_.clear();
  const Texts before = reopen();
  fill_segments(3);  // In files that hold old frames at the same offsets.
  const Texts found = reopen();
  ASSERT_EQ(found.size(), before.size() + appended_.size());
  EXPECT_TRUE(std::ranges::equal(std::span(found).last(appended_.size()), appended_));
  EXPECT_TRUE(reports_.empty());
}

}  // namespace
}  // namespace eilpost::store
