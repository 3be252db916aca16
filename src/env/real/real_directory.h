#pragma once
// A folder of the file system. Folders are made with mode 0700, files with 0600.

#include <string>

#include "env/directory.h"
#include "env/real/system.h"

namespace eilpost::env {

// Everything goes through the folder's descriptor, so it stays the same folder when it is moved.
class RealDirectory final : public Directory {
 public:
  // Opens the folder at `path`, made (not its parents) if it is missing.
  // Errors: not_found, disk_failed, disk_full.
  [[nodiscard]] static Result<std::unique_ptr<Directory>> open_path(const std::string& path);

  [[nodiscard]] Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override;
  [[nodiscard]] Result<bool> exists(std::string_view name) override;
  [[nodiscard]] Result<void> rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] Result<void> remove(std::string_view name) override;
  [[nodiscard]] Result<std::vector<std::string>> list() override;
  [[nodiscard]] Result<void> sync() override;
  [[nodiscard]] Result<std::unique_ptr<Directory>> subdirectory(std::string_view name) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes() override;
  [[nodiscard]] Result<void> lock() override;

 private:
  RealDirectory(Descriptor descriptor, std::string path);

  [[nodiscard]] std::string path_of(std::string_view name) const;

  Descriptor descriptor_;
  std::string path_;  // for the words of errors
};

}  // namespace eilpost::env
