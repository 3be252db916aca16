#include "support/load/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace eilpost::load {

ScratchFolder::ScratchFolder(std::string path) : path_(std::move(path)) {}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})), is_kept_(other.is_kept_) {}

ScratchFolder::~ScratchFolder() {
  if (path_.empty() || is_kept_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Result<ScratchFolder> ScratchFolder::make(const std::string& parent) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  std::string path = parent.empty() ? program.parent_path().string() : parent;
  path += "/scratch.XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return fail(ErrorCode::disk_failed, path + ": " + std::strerror(errno));
  }
  return ScratchFolder(std::move(path));
}

}  // namespace eilpost::load
