#pragma once
// SQLite's file access over env::Directory. Internal to database/.
//
// One connection a file: the Directory's lock keeps other processes out, and locking_mode=EXCLUSIVE
// keeps the WAL's index in memory, so there is neither file locking nor shared memory here.

#include <memory>
#include <sqlite3.h>
#include <string>

#include "env/clock.h"
#include "env/directory.h"
#include "env/entropy.h"

namespace eilpost::database {

// Registered with SQLite as long as it lives. Ownership: everything given must outlive it, and it
// every connection opened through it.
class DirectoryVfs final {
 public:
  DirectoryVfs(env::Directory& directory, env::Entropy& entropy, const env::Clock& clock);
  ~DirectoryVfs();
  DirectoryVfs(const DirectoryVfs&) = delete;
  DirectoryVfs& operator=(const DirectoryVfs&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  // What went wrong in the last call that failed: SQLite keeps only a number.
  [[nodiscard]] const Error& last_error() const { return last_error_; }

 private:
  friend struct VfsCalls;

  int remember(const Error& error, int code);

  env::Directory& directory_;
  env::Entropy& entropy_;
  const env::Clock& clock_;
  std::string name_;
  sqlite3_vfs vfs_{};
  Error last_error_{.code = ErrorCode::database_failed, .detail = {}};
};

}  // namespace eilpost::database
