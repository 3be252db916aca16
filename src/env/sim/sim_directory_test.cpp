#include "env/sim/sim_directory.h"

#include <gtest/gtest.h>
#include <set>
#include <string>

#include "base/random.h"
#include "env/sim/sim_inode.h"

namespace eilpost::env {
namespace {

std::string content_of(Directory& directory, std::string_view name) {
  const Result<Bytes> bytes = read_file(directory, name, 1ULL << 30U);
  return bytes ? std::string(as_text(*bytes)) : std::string(name_of(bytes.error().code));
}

void write(File& file, std::uint64_t offset, std::string_view text) {
  ASSERT_TRUE(file.write_at(offset, as_bytes(text)).has_value());
}

void write_synced(Directory& directory, std::string_view name, std::string_view text) {
  const auto file = directory.open(name, OpenMode::create_new).value();
  write(*file, 0, text);
  ASSERT_TRUE(file->sync().has_value());
  ASSERT_TRUE(directory.sync().has_value());
}

TEST(SimDirectory, BehavesLikeADirectory) {
  SimDirectory directory(1);
  EXPECT_EQ(directory.open("a", OpenMode::read).error().code, ErrorCode::not_found);
  EXPECT_EQ(directory.open("a", OpenMode::write).error().code, ErrorCode::not_found);
  {
    const auto file = directory.open("a", OpenMode::create).value();
    write(*file, 3, "xyz");
    EXPECT_EQ(file->size().value(), 6U);
    Bytes buffer(10);
    EXPECT_EQ(file->read_at(4, buffer).value(), 2U);
    EXPECT_EQ(as_text(ByteView(buffer).first(2)), "yz");
    EXPECT_EQ(file->read_at(6, buffer).value(), 0U);
    ASSERT_TRUE(file->truncate(4).has_value());
    ASSERT_TRUE(file->truncate(6).has_value());
  }
  EXPECT_EQ(content_of(directory, "a"), std::string("\0\0\0x\0\0", 6));
  EXPECT_EQ(directory.open("a", OpenMode::create).value()->size().value(), 6U);
  EXPECT_EQ(directory.open("a", OpenMode::create_new).value()->size().value(), 0U);

  write_synced(directory, "b", "bee");
  EXPECT_EQ(directory.list().value(), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(directory.rename("b", "a").has_value());
  EXPECT_EQ(content_of(directory, "a"), "bee");
  EXPECT_FALSE(directory.exists("b").value());
  EXPECT_EQ(directory.rename("b", "c").error().code, ErrorCode::not_found);
  EXPECT_TRUE(directory.remove("b").has_value());
  ASSERT_TRUE(directory.remove("a").has_value());
  EXPECT_EQ(directory.list().value(), std::vector<std::string>{});
}

TEST(SimDirectory, FileOpenedForReadingCannotBeWritten) {
  SimDirectory directory(1);
  directory.plant("a", as_bytes("x"));
  const auto file = directory.open("a", OpenMode::read).value();
  EXPECT_EQ(file->write_at(0, as_bytes("y")).error().code, ErrorCode::disk_failed);
  EXPECT_EQ(file->truncate(0).error().code, ErrorCode::disk_failed);
  EXPECT_EQ(content_of(directory, "a"), "x");
}

TEST(SimDirectory, RemovedFileLivesOnForWhoHasItOpen) {
  SimDirectory directory(1);
  directory.plant("a", as_bytes("x"));
  const auto file = directory.open("a", OpenMode::read).value();
  ASSERT_TRUE(directory.remove("a").has_value());
  Bytes buffer(1);
  EXPECT_EQ(file->read_at(0, buffer).value(), 1U);
}

TEST(SimDirectory, SubdirectoriesAreApartButShareFaultsAndSpace) {
  SimDirectory directory(1);
  const auto inner = directory.subdirectory("inner").value();
  write_synced(*inner, "a", "inside");
  EXPECT_FALSE(directory.exists("a").value());
  EXPECT_EQ(directory.list().value(), std::vector<std::string>{});
  EXPECT_EQ(as_text(directory.image().at("inner/a")), "inside");
  EXPECT_EQ(directory.used_bytes(), 6U);
  EXPECT_EQ(content_of(*directory.subdirectory("inner").value(), "a"), "inside");

  directory.fail_after(1);
  EXPECT_FALSE(inner->remove("a").has_value());
  EXPECT_FALSE(directory.sync().has_value());
  directory.crash();
  EXPECT_FALSE(inner->list().has_value());
  EXPECT_EQ(content_of(*directory.subdirectory("inner").value(), "a"), "inside");
}

TEST(SimDirectory, LockIsHeldUntilTheHandleOrTheProcessEnds) {
  SimDirectory directory(1);
  auto first = directory.subdirectory("inner").value();
  auto second = directory.subdirectory("inner").value();
  ASSERT_TRUE(first->lock().has_value());
  EXPECT_EQ(second->lock().error().code, ErrorCode::already_locked);
  first.reset();
  ASSERT_TRUE(second->lock().has_value());
  directory.kill_process();
  auto third = directory.subdirectory("inner").value();
  ASSERT_TRUE(third->lock().has_value());
  second.reset();  // A dead handle lets go of nothing.
  EXPECT_EQ(directory.subdirectory("inner").value()->lock().error().code,
            ErrorCode::already_locked);
}

TEST(SimDirectory, NthOperationAndAllAfterItFail) {
  SimDirectory directory(1);
  const std::uint64_t before = directory.operation_count();
  const auto file = directory.open("a", OpenMode::create).value();
  write(*file, 0, "abc");
  ASSERT_TRUE(file->sync().has_value());
  EXPECT_EQ(directory.operation_count() - before, 3U);
  directory.fail_after(2);
  write(*file, 0, "xyz");
  EXPECT_EQ(file->sync().error().code, ErrorCode::disk_failed);
  EXPECT_EQ(file->write_at(0, as_bytes("u")).error().code, ErrorCode::disk_failed);
  EXPECT_EQ(file->truncate(0).error().code, ErrorCode::disk_failed);
  EXPECT_FALSE(directory.open("new", OpenMode::create).has_value());
  EXPECT_FALSE(directory.rename("a", "b").has_value());
  EXPECT_FALSE(directory.remove("a").has_value());
  EXPECT_FALSE(directory.sync().has_value());
  EXPECT_EQ(directory.list().value(), std::vector<std::string>{"a"});
  EXPECT_EQ(file->size().value(), 3U);  // Reading goes on.
  directory.fail_after(0);
  EXPECT_TRUE(directory.sync().has_value());
}

TEST(SimDirectory, OneFailureAlone) {
  SimDirectory directory(1);
  const auto file = directory.open("a", OpenMode::create).value();
  directory.fail_once(2, ErrorCode::disk_full);
  write(*file, 0, "abc");
  EXPECT_EQ(file->write_at(3, as_bytes("def")).error().code, ErrorCode::disk_full);
  EXPECT_TRUE(file->sync().has_value());
}

TEST(SimDirectory, FullDiskRefusesGrowthOnly) {
  SimDirectory directory(1);
  const auto file = directory.open("a", OpenMode::create).value();
  write(*file, 0, "0123456789");
  directory.set_capacity_bytes(12);
  EXPECT_EQ(directory.free_bytes().value(), 2U);
  write(*file, 0, "abc");
  EXPECT_EQ(file->write_at(8, as_bytes("vwxyz")).error().code, ErrorCode::disk_full);
  EXPECT_LE(file->size().value(), 12U);
  EXPECT_LE(directory.used_bytes(), 12U);
  write(*file, 9, "xyz");
  EXPECT_EQ(directory.free_bytes().value(), 0U);
  directory.set_capacity_bytes(20);
  write(*file, 12, "more");
  EXPECT_EQ(directory.free_bytes().value(), 4U);
  ASSERT_TRUE(directory.remove("a").has_value());
  EXPECT_EQ(directory.free_bytes().value(), 20U);
}

TEST(SimDirectory, DamageIsWhereItWasPut) {
  SimDirectory directory(1);
  directory.plant("folder/a", as_bytes("abc"));
  const auto folder = directory.subdirectory("folder").value();
  directory.flip_bit("folder/a", 1, 2);
  EXPECT_EQ(content_of(*folder, "a"), "afc");
  directory.crash();
  const auto reopened = directory.subdirectory("folder").value();
  EXPECT_EQ(content_of(*reopened, "a"), "afc");
  directory.fail_reads("folder/a");
  EXPECT_EQ(content_of(*reopened, "a"), "disk_failed");
  directory.fail_reads("folder/a", false);
  EXPECT_EQ(content_of(*reopened, "a"), "afc");
}

TEST(SimDirectory, ImageMakesAnEqualDisk) {
  SimDirectory directory(1);
  write_synced(directory, "a", "synced");
  const auto file = directory.open("a", OpenMode::write).value();
  write(*file, 6, " and not");
  const SimDirectory copy(2, directory.durable_image());
  EXPECT_EQ(as_text(copy.image().at("a")), "synced");
  const SimDirectory seen(2, directory.image());
  EXPECT_EQ(as_text(seen.image().at("a")), "synced and not");
}

TEST(SimDirectory, HandlesOfBeforeACrashAreDead) {
  SimDirectory directory(1);
  write_synced(directory, "a", "x");
  const auto file = directory.open("a", OpenMode::write).value();
  directory.crash();
  Bytes buffer(1);
  EXPECT_FALSE(file->read_at(0, buffer).has_value());
  EXPECT_FALSE(file->write_at(0, as_bytes("y")).has_value());
  EXPECT_FALSE(file->sync().has_value());
  EXPECT_FALSE(file->size().has_value());
  EXPECT_EQ(content_of(directory, "a"), "x");
}

TEST(SimDirectory, LargeZeroedFilesCostNothing) {
  SimDirectory directory(1);
  const auto file = directory.open("a", OpenMode::create).value();
  const Bytes zeros(1 << 20);
  for (std::uint64_t i = 0; i < 64; ++i) {
    ASSERT_TRUE(file->write_at(i << 20U, zeros).has_value());
  }
  ASSERT_TRUE(file->sync().has_value());
  write(*file, 40 << 20, "x");
  EXPECT_EQ(file->size().value(), 64U << 20U);
  Bytes two(2);
  EXPECT_EQ(file->read_at((40 << 20) - 1, two).value(), 2U);
  EXPECT_EQ(as_text(two), std::string_view("\0x", 2));
}

// What was synced, with its name, survives every crash; the rest may be lost.
TEST(SimDirectoryCrashProperty, SyncedBytesAreAlwaysThere) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SimDirectory directory(seed);
    const std::string synced(1500, 's');
    write_synced(directory, "a", synced);
    const auto file = directory.open("a", OpenMode::write).value();
    write(*file, 1500, std::string(600, 'u'));
    directory.crash();
    const std::string content = content_of(directory, "a");
    ASSERT_EQ(content.substr(0, 1500), synced) << seed;
    ASSERT_LE(content.size(), 2100U);
    const std::string tail = content.substr(1500);
    if (tail.empty()) {
      outcomes.insert("lost");
    } else if (tail == std::string(600, 'u')) {
      outcomes.insert("kept");
    } else if (tail.find_first_not_of('u') == std::string::npos) {
      outcomes.insert("torn");
    } else if (tail.starts_with(std::string(36, '\0'))) {
      outcomes.insert("hole");
    } else {
      outcomes.insert("garbage");
    }
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"lost", "kept", "torn", "hole", "garbage"}));
}

