#pragma once
// The files of the log, by the journal positions at which their events were accepted.
//
// Threads: one.
// Errors:  those of LogFile. A file that is corrupt, or fails again and again, is set aside
//          (aside.h) and the log goes on without it.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "env/env.h"
#include "history/history.h"
#include "history/log_file.h"

namespace eilpost::history {

class LogFiles final {
 public:
  struct Entry {
    std::string name;
    Position first;   // its events have this accept sequence or a later one
    FileFacts facts;  // as last committed
    std::uint64_t bytes = 0;
    std::unique_ptr<LogFile> file;  // while it is open
    std::uint64_t used_at = 0;
    int failures_count = 0;
    bool is_dirty = false;  // written since the last checkpoint
  };

  // Whether a delivery of an event accepted from `from` on, before `until`, is owed. A file alone
  // may not know: what was settled may still have to be written to it, and never be.
  using OwesBetween = std::function<bool(Position from, Position until)>;

  // Ownership: everything given must outlive the LogFiles.
  LogFiles(env::Env& env, env::Directory& directory, const Options& options,
           std::function<void(std::string_view)> on_trouble, OwesBetween owes_between);
  LogFiles(const LogFiles&) = delete;
  LogFiles& operator=(const LogFiles&) = delete;
  ~LogFiles() = default;

  // Finds the files there are.
  [[nodiscard]] Result<void> load();

  // Oldest first.
  [[nodiscard]] std::vector<std::unique_ptr<Entry>>& entries() { return entries_; }
  // The newest takes new events, those from position() on; it is made if there is none, or the one
  // there is full or old.
  [[nodiscard]] Result<Entry*> newest();
  // The entry in whose stretch `sequence` lies; null if there is none any more.
  [[nodiscard]] Entry* find(Position sequence);
  // Opens its file if need be. A reference lives until the next use() of others, at least
  // kOpenMax - 1 of them.
  [[nodiscard]] Result<LogFile*> use(Entry& entry);
  // Events accepted before it are in the log, or were.
  [[nodiscard]] Position position() const;
  // What happened before it would be in the log after a power loss: it may have undone later
  // changes of one file and not those of another, so all of them are to be written again.
  [[nodiscard]] Position saved_position() const;

  // After a failed operation on `entry`: forgets what was not committed. True: the entry was set
  // aside and is gone.
  bool note_failure(Entry& entry, const Error& error);
  // After a commit.
  void note_commit(Entry& entry);

  // Makes everything committed survive a power loss, which is all before `position`.
  [[nodiscard]] Result<void> checkpoint(Position position);
  void apply_retention(WallTime now);
  // Drops the oldest file in which nothing is owed; false if there is none but the newest.
  bool drop_oldest();
  // Drops the newest file, if nothing is owed in it and it has at least `bytes_min`. The log goes
  // on where it ended.
  bool drop_newest(std::uint64_t bytes_min);
  // Leaves out what is before `position`: it is not written, now or later.
  void skip_to(Position position) { given_up_until_ = std::max(given_up_until_, position); }

  [[nodiscard]] std::uint64_t bytes() const;
  // Of everything in the folder, as it is now.
  [[nodiscard]] std::uint64_t disk_bytes() const;

 private:
  static constexpr std::size_t kOpenMax = 6;

  [[nodiscard]] bool is_full(const Entry& entry) const;
  [[nodiscard]] Result<void> begin_file(Position position);
  void drop_leftovers();
  // Begins a new file at the position there is.
  [[nodiscard]] Result<void> retire_newest();
  void measure(Entry& entry);
  [[nodiscard]] std::uint64_t size_of(const std::string& name) const;
  void drop(std::size_t index);
  void set_aside(Entry& entry, const Error& error);
  [[nodiscard]] bool is_droppable(std::size_t index) const;
  void close_least_used();

  env::Env& env_;
  env::Directory& directory_;
  const Options options_;
  const std::function<void(std::string_view)> on_trouble_;
  const OwesBetween owes_between_;
  std::vector<std::unique_ptr<Entry>> entries_;
  Position given_up_until_;
  std::uint64_t uses_count_ = 0;
};

}  // namespace eilpost::history
