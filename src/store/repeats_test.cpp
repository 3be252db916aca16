#include "store/repeats.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "store/repeat_file.h"
#include "store/repeat_table.h"

namespace eilpost::store {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kNow{std::chrono::milliseconds(1'764'000'000'000)};

Hash128 random_hash(Random& random) {
  const std::uint64_t low = random.next();
  return {.low = low, .high = random.next()};
}

TEST(RepeatTable, BehavesLikeASet) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    RepeatTable table;
    std::set<Hash128> model;
    EXPECT_FALSE(table.contains({}));
    for (int i = 0; i < 5000; ++i) {
      // Many share a slot, so that removals must mend chains.
      const Hash128 hash{.low = random.below(3) * 1024 + random.below(8),
                         .high = 1 + random.below(40)};
      switch (random.below(3)) {
        case 0:
          table.insert(hash), model.insert(hash);
          break;
        case 1:
          table.erase(hash), model.erase(hash);
          break;
        default:
          ASSERT_EQ(table.contains(hash), model.contains(hash));
          break;
      }
    }
    for (const Hash128& hash : model) ASSERT_TRUE(table.contains(hash));
    EXPECT_EQ(table.sorted().size(), table.size());
  }
}

TEST(RepeatFile, HoldsExactlyWhatWasSaved) {
  env::SimDirectory directory(1);
  for (const std::size_t count : {1U, 254U, 255U, 256U, 5000U}) {
    Random random(count);
    RepeatTable table;
    for (std::size_t i = 0; i < count; ++i) table.insert(random_hash(random));
    const RepeatFileFacts facts{.until = {.value = count}, .newest = kNow, .key_mark = 5};
    ASSERT_TRUE(RepeatFile::save(directory, facts, table.sorted()).has_value());
    directory.crash();
    const auto file = RepeatFile::open(directory, RepeatFile::name_of(facts.until)).value();
    EXPECT_EQ(file->facts().count, count);
    EXPECT_EQ(file->facts().newest, kNow);
    for (const Hash128& hash : table.sorted()) {
      ASSERT_TRUE(file->may_contain(hash));
      ASSERT_TRUE(file->contains(hash));
    }
    std::size_t maybe_count = 0;
    for (int i = 0; i < 10'000; ++i) {
      const Hash128 other = random_hash(random);
      ASSERT_FALSE(file->contains(other));
      maybe_count += file->may_contain(other) ? 1 : 0;
    }
    if (count == 5000) EXPECT_LT(maybe_count, 250U) << "10 bits an id let 1 to 2 % through.";
  }
}

TEST(RepeatFile, DamageIsFoundOut) {
  env::SimDirectory directory(1);
  Random random(1);
  RepeatTable table;
  for (int i = 0; i < 600; ++i) table.insert(random_hash(random));
  const RepeatFileFacts facts{.until = {.value = 1}, .newest = kNow, .key_mark = 5};
  const auto saved = RepeatFile::save(directory, facts, table.sorted()).value();
  const std::string name = saved->name();
  const std::uint64_t size = directory.image().at(name).size();
  for (const std::uint64_t offset : {std::uint64_t{9}, size - 10, size - 1}) {
    directory.flip_bit(name, offset);
    EXPECT_EQ(RepeatFile::open(directory, name).error().code, ErrorCode::journal_corrupt);
    directory.flip_bit(name, offset);
  }
  directory.flip_bit(name, 64 + 5);  // the first page
  const auto file = RepeatFile::open(directory, name).value();
  EXPECT_FALSE(file->contains(table.sorted().front()));
  EXPECT_TRUE(file->contains(table.sorted().back()));
}

class RepeatsTest : public testing::Test {
 protected:
  RepeatsTest() { open(); }
  void open() {
    repeats_ =
        Repeats::open(directory_, entropy_, {.ids_max = 1600}, [this](std::string_view what) {
          reports_.emplace_back(what);
        }).value();
  }
  void remember(std::uint64_t number) { repeats_->remember(hash_of(number), {.value = number}); }
  [[nodiscard]] Hash128 hash_of(std::uint64_t number) const {
    return repeats_->fingerprint(SourceId{1}, fmt::format("id-{}", number), "user");
  }
  [[nodiscard]] bool is_known(std::uint64_t number) const {
    return repeats_->is_known(hash_of(number));
  }
  // A file of five ids, for want of space; ten seconds after the one before.
  void spill_few(std::uint64_t number) {
    for (std::uint64_t i = 5 * number; i < 5 * number + 5; ++i) remember(i);
    const WallTime now = kNow + std::chrono::seconds(10 * number);
    auto job = repeats_->begin_spill({.value = 5 * number + 5}, now, /*is_urgent=*/true);
    ASSERT_TRUE(job.has_value());
    repeats_->spilled((*job)(), now);
  }
  void merge_all() {
    while (auto job = repeats_->begin_merge()) repeats_->merged((*job)());
  }
  // True if there was something to spill.
  bool spill(std::uint64_t end, WallTime now) {
    auto job = repeats_->begin_spill({.value = end}, now);
    if (!job) return false;
    repeats_->spilled((*job)(), now);
    return true;
  }