// Overwriting in place: each sector is old or new, and nothing else.
TEST(SimDirectoryCrashProperty, SectorsAreOldOrNew) {
  std::set<std::string> patterns;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "a", std::string(3 * kSimSectorBytes, 'o'));
    const auto file = directory.open("a", OpenMode::write).value();
    write(*file, 0, std::string(3 * kSimSectorBytes, 'n'));
    directory.crash();
    const std::string content = content_of(directory, "a");
    ASSERT_EQ(content.size(), 3 * kSimSectorBytes);
    std::string pattern;
    for (std::size_t i = 0; i < 3; ++i) {
      const std::string sector = content.substr(i * kSimSectorBytes, kSimSectorBytes);
      ASSERT_TRUE(sector == std::string(kSimSectorBytes, 'o') ||
                  sector == std::string(kSimSectorBytes, 'n'));
      pattern += sector[0];
    }
    patterns.insert(pattern);
  }
  EXPECT_EQ(patterns.size(), 8U);
}

// Later writes may survive while earlier ones do not, or only in part: nothing but sync() orders
// them. (The first write has two sectors, the second one.)
TEST(SimDirectoryCrashProperty, UnsyncedWritesMaySurviveOutOfOrder) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "a", std::string(3 * kSimSectorBytes, '-'));
    const auto file = directory.open("a", OpenMode::write).value();
    write(*file, 0, std::string(2 * kSimSectorBytes, '1'));
    write(*file, 2 * kSimSectorBytes, "2");
    directory.crash();
    const std::string content = content_of(directory, "a");
    seen.insert({content[0], content[kSimSectorBytes], content[2 * kSimSectorBytes]});
  }
  EXPECT_EQ(seen, (std::set<std::string>{"---", "1--", "-1-", "11-", "--2", "1-2", "-12", "112"}));
}

