#pragma once
// The part of a file system that Eilpost needs. Every call blocks: use it on a Worker.
//
// Durability: bytes written survive a power loss only after File::sync(); a file created, renamed
// or
//             removed stays so only after Directory::sync().
// Errors:     disk_full, disk_failed, not_found; `detail` names the file and the system's reason.
//             After a failed sync() the File must be given up: what an earlier write wrote may be
//             gone even if a second sync() succeeds.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace eilpost::env {

enum class OpenMode : std::uint8_t {
  read,        // must exist
  write,       // read and write; must exist
  create,      // read and write; made if it is missing
  create_new,  // read and write; emptied if it exists
};

// Ownership: destroying a File closes it without a sync.
// Threads:   read_at() from several threads at once; every other call from one thread at a time.
class File {
 public:
  virtual ~File() = default;

  // Reads up to target.size() bytes; fewer only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    std::span<std::byte> target) = 0;

  // Writes all of `bytes`, growing the file if need be.
  [[nodiscard]] virtual Result<void> write_at(std::uint64_t offset, ByteView bytes) = 0;

  // Makes everything written so far, and the file's size, survive a power loss (fdatasync).
  [[nodiscard]] virtual Result<void> sync() = 0;

  [[nodiscard]] virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

// Names are single path components. Threads: any, also at once.
class Directory {
 public:
  virtual ~Directory() = default;

  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(std::string_view name,
                                                           OpenMode mode) = 0;
  [[nodiscard]] virtual Result<bool> exists(std::string_view name) = 0;
  [[nodiscard]] virtual Result<void> rename(std::string_view from, std::string_view to) = 0;
  // Removing what is not there succeeds.
  [[nodiscard]] virtual Result<void> remove(std::string_view name) = 0;
  // Names of the plain files, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list() = 0;
  // Makes creations, renames and removals survive a power loss.
  [[nodiscard]] virtual Result<void> sync() = 0;
  // Opens a folder inside this one; made (mode 0700) if it is missing.
  [[nodiscard]] virtual Result<std::unique_ptr<Directory>> subdirectory(std::string_view name) = 0;
  // Bytes that an unprivileged process may still write on this file system.
  [[nodiscard]] virtual Result<std::uint64_t> free_bytes() = 0;
  // Holds the folder for this process until the Directory is destroyed. Errors: already_locked.
  [[nodiscard]] virtual Result<void> lock() = 0;
};

// The whole content of a file. Errors: not_found, disk_failed, too_large above `bytes_max`.
[[nodiscard]] Result<Bytes> read_file(Directory& directory, std::string_view name,
                                      std::uint64_t bytes_max);

// Puts a whole file in place so that after a crash either the old or the new one is there: writes a
// temporary file, syncs it, renames it, syncs the directory.
[[nodiscard]] Result<void> replace_file(Directory& directory, std::string_view name,
                                        ByteView bytes);

}  // namespace eilpost::env