  env::SimDirectory directory_{1};
  env::SimEntropy entropy_{1};
  std::vector<std::string> reports_;
  std::unique_ptr<Repeats> repeats_;
};

TEST_F(RepeatsTest, EveryPartOfTheIdentityCounts) {
  const Hash128 hash = repeats_->fingerprint(SourceId{1}, "ab", "c");
  EXPECT_EQ(repeats_->fingerprint(SourceId{1}, "ab", "c"), hash);
  EXPECT_NE(repeats_->fingerprint(SourceId{2}, "ab", "c"), hash);
  EXPECT_NE(repeats_->fingerprint(SourceId{1}, "a", "bc"), hash);
  EXPECT_NE(repeats_->fingerprint(SourceId{1}, "ab", ""), hash);
  const std::string large(2000, 'x');
  EXPECT_NE(repeats_->fingerprint(SourceId{1}, large, "c"),
            repeats_->fingerprint(SourceId{1}, large, "d"));
}

TEST_F(RepeatsTest, ForgottenIdIsNew) {
  remember(1);
  EXPECT_TRUE(is_known(1));
  repeats_->forget(hash_of(1));
  EXPECT_FALSE(is_known(1));
}

TEST_F(RepeatsTest, IdsAreKnownWhileAndAfterTheyAreWritten) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  auto job = repeats_->begin_spill({.value = 100}, kNow);
  ASSERT_TRUE(job.has_value());
  EXPECT_FALSE(repeats_->begin_spill({.value = 100}, kNow).has_value()) << "One at a time.";
  remember(200);
  EXPECT_TRUE(is_known(5));
  EXPECT_EQ(repeats_->needed_from(), Position{.value = 0});
  repeats_->spilled((*job)(), kNow);
  EXPECT_TRUE(is_known(5));
  EXPECT_TRUE(is_known(200));
  EXPECT_EQ(repeats_->needed_from(), Position{.value = 200});
}

TEST_F(RepeatsTest, FailedSpillKeepsTheIdsAndIsTriedAgain) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  auto job = repeats_->begin_spill({.value = 100}, kNow);
  directory_.fail_once(1, ErrorCode::disk_full);
  repeats_->spilled((*job)(), kNow);
  EXPECT_TRUE(is_known(5));
  EXPECT_EQ(repeats_->needed_from(), Position{.value = 0});
  EXPECT_TRUE(spill(100, kNow));
  EXPECT_TRUE(is_known(5));
  EXPECT_EQ(repeats_->needed_from(), std::nullopt);
}

TEST_F(RepeatsTest, SmallGenerationWaitsAnHour) {
  remember(1);
  EXPECT_FALSE(spill(2, kNow));
  EXPECT_FALSE(spill(2, kNow + minutes(59)));
  EXPECT_TRUE(spill(2, kNow + hours(1)));
  EXPECT_FALSE(spill(2, kNow + hours(5))) << "Nothing is left to write.";
}

TEST_F(RepeatsTest, FilesAreFoundAgainByTheNextProcess) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  EXPECT_TRUE(spill(100, kNow));
  for (std::uint64_t i = 100; i < 200; ++i) remember(i);
  EXPECT_TRUE(spill(200, kNow));
  remember(300);
  directory_.crash();
  open();
  EXPECT_EQ(repeats_->rebuild_from(), Position{.value = 200});
  EXPECT_TRUE(is_known(5));
  EXPECT_TRUE(is_known(150));
  EXPECT_FALSE(is_known(300)) << "The journal must be read for it.";
  EXPECT_TRUE(reports_.empty());
}