TEST(SimDirectoryCrashProperty, NamesSurviveAsAPrefix) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "old", "o");
    for (const char* name : {"a", "b", "c"}) {
      const auto file = directory.open(name, OpenMode::create).value();
      ASSERT_TRUE(file->sync().has_value());  // Of the file, not of the folder.
    }
    ASSERT_TRUE(directory.remove("old").has_value());
    directory.crash();
    std::string names;
    const std::vector<std::string> listed = directory.list().value();
    for (const std::string& name : listed) names += name + " ";
    seen.insert(names);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"old ", "a old ", "a b old ", "a b c old ", "a b c "}));
}

TEST(SimDirectoryCrashProperty, SyncedFolderKeepsItsNames) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "a", "x");
    ASSERT_TRUE(directory.rename("a", "b").has_value());
    ASSERT_TRUE(directory.sync().has_value());
    directory.crash();
    ASSERT_EQ(directory.list().value(), std::vector<std::string>{"b"});
    ASSERT_EQ(content_of(directory, "b"), "x");
  }
}

TEST(SimDirectoryCrashProperty, UnsyncedTruncationMayComeBack) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "a", "content");
    ASSERT_TRUE(directory.open("a", OpenMode::create_new).has_value());
    directory.crash();
    seen.insert(content_of(directory, "a"));
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "content"}));
}

