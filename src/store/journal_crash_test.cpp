// Goal: what the journal confirmed survives a crash at any moment, and nothing half done appears.
//
// Method: run one fixed workload (frames over several segments, space made ready, a trim, a
// checkpoint). Let the disk fail at its first operation, then at its second, and so on until a run
// meets no failure; at each failure cut the power, with many seeds for what the disk kept. Then
// open again and compare with what was confirmed.

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "env/sim/sim_directory.h"
#include "env/sim/sim_entropy.h"
#include "store/file_journal.h"

namespace eilpost::store {
namespace {

constexpr std::uint64_t kTestSegmentBytes = 4096;
constexpr int kFramesCount = 14;

using Texts = std::vector<std::string>;

struct Outcome {
  std::vector<Texts> frames;             // handed to append(), whether or not it failed
  std::size_t confirmed = 0;             // how many of them were answered `durable`
  std::size_t trimmed = 0;               // how many of them may be gone
  std::vector<std::string> checkpoints;  // that were saved, or begun to be
  std::size_t checkpoints_confirmed = 0;
  bool failed = false;
};

struct Opened {
  std::unique_ptr<env::SimEntropy> entropy;
  std::unique_ptr<env::Directory> folder;
  std::unique_ptr<FileJournal> journal;
  Texts found;
  std::vector<std::string> reports;
};

// Nothing if the disk fails meanwhile.
std::optional<Opened> open(env::SimDirectory& directory, std::uint64_t seed) {
  Opened opened;
  auto folder = directory.subdirectory("journal");
  if (!folder) return std::nullopt;
  opened.folder = std::move(*folder);
  opened.entropy = std::make_unique<env::SimEntropy>(seed);
  auto reports = std::make_shared<std::vector<std::string>>();
  auto journal =
      FileJournal::open(*opened.folder, *opened.entropy, {.segment_bytes = kTestSegmentBytes},
                        [reports](std::string_view what) { reports->emplace_back(what); });
  if (!journal) return std::nullopt;
  opened.journal = std::move(*journal);
  const Result<void> recovered = opened.journal->recover(
      {}, [&](Position, ByteView bytes) { opened.found.emplace_back(as_text(bytes)); });
  if (!recovered) return std::nullopt;
  opened.reports = *reports;
  return opened;
}

Texts frame_of(int number, std::uint64_t seed) {
  Texts texts;
  for (int i = 0; i < 1 + number % 3; ++i) {
    texts.push_back(
        fmt::format("{}/{}/{}", number, i, std::string((seed * 37 + 150) % 500 + 100, 'x')));
  }
  return texts;
}

AppendOutcome append(FileJournal& journal, const Texts& texts, Position& first) {
  std::vector<ByteView> records;
  for (const std::string& text : texts) records.push_back(as_bytes(text));
  std::vector<Position> positions;
  const AppendOutcome outcome = journal.append(records, Space::common, positions);
  if (outcome == AppendOutcome::durable) first = positions.front();
  return outcome;
}

void run_workload(env::SimDirectory& directory, std::uint64_t seed, Outcome& outcome) {
  outcome.failed = true;
  std::optional<Opened> opened = open(directory, seed);
  if (!opened) return;
  FileJournal& journal = *opened->journal;
  std::vector<Position> firsts;
  for (int i = 0; i < kFramesCount; ++i) {
    if (journal.wants_space() && !journal.prepare_space()) return;
    outcome.frames.push_back(frame_of(i, seed));
    Position first;
    if (append(journal, outcome.frames.back(), first) != AppendOutcome::durable) return;
    firsts.push_back(first);
    outcome.confirmed = outcome.frames.size();
    if (i == 9) {
      outcome.trimmed = 5;
      if (!journal.trim(firsts[5])) return;
    }
    if (i == 7 || i == 11) {
      outcome.checkpoints.push_back(fmt::format("checkpoint {}", i));
      if (!journal.save_checkpoint(as_bytes(outcome.checkpoints.back()), journal.end())) return;
      outcome.checkpoints_confirmed = outcome.checkpoints.size();
    }
  }
  outcome.failed = false;
}

// What is found is whole frames in order, and no confirmed one is missing but for the trimmed.
void expect_good(const Opened& opened, const Outcome& outcome) {
  Texts all;
  std::vector<std::size_t> ends{0};
  for (const Texts& frame : outcome.frames) {
    std::ranges::copy(frame, std::back_inserter(all));
    ends.push_back(all.size());
  }
  if (opened.found.empty()) {
    ASSERT_LE(outcome.confirmed, outcome.trimmed);
    return;
  }
  const auto begin = std::ranges::find(all, opened.found.front());
  const auto from = static_cast<std::size_t>(begin - all.begin());
  ASSERT_TRUE(std::ranges::binary_search(ends, from)) << "A frame lacks its beginning.";
  ASSERT_LE(from, ends[outcome.trimmed]);
  const std::size_t to = from + opened.found.size();
  ASSERT_LE(to, all.size());
  ASSERT_TRUE(std::ranges::binary_search(ends, to)) << "A frame lacks its end.";
  ASSERT_GE(to, ends[outcome.confirmed]);
  ASSERT_TRUE(std::equal(opened.found.begin(), opened.found.end(), begin));
}

void expect_checkpoint(Opened& opened, const Outcome& outcome) {
  const auto checkpoint = opened.journal->take_checkpoint();
  if (!checkpoint) {
    ASSERT_EQ(outcome.checkpoints_confirmed, 0U);
    return;
  }
  const std::string text(as_text(checkpoint->bytes));
  const auto found = std::ranges::find(outcome.checkpoints, text);
  ASSERT_NE(found, outcome.checkpoints.end());
  const auto index = static_cast<std::size_t>(found - outcome.checkpoints.begin());
  ASSERT_GE(index + 1, outcome.checkpoints_confirmed);
}

void expect_no_damage(const Opened& opened) {
  for (const std::string& report : opened.reports) {
    ASSERT_NE(report.find("torn tail"), std::string::npos) << report;
  }
}

void check_after_crash(env::SimDirectory& directory, std::uint64_t seed, const Outcome& outcome) {
  Texts found;
  {
    std::optional<Opened> opened = open(directory, seed + 1);
    ASSERT_TRUE(opened.has_value());
    expect_good(*opened, outcome);
    expect_no_damage(*opened);
    expect_checkpoint(*opened, outcome);
    found = opened->found;
  }
  // What was read once is read again, even if the power fails once more.
  directory.crash();
  {
    std::optional<Opened> opened = open(directory, seed + 2);
    ASSERT_TRUE(opened.has_value());
    ASSERT_EQ(opened->found, found) << "Opening again must change nothing.";
    ASSERT_TRUE(opened->reports.empty()) << opened->reports.front();
    ASSERT_TRUE(opened->journal->prepare_space().has_value());
    Position first;
    found.emplace_back("after the crash");
    ASSERT_EQ(append(*opened->journal, {"after the crash"}, first), AppendOutcome::durable);
  }
  directory.crash();
  std::optional<Opened> opened = open(directory, seed + 3);
  ASSERT_TRUE(opened.has_value());
  ASSERT_EQ(opened->found, found) << "A recovered journal must work like a new one.";
}

TEST(JournalCrash, ConfirmedRecordsSurviveACrashAtAnyOperation) {
  constexpr std::uint64_t kSeeds = 200;
  std::uint64_t operations_max = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    bool met_a_failure = true;
    // Every operation for some seeds, every seventh for the others.
    const std::uint64_t step = seed < 10 ? 1 : 7;
    for (std::uint64_t crash_at = 1 + seed % step; met_a_failure; crash_at += step) {
      SCOPED_TRACE(fmt::format("crash_at={} seed={}", crash_at, seed));
      env::SimDirectory directory(seed * 1000 + crash_at);
      directory.fail_after(crash_at);
      Outcome outcome;
      run_workload(directory, seed, outcome);
      met_a_failure = outcome.failed;
      directory.crash();
      check_after_crash(directory, seed * 1000, outcome);
      if (testing::Test::HasFatalFailure()) return;
      operations_max = std::max(operations_max, crash_at);
    }
  }
  EXPECT_GT(operations_max, 50U) << "The workload must have many places to crash.";
}

TEST(JournalCrash, KilledProcessLosesNothingThatWasWritten) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    env::SimDirectory directory(seed);
    Outcome outcome;
    run_workload(directory, seed, outcome);
    ASSERT_FALSE(outcome.failed);
    directory.kill_process();
    // The power fails right after the next opening has read it all.
    check_after_crash(directory, seed, outcome);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// A disk that is full at its n-th write, and has space again later, costs nothing.
TEST(JournalCrash, FullDiskAtAnyOperationLosesNothing) {
  bool met_a_failure = true;
  for (std::uint64_t full_at = 1; met_a_failure; ++full_at) {
    SCOPED_TRACE(full_at);
    env::SimDirectory directory(full_at);
    directory.fail_once(full_at, ErrorCode::disk_full);
    std::optional<Opened> opened = open(directory, 1);
    const std::uint64_t operations = directory.operation_count();
    if (!opened) {
      opened = open(directory, 1);
      ASSERT_TRUE(opened.has_value());
    }
    Texts all;
    for (int i = 0; i < kFramesCount; ++i) {
      const Texts frame = frame_of(i, 3);
      Position first;
      (void)opened->journal->prepare_space();
      AppendOutcome outcome = append(*opened->journal, frame, first);
      if (outcome == AppendOutcome::failed) break;  // a sync: the journal is given up
      if (outcome == AppendOutcome::full) {
        ASSERT_TRUE(opened->journal->prepare_space().has_value());
        outcome = append(*opened->journal, frame, first);
      }
      ASSERT_EQ(outcome, AppendOutcome::durable);
      std::ranges::copy(frame, std::back_inserter(all));
    }
    met_a_failure = directory.operation_count() >= full_at || operations == 0;
    opened.reset();
    directory.crash();
    opened = open(directory, 2);
    ASSERT_TRUE(opened.has_value());
    ASSERT_TRUE(opened->found.size() >= all.size());
    ASSERT_TRUE(std::equal(all.begin(), all.end(), opened->found.begin()));
    expect_no_damage(*opened);
    if (testing::Test::HasFatalFailure()) return;
  }
}

// A list of segments cannot be saved before there is space for it. Files that are given up first
// are still on the list after a crash; nothing of them is lost, also if the disk stays full over
// the next start and that one crashes too.
struct GivingUp {
  bool is_power_loss = false;
  std::uint64_t fail_at = 0;       // operation after the disk became full
  std::uint64_t fail_next_at = 0;  // operation after the start on the full disk; 0: no such start
};

void end_process(env::SimDirectory& directory, const GivingUp& how) {
  if (how.is_power_loss) {
    directory.crash();
  } else {
    directory.kill_process();
  }
}

// False if all was done before it was to fail.
bool give_up_on_full_disk(env::SimDirectory& directory, FileJournal& journal, Position kept,
                          std::uint64_t fail_at) {
  directory.set_capacity_bytes(directory.used_bytes());
  const std::uint64_t operations = directory.operation_count();
  directory.fail_after(fail_at);
  (void)(journal.give_back_space(0) && journal.trim(kept) && journal.prepare_space());
  return directory.operation_count() - operations >= fail_at;
}

// Its housekeeping is tried once more by a program that starts when the disk is full.
bool start_on_full_disk(env::SimDirectory& directory, Position kept, std::uint64_t fail_at) {
  directory.set_capacity_bytes(directory.used_bytes());
  const std::uint64_t operations = directory.operation_count();
  directory.fail_after(fail_at);
  if (std::optional<Opened> opened = open(directory, 5)) {
    EXPECT_TRUE(opened->reports.empty()) << opened->reports.front();
    (void)opened->journal->prepare_space();
    (void)opened->journal->trim(kept);
  }
  return directory.operation_count() - operations >= fail_at;
}

void expect_that_giving_up_is_no_damage(const GivingUp& how, bool& failed, bool& failed_next) {
  env::SimDirectory directory(how.fail_at);
  std::optional<Opened> opened = open(directory, 1);
  ASSERT_TRUE(opened.has_value());
  FileJournal& journal = *opened->journal;
  Texts all;
  std::vector<Position> firsts;
  for (int i = 0; i < 2 * kFramesCount; ++i) {
    ASSERT_TRUE(journal.prepare_space().has_value());
    std::ranges::copy(frame_of(i, 3), std::back_inserter(all));
    ASSERT_EQ(append(journal, frame_of(i, 3), firsts.emplace_back()), AppendOutcome::durable);
  }
  ASSERT_GT(journal.usage().segments_count, 3U);
  failed = give_up_on_full_disk(directory, journal, firsts.back(), how.fail_at);
  opened.reset();
  end_process(directory, how);
  failed_next = true;
  if (how.fail_next_at > 0) {
    failed_next = start_on_full_disk(directory, firsts.back(), how.fail_next_at);
    end_process(directory, how);
  }
  directory.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  opened = open(directory, 2);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->reports.empty()) << opened->reports.front();
  ASSERT_FALSE(opened->found.empty());
  EXPECT_TRUE(std::equal(opened->found.rbegin(), opened->found.rend(), all.rbegin()));
}