TEST_F(RepeatsTest, OldestFileIsDroppedByAgeAndByNumber) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  EXPECT_TRUE(spill(100, kNow));
  for (std::uint64_t i = 100; i < 200; ++i) remember(i);
  EXPECT_TRUE(spill(200, kNow + hours(24)));
  EXPECT_TRUE(is_known(5));
  for (std::uint64_t i = 200; i < 300; ++i) remember(i);
  EXPECT_TRUE(spill(300, kNow + hours(25)));
  EXPECT_FALSE(is_known(5));
  EXPECT_TRUE(is_known(150));
  for (std::uint64_t i = 300; i < 2000; ++i) {
    remember(i);
    (void)spill(i + 1, kNow + hours(25));
  }
  EXPECT_FALSE(is_known(150)) << "More than 1,600 came since.";
  EXPECT_TRUE(is_known(500));
  EXPECT_LE(directory_.image().size(), 18U);
}

TEST_F(RepeatsTest, SmallFilesOfAnHourBecomeFew) {
  for (std::uint64_t i = 0; i < 300; ++i) {
    spill_few(i);
    merge_all();
  }
  // At most 100 ids each, and some that are not merged yet.
  EXPECT_LE(repeats_->files_count(), 40U);
  EXPECT_EQ(directory_.image().size(), repeats_->files_count() + 1) << "and the key";
  for (std::uint64_t i = 0; i < 1500; ++i) ASSERT_TRUE(is_known(i)) << i;
  directory_.crash();
  open();
  EXPECT_TRUE(reports_.empty());
  EXPECT_EQ(repeats_->rebuild_from(), Position{.value = 1500});
  for (std::uint64_t i = 0; i < 1500; ++i) ASSERT_TRUE(is_known(i)) << i;
}

TEST_F(RepeatsTest, FilesOfDifferentHoursAreNotMerged) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    remember(i);
    EXPECT_FALSE(spill(i + 1, kNow + hours(i)));
    EXPECT_TRUE(spill(i + 1, kNow + hours(i + 1)));
  }
  EXPECT_FALSE(repeats_->begin_merge().has_value());
}

TEST_F(RepeatsTest, IdsAreKnownWhileFilesAreMerged) {
  for (std::uint64_t i = 0; i < 20; ++i) spill_few(i);
  auto job = repeats_->begin_merge();
  ASSERT_TRUE(job.has_value());
  EXPECT_FALSE(repeats_->begin_merge().has_value()) << "One at a time.";
  remember(200);
  EXPECT_FALSE(repeats_->begin_spill({.value = 201}, kNow, /*is_urgent=*/true).has_value());
  auto merged = (*job)();
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(is_known(i)) << i;
  repeats_->merged(std::move(merged));
  EXPECT_EQ(repeats_->files_count(), 19U);
  for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(is_known(i)) << i;
  EXPECT_TRUE(is_known(200));
  EXPECT_FALSE(is_known(201));
}

TEST_F(RepeatsTest, AMergeThatFailsOrIsCutOffAnywhereLosesNothing) {
  for (std::uint64_t i = 0; i < 20; ++i) spill_few(i);
  bool was_clean = false;
  for (std::uint64_t operation = 1; !was_clean; ++operation) {
    auto job = repeats_->begin_merge();
    ASSERT_TRUE(job.has_value());
    directory_.fail_once(operation, ErrorCode::disk_failed);
    auto merged = (*job)();
    const std::size_t files = repeats_->files_count();
    was_clean = merged.has_value() && directory_.image().size() == files;
    ASSERT_LT(operation, 30U);
    if (operation % 2 == 0) repeats_->merged(std::move(merged));
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(is_known(i)) << operation;
    directory_.crash();
    open();
    EXPECT_TRUE(reports_.empty());
    for (std::uint64_t i = 0; i < 100; ++i) ASSERT_TRUE(is_known(i)) << operation;
    EXPECT_EQ(repeats_->rebuild_from(), Position{.value = 100});
  }
}

TEST_F(RepeatsTest, DamagedFileIsReportedAndForgotten) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  EXPECT_TRUE(spill(100, kNow));
  directory_.flip_bit(RepeatFile::name_of({.value = 100}), 10);
  open();
  EXPECT_EQ(reports_.size(), 1U);
  EXPECT_FALSE(is_known(5));
  EXPECT_EQ(repeats_->rebuild_from(), Position{});
}

TEST_F(RepeatsTest, LostKeyMakesOldFilesUseless) {
  for (std::uint64_t i = 0; i < 100; ++i) remember(i);
  EXPECT_TRUE(spill(100, kNow));
  directory_.flip_bit("repeats.key", 3);
  open();
  EXPECT_EQ(reports_.size(), 2U) << "the key, and the file made with it";
  remember(5);
  EXPECT_TRUE(is_known(5));
}

}  // namespace
}  // namespace eilpost::store