TEST(SimDirectoryCrashProperty, FailedSyncMayLoseWhatALaterOneSeemsToSave) {
  int lost = 0;
  int kept = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDirectory directory(seed);
    write_synced(directory, "a", "old");
    const auto file = directory.open("a", OpenMode::write).value();
    write(*file, 0, "new");
    directory.fail_once(1);
    ASSERT_FALSE(file->sync().has_value());
    ASSERT_TRUE(file->sync().has_value());
    ASSERT_EQ(content_of(directory, "a"), "new");
    directory.crash();
    const std::string content = content_of(directory, "a");
    ASSERT_TRUE(content == "old" || content == "new");
    ++(content == "old" ? lost : kept);
  }
  EXPECT_GT(lost, 20);
  EXPECT_GT(kept, 20);
}

TEST(SimDirectoryCrashProperty, FailedWriteLeavesAPrefix) {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimDirectory directory(seed);
    const auto file = directory.open("a", OpenMode::create).value();
    directory.fail_once(1);
    ASSERT_FALSE(file->write_at(0, as_bytes("abcd")).has_value());
    const std::string content = content_of(directory, "a");
    ASSERT_TRUE(std::string_view("abcd").starts_with(content));
    sizes.insert(content.size());
  }
  EXPECT_EQ(sizes.size(), 5U);
}

// replace_file() cut off at every operation, by a failing disk or a power loss: the file is always
// the old one or the new one, whole, and the new one once replace_file() said so.
TEST(ReplaceFileProperty, IsAtomicUnderCrashesAndFailures) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(seed);
    const std::string old_content(random.below(3000), 'o');
    const std::string new_content(random.below(3000), 'n');
    SimDirectory directory(seed);
    ASSERT_TRUE(replace_file(directory, "a", as_bytes(old_content)).has_value());
    directory.fail_after(random.below(7));  // It takes five operations.
    const bool is_done = replace_file(directory, "a", as_bytes(new_content)).has_value();
    directory.crash();
    const std::string content = content_of(directory, "a");
    if (is_done) {
      ASSERT_EQ(content, new_content) << seed;
    } else {
      ASSERT_TRUE(content == old_content || content == new_content) << seed;
    }
    seen.insert(is_done ? "done" : content == old_content ? "old" : "new");
  }
  EXPECT_EQ(seen, (std::set<std::string>{"done", "old", "new"}));
}

}  // namespace
}  // namespace eilpost::env