TEST(JournalCrash, WhatIsGivenUpOnAFullDiskIsNoDamage) {
  for (const bool is_power_loss : {false, true}) {
    bool failed = true;
    for (std::uint64_t fail_at = 1; failed; ++fail_at) {
      bool failed_next = true;
      for (std::uint64_t next = 0; failed_next; ++next) {
        SCOPED_TRACE(fmt::format("fail_at={} next={} power={}", fail_at, next, is_power_loss));
        expect_that_giving_up_is_no_damage(
            {.is_power_loss = is_power_loss, .fail_at = fail_at, .fail_next_at = next}, failed,
            failed_next);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

// The process goes on after an operation of its housekeeping that failed, and is killed then.
void expect_that_one_failure_is_no_damage(std::uint64_t fail_at, bool is_power_loss, bool& failed) {
  env::SimDirectory directory(fail_at);
  std::optional<Opened> opened = open(directory, 1);
  ASSERT_TRUE(opened.has_value());
  FileJournal& journal = *opened->journal;
  const std::uint64_t operations = directory.operation_count();
  directory.fail_once(fail_at);
  constexpr int kFirstKept = 6;
  Texts wanted;
  Position kept;
  for (int i = 0; i < kFramesCount; ++i) {
    (void)journal.prepare_space();
    Position first;
    const AppendOutcome outcome = append(journal, frame_of(i, 3), first);
    if (outcome != AppendOutcome::durable) break;
    if (i >= kFirstKept) std::ranges::copy(frame_of(i, 3), std::back_inserter(wanted));
    if (i == kFirstKept) kept = first;
    if (i == 9) (void)(journal.trim(kept) && journal.give_back_space(0));
  }
  failed = directory.operation_count() - operations >= fail_at;
  opened.reset();
  end_process(directory, {.is_power_loss = is_power_loss});
  opened = open(directory, 2);
  ASSERT_TRUE(opened.has_value());
  expect_no_damage(*opened);
  for (const std::string& text : wanted) {
    EXPECT_NE(std::ranges::find(opened->found, text), opened->found.end()) << text.substr(0, 8);
  }
}

TEST(JournalCrash, OneFailedOperationOfHousekeepingIsNoDamage) {
  for (const bool is_power_loss : {false, true}) {
    bool failed = true;
    for (std::uint64_t fail_at = 1; failed; ++fail_at) {
      SCOPED_TRACE(fmt::format("fail_at={} power={}", fail_at, is_power_loss));
      expect_that_one_failure_is_no_damage(fail_at, is_power_loss, failed);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace eilpost::store
