#include "env/real/real_directory.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

std::unexpected<Error> disk_error(const std::string& path, int error_number) {
  ErrorCode code = ErrorCode::disk_failed;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::disk_full;
  if (error_number == ENOENT) code = ErrorCode::not_found;
  return fail(code, path + ": " + reason_of(error_number));
}

// Calls again what a signal interrupted.
template <class Call>
auto uninterrupted(Call call) {
  while (true) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

// Names come from our own code; one that leads out of the folder is a bug.
std::string checked(std::string_view name) {
  EILPOST_ASSERT(!name.empty() && name != "." && name != "..");
  EILPOST_ASSERT(!name.contains('/') && !name.contains('\0'));
  return std::string(name);
}

int flags_of(OpenMode mode) {
  switch (mode) {
    case OpenMode::read:
      return O_RDONLY;
    case OpenMode::write:
      return O_RDWR;
    case OpenMode::create:
      return O_RDWR | O_CREAT;
    case OpenMode::create_new:
      return O_RDWR | O_CREAT | O_TRUNC;
  }
  assert_failed("OpenMode");
}

class RealFile final : public File {
 public:
  RealFile(Descriptor descriptor, std::string path)
      : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> target) override {
    std::size_t done = 0;
    while (done < target.size()) {
      const std::span<std::byte> rest = target.subspan(done);
      const ssize_t count = uninterrupted([&] {
        return pread(descriptor_.get(), rest.data(), rest.size(),
                     static_cast<off_t>(offset + done));
      });
      if (count < 0) return disk_error(path_, errno);
      if (count == 0) break;
      done += static_cast<std::size_t>(count);
    }
    return done;
  }

  [[nodiscard]] Result<void> write_at(std::uint64_t offset, ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = uninterrupted([&] {
        return pwrite(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (count < 0) return disk_error(path_, errno);
      if (count == 0) return fail(ErrorCode::disk_failed, path_ + ": nothing was written");
      bytes = bytes.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  [[nodiscard]] Result<void> sync() override {
    const int result = uninterrupted([&] { return fdatasync(descriptor_.get()); });
    if (result != 0) return disk_error(path_, errno);
    return {};
  }

  [[nodiscard]] Result<void> truncate(std::uint64_t size_bytes) override {
    const int result =
        uninterrupted([&] { return ftruncate(descriptor_.get(), static_cast<off_t>(size_bytes)); });
    if (result != 0) return disk_error(path_, errno);
    return {};
  }

  [[nodiscard]] Result<std::uint64_t> size() override {
    struct stat facts{};
    if (fstat(descriptor_.get(), &facts) != 0) return disk_error(path_, errno);
    return static_cast<std::uint64_t>(facts.st_size);
  }

 private:
  Descriptor descriptor_;
  std::string path_;
};

// A folder's descriptor of its own: it shares neither position nor lock with another one.
Descriptor open_folder(int parent, const std::string& name) {
  return Descriptor(uninterrupted(
      [&] { return openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
}

Result<Descriptor> open_or_make_folder(int parent, const std::string& name,
                                       const std::string& path) {
  if (mkdirat(parent, name.c_str(), kFolderMode) != 0 && errno != EEXIST) {
    return disk_error(path, errno);
  }
  Descriptor descriptor = open_folder(parent, name);
  if (!descriptor.valid()) return disk_error(path, errno);
  return descriptor;
}

}  // namespace

RealDirectory::RealDirectory(Descriptor descriptor, std::string path)
    : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

Result<std::unique_ptr<Directory>> RealDirectory::open_path(const std::string& path) {
  EILPOST_ASSIGN_OR_RETURN(Descriptor descriptor, open_or_make_folder(AT_FDCWD, path, path));
  return std::unique_ptr<Directory>(new RealDirectory(std::move(descriptor), path));
}

Result<std::unique_ptr<File>> RealDirectory::open(std::string_view name, OpenMode mode) {
  const std::string text = checked(name);
  Descriptor descriptor(uninterrupted([&] {
    return openat(descriptor_.get(), text.c_str(), flags_of(mode) | O_CLOEXEC, kFileMode);
  }));
  if (!descriptor.valid()) return disk_error(path_of(name), errno);
  return std::make_unique<RealFile>(std::move(descriptor), path_of(name));
}

Result<bool> RealDirectory::exists(std::string_view name) {
  struct stat facts{};
  if (fstatat(descriptor_.get(), checked(name).c_str(), &facts, AT_SYMLINK_NOFOLLOW) == 0) {
    return true;
  }
  if (errno == ENOENT) return false;
  return disk_error(path_of(name), errno);
}

Result<void> RealDirectory::rename(std::string_view from, std::string_view to) {
  const int folder = descriptor_.get();
  if (renameat(folder, checked(from).c_str(), folder, checked(to).c_str()) == 0) return {};
  return disk_error(path_of(from), errno);
}

Result<void> RealDirectory::remove(std::string_view name) {
  if (unlinkat(descriptor_.get(), checked(name).c_str(), 0) == 0 || errno == ENOENT) return {};
  return disk_error(path_of(name), errno);
}

Result<std::vector<std::string>> RealDirectory::list() {
  Descriptor descriptor = open_folder(descriptor_.get(), ".");
  if (!descriptor.valid()) return disk_error(path_, errno);
  const std::unique_ptr<DIR, decltype(&closedir)> stream(fdopendir(descriptor.get()), closedir);
  if (stream == nullptr) return disk_error(path_, errno);
  descriptor.release();

  std::vector<std::string> names;
  while (true) {
    errno = 0;
    // One thread reads this stream, which is all that readdir() asks for.
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    bool is_plain = entry->d_type == DT_REG;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat facts{};
      is_plain = fstatat(descriptor_.get(), entry->d_name, &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
                 S_ISREG(facts.st_mode);
    }
    if (is_plain) names.emplace_back(entry->d_name);
  }
  if (errno != 0) return disk_error(path_, errno);
  std::ranges::sort(names);
  return names;
}

Result<void> RealDirectory::sync() {
  const int result = uninterrupted([&] { return fsync(descriptor_.get()); });
  if (result != 0) return disk_error(path_, errno);
  return {};
}

Result<std::unique_ptr<Directory>> RealDirectory::subdirectory(std::string_view name) {
  EILPOST_ASSIGN_OR_RETURN(Descriptor descriptor,
                           open_or_make_folder(descriptor_.get(), checked(name), path_of(name)));
  return std::unique_ptr<Directory>(new RealDirectory(std::move(descriptor), path_of(name)));
}

Result<std::uint64_t> RealDirectory::free_bytes() {
  struct statvfs facts{};
  if (uninterrupted([&] { return fstatvfs(descriptor_.get(), &facts); }) != 0) {
    return disk_error(path_, errno);
  }
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

Result<void> RealDirectory::lock() {
  if (uninterrupted([&] { return flock(descriptor_.get(), LOCK_EX | LOCK_NB); }) == 0) return {};
  if (errno == EWOULDBLOCK) return fail(ErrorCode::already_locked, path_);
  return disk_error(path_, errno);
}

std::string RealDirectory::path_of(std::string_view name) const {
  return path_ + "/" + std::string(name);
}

}  // namespace eilpost::env
