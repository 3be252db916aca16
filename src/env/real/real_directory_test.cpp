#include "env/real/real_directory.h"

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include "env/real/real_entropy.h"

namespace eilpost::env {
namespace {

class RealDirectoryTest : public ::testing::Test {
 protected:
  RealDirectoryTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "eilpost-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
    directory_ = RealDirectory::open_path(path_ + "/data").value();
  }
  ~RealDirectoryTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  void put(std::string_view name, std::string_view text) {
    const auto file = directory_->open(name, OpenMode::create_new).value();
    ASSERT_TRUE(file->write_at(0, as_bytes(text)).has_value());
  }

  std::string content(std::string_view name) {
    const Result<Bytes> bytes = read_file(*directory_, name, 1 << 20);
    return bytes ? std::string(as_text(*bytes)) : bytes.error().detail;
  }

  [[nodiscard]] mode_t mode_of(const std::string& name) const {
    struct stat facts{};
    EXPECT_EQ(stat((path_ + "/data/" + name).c_str(), &facts), 0);
    return facts.st_mode & 07777U;
  }

  std::string path_;
  std::unique_ptr<Directory> directory_;
};

TEST_F(RealDirectoryTest, BytesAreReadBackFromWhereTheyWereWritten) {
  const auto file = directory_->open("a", OpenMode::create).value();
  EXPECT_TRUE(file->write_at(0, as_bytes("0123456789")).has_value());
  EXPECT_TRUE(file->write_at(5, as_bytes("fghijkl")).has_value());
  EXPECT_TRUE(file->sync().has_value());
  EXPECT_EQ(file->size().value(), 12U);
  std::byte buffer[4];
  EXPECT_EQ(file->read_at(4, buffer).value(), 4U);
  EXPECT_EQ(as_text(buffer), "4fgh");
  EXPECT_EQ(file->read_at(10, buffer).value(), 2U);
  EXPECT_EQ(file->read_at(12, buffer).value(), 0U);
  EXPECT_EQ(file->read_at(100, buffer).value(), 0U);
}

TEST_F(RealDirectoryTest, WriteBeyondTheEndLeavesZeros) {
  const auto file = directory_->open("a", OpenMode::create).value();
  EXPECT_TRUE(file->write_at(4, as_bytes("x")).has_value());
  EXPECT_EQ(content("a"), std::string("\0\0\0\0x", 5));
}

TEST_F(RealDirectoryTest, TruncateCutsAndGrows) {
  put("a", "0123456789");
  const auto file = directory_->open("a", OpenMode::write).value();
  EXPECT_TRUE(file->truncate(3).has_value());
  EXPECT_EQ(content("a"), "012");
  EXPECT_TRUE(file->truncate(5).has_value());
  EXPECT_EQ(content("a"), std::string("012\0\0", 5));
}

TEST_F(RealDirectoryTest, ModesOfOpeningDoWhatTheySay) {
  for (const OpenMode mode : {OpenMode::read, OpenMode::write}) {
    const auto missing = directory_->open("a", mode);
    ASSERT_FALSE(missing.has_value());
    EXPECT_EQ(missing.error().code, ErrorCode::not_found);
    EXPECT_EQ(missing.error().detail, path_ + "/data/a: No such file or directory");
  }
  put("a", "old");
  EXPECT_TRUE(directory_->open("a", OpenMode::create).has_value());
  EXPECT_EQ(content("a"), "old");
  const auto read_only = directory_->open("a", OpenMode::read).value();
  const Result<void> written = read_only->write_at(0, as_bytes("x"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::disk_failed);
  EXPECT_TRUE(directory_->open("a", OpenMode::create_new).has_value());
  EXPECT_EQ(content("a"), "");
}

TEST_F(RealDirectoryTest, OnlyTheOwnerMayReadWhatIsMade) {
  const mode_t old_mask = umask(0);
  put("a", "secret");
  EXPECT_TRUE(directory_->subdirectory("inner").has_value());
  umask(old_mask);
  EXPECT_EQ(mode_of("a"), 0600U);
  EXPECT_EQ(mode_of("inner"), 0700U);
  EXPECT_EQ(mode_of(""), 0700U);
}

TEST_F(RealDirectoryTest, FilesAreRenamedRemovedAndListed) {
  put("b", "b");
  put("a", "a");
  put("c", "c");
  EXPECT_TRUE(directory_->subdirectory("folder").has_value());
  EXPECT_EQ(directory_->list().value(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(directory_->rename("a", "b").has_value());
  EXPECT_TRUE(directory_->remove("c").has_value());
  EXPECT_TRUE(directory_->remove("c").has_value());
  EXPECT_TRUE(directory_->sync().has_value());
  EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"b"});
  EXPECT_EQ(content("b"), "a");
  EXPECT_TRUE(directory_->exists("b").value());
  EXPECT_FALSE(directory_->exists("a").value());
  const Result<void> missing = directory_->rename("nothing", "x");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

TEST_F(RealDirectoryTest, FolderStaysTheSameWhenItIsMoved) {
  std::filesystem::rename(path_ + "/data", path_ + "/moved");
  put("a", "a");
  EXPECT_TRUE(std::filesystem::exists(path_ + "/moved/a"));
}

TEST_F(RealDirectoryTest, SubdirectoriesAreFoldersOfTheirOwn) {
  const auto inner = directory_->subdirectory("inner").value();
  EXPECT_TRUE(replace_file(*inner, "a", as_bytes("inside")).has_value());
  EXPECT_FALSE(directory_->exists("a").value());
  const auto again = directory_->subdirectory("inner").value();
  EXPECT_EQ(again->list().value(), std::vector<std::string>{"a"});
  put("file", "x");
  const auto not_a_folder = directory_->subdirectory("file");
  ASSERT_FALSE(not_a_folder.has_value());
  EXPECT_EQ(not_a_folder.error().code, ErrorCode::disk_failed);
}

TEST_F(RealDirectoryTest, ReplacedFileIsWholeAndLeavesNoTemporary) {
  EXPECT_TRUE(replace_file(*directory_, "a", as_bytes("one")).has_value());
  EXPECT_TRUE(replace_file(*directory_, "a", as_bytes("second")).has_value());
  EXPECT_EQ(content("a"), "second");
  EXPECT_EQ(directory_->list().value(), std::vector<std::string>{"a"});
}

TEST_F(RealDirectoryTest, LockHoldsUntilTheDirectoryIsDestroyed) {
  EXPECT_TRUE(directory_->lock().has_value());
  // Looking into the folder must not loosen the lock.
  EXPECT_TRUE(directory_->list().has_value());
  const auto second = RealDirectory::open_path(path_ + "/data").value();
  const Result<void> refused = second->lock();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::already_locked);
  EXPECT_EQ(refused.error().detail, path_ + "/data");
  directory_.reset();
  EXPECT_TRUE(second->lock().has_value());
}

TEST_F(RealDirectoryTest, FolderWithoutParentIsNotFound) {
  const auto directory = RealDirectory::open_path(path_ + "/no/such");
  ASSERT_FALSE(directory.has_value());
  EXPECT_EQ(directory.error().code, ErrorCode::not_found);
}

TEST_F(RealDirectoryTest, FreeBytesAreThoseOfTheFileSystem) {
  const std::uint64_t free_bytes = directory_->free_bytes().value();
  const auto expected = std::filesystem::space(path_).available;
  EXPECT_GT(free_bytes, 0U);
  // Others write meanwhile.
  EXPECT_NEAR(static_cast<double>(free_bytes), static_cast<double>(expected), 1e9);
}

TEST_F(RealDirectoryTest, FailedWriteSaysWhichFileAndWhy) {
  const auto file = directory_->open("a", OpenMode::create).value();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small{.rlim_cur = 1000, .rlim_max = old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  // The first thousand bytes still go: a short write, then the refusal.
  const Result<void> written = file->write_at(0, as_bytes(std::string(2000, 'x')));
  setrlimit(RLIMIT_FSIZE, &old);
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::disk_failed);
  EXPECT_EQ(written.error().detail, path_ + "/data/a: File too large");
  EXPECT_EQ(file->size().value(), 1000U);
}

TEST(RealDirectory, FullDiskIsToldFromABrokenOne) {
  // Every write to this device fails with "No space left on device".
  const auto devices = RealDirectory::open_path("/dev").value();
  const auto full = devices->open("full", OpenMode::write);
  if (!full) GTEST_SKIP() << "no /dev/full here";
  const Result<void> written = (*full)->write_at(0, as_bytes("x"));
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::disk_full);
  EXPECT_EQ(written.error().detail, "/dev/full: No space left on device");
}

TEST(RealEntropy, FillsEveryByteDifferentlyEachTime) {
  RealEntropy entropy;
  std::vector<std::byte> first(1000);
  std::vector<std::byte> second(1000);
  entropy.fill(first);
  entropy.fill(second);
  EXPECT_NE(first, second);
  // Were the tail left out, these would all be zero: one chance in 2^128.
  EXPECT_FALSE(
      std::all_of(first.end() - 16, first.end(), [](std::byte b) { return b == std::byte{}; }));
  entropy.fill({});
}

}  // namespace
}  // namespace eilpost::env
