#pragma once
// A new, empty folder beside the running program (so on a real disk, where /tmp may be none).
// Destroying it removes it with all that is in it, unless it shall be kept.

#include <string>

#include "base/result.h"

namespace eilpost::load {

class ScratchFolder final {
 public:
  // A new one in `parent`; empty: beside the running program. Errors: disk_failed.
  [[nodiscard]] static Result<ScratchFolder> make(const std::string& parent);

  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  void keep() { is_kept_ = true; }

 private:
  explicit ScratchFolder(std::string path);

  std::string path_;
  bool is_kept_ = false;
};

}  // namespace eilpost::load
