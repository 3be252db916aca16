#pragma once
// A disk in memory that forgets what was not synced, and fails on command.
//
// The model of a power loss. Of a file: what was written, and cut, since its last sync() survives
// wholly, partly (by sectors, in any order; new sectors may hold garbage) or not at all. Of a
// folder: creations, renames and removals since its last sync() survive as a prefix, each whole. A
// folder made by subdirectory() survives at once. So a File that was synced is there after a crash
// only if its folder was synced after it got its name.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "env/directory.h"

namespace eilpost::env {

// Contents by path, such as "history/2026.db".
using SimDiskImage = std::map<std::string, Bytes, std::less<>>;

// The root folder and, with its subfolders, the whole disk: faults and counters are common to all.
// Paths below are from the root: "journal/MANIFEST".
//
// Threads: one.
class SimDirectory final : public Directory {
 public:
  static constexpr std::uint64_t kCapacityDefault = 1ULL << 40U;

  explicit SimDirectory(std::uint64_t seed);
  SimDirectory(std::uint64_t seed, const SimDiskImage& image);
  SimDirectory(const SimDirectory&) = delete;
  SimDirectory& operator=(const SimDirectory&) = delete;
  ~SimDirectory() override;

  [[nodiscard]] Result<std::unique_ptr<File>> open(std::string_view name, OpenMode mode) override;
  [[nodiscard]] Result<bool> exists(std::string_view name) override;
  [[nodiscard]] Result<void> rename(std::string_view from, std::string_view to) override;
  [[nodiscard]] Result<void> remove(std::string_view name) override;
  [[nodiscard]] Result<std::vector<std::string>> list() override;
  [[nodiscard]] Result<void> sync() override;
  [[nodiscard]] Result<std::unique_ptr<Directory>> subdirectory(std::string_view name) override;
  [[nodiscard]] Result<std::uint64_t> free_bytes() override;
  [[nodiscard]] Result<void> lock() override;

  // The power goes off and comes back. Files and subfolders opened before are dead: every call
  // fails with disk_failed. Ordered failures are forgotten, locks released.
  void crash();
  // The process ends and another begins: like crash(), but all that was written is there, and none
  // of it more durable than before.
  void kill_process();
  // While it is off, every call fails with disk_failed.
  void set_power(bool is_on);

  // An operation is a call that changes something: File::write_at, sync and truncate, an open()
  // that makes or empties a file, rename, remove, Directory::sync.
  [[nodiscard]] std::uint64_t operation_count() const;
  // The `count`-th operation from now on and all after it fail with disk_failed; 0: none does. A
  // write that fails may have written its first bytes; what a failed sync was to make durable may
  // be lost though a later one succeeds.
  void fail_after(std::uint64_t count);
  // The `count`-th rename or removal of a file whose name begins with `prefix` fails, and all
  // operations after it.
  void fail_after_names(std::uint64_t count, std::string_view prefix);
  // Only the `count`-th operation from now on fails.
  void fail_once(std::uint64_t count, ErrorCode code = ErrorCode::disk_failed);

  // A write that would make all files together larger fails with disk_full; its first bytes may
  // have been written.
  void set_capacity_bytes(std::uint64_t capacity_bytes);
  [[nodiscard]] std::uint64_t used_bytes() const;

  // Damage. REQUIRES: the file exists (and is longer than `offset`).
  void fail_reads(std::string_view path, bool fails = true);
  void flip_bit(std::string_view path, std::uint64_t offset, unsigned bit = 0);
  // Puts a file there as if it had been synced, its folder too.
  void plant(std::string_view path, ByteView bytes);

  // What programs see, and what is sure to survive a power loss.
  [[nodiscard]] SimDiskImage image() const;
  [[nodiscard]] SimDiskImage durable_image() const;

 private:
  class Disk;
  struct Folder;
  class FolderHandle;
  class FileHandle;

  std::unique_ptr<Disk> disk_;
  std::unique_ptr<FolderHandle> root_;
};

}  // namespace eilpost::env
