#pragma once
// Recognises events that were accepted before: same source, id and end user, within the window.
//
// The newest ids are a table in memory, rebuilt from the journal; after an hour, or when it is
// full, it becomes a sorted file. A file is given up when all of it is older than the window or
// there are more ids than allowed, so an id is known for at least, and an hour at most beyond, it.
// Where tables become files sooner, for want of space, those of an hour are merged.
//
// Threads: fingerprint() from any thread; a job on any; everything else on one thread.
// Errors:  a file that is damaged is reported and forgotten: its ids count as new.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/result.h"
#include "base/time.h"
#include "env/directory.h"
#include "env/entropy.h"
#include "model/ids.h"
#include "model/limits.h"
#include "store/repeat_file.h"
#include "store/repeat_table.h"

namespace eilpost::store {

class Repeats {
 public:
  struct Options {
    std::size_t ids_max = limits::kRepeatIdsMax;
    Duration window = limits::kRepeatWindow;
  };
  using Spilled = Result<std::unique_ptr<RepeatFile>>;

  // Errors: disk_failed, disk_full.
  [[nodiscard]] static Result<std::unique_ptr<Repeats>> open(
      env::Directory& directory, env::Entropy& entropy, const Options& options,
      const std::function<void(std::string_view)>& on_damage);

  [[nodiscard]] Hash128 fingerprint(SourceId source, std::string_view id,
                                    std::string_view user) const;

  [[nodiscard]] bool is_known(Hash128 fingerprint) const;
  // `position`: at or before that of its record.
  void remember(Hash128 fingerprint, Position position);
  void forget(Hash128 fingerprint);

  // Where the journal must be read from to fill the table again. REQUIRES: just opened.
  [[nodiscard]] Position rebuild_from() const { return rebuild_from_; }
  // Whether what was accepted then is still worth remembering.
  [[nodiscard]] bool is_recent(WallTime accepted_at, WallTime now) const;
  // The journal must not be trimmed beyond; nothing: it may.
  [[nodiscard]] std::optional<Position> needed_from() const;

  // If it is time, sets the table aside and gives a job that writes it to a file; then spilled()
  // must be told. It is always time when it is urgent: the journal must be trimmed. `end`: of the
  // journal; every record before it was remembered.
  using SpillJob = std::function<Spilled()>;
  [[nodiscard]] std::optional<SpillJob> begin_spill(Position end, WallTime now,
                                                    bool is_urgent = false);
  [[nodiscard]] std::uint64_t file_bytes() const;
  [[nodiscard]] std::size_t files_count() const { return files_.size(); }

  // After an error the ids stay in memory, and begin_spill() tries again.
  void spilled(Spilled result, WallTime now);

  // If there are many small files, gives a job that makes two of them one; then merged() must be
  // told. A crash meanwhile leaves ids in two files at worst. Not while a job is under way.
  [[nodiscard]] std::optional<SpillJob> begin_merge();
  // After an error both files stay, and begin_merge() tries again.
  void merged(Spilled result);

 private:
  Repeats(env::Directory& directory, const SipKey& key, const Options& options);
  [[nodiscard]] Result<void> load(const std::function<void(std::string_view)>& on_damage);
  [[nodiscard]] SpillJob make_job() const;
  void expire(WallTime now);
  [[nodiscard]] std::size_t file_ids_max() const;
  // Whether the file may become one with the next.
  [[nodiscard]] bool may_merge(std::size_t index) const;

  struct Generation {
    RepeatTable table;
    Position from;
    Position until;
    WallTime newest;
  };

  env::Directory& directory_;
  const SipKey key_;
  const Options options_;
  const std::uint64_t key_mark_;
  Position rebuild_from_;
  Generation current_;
  std::optional<WallTime> began_;                // of current_
  std::shared_ptr<const Generation> set_aside_;  // being written
  bool is_writing_ = false;
  std::vector<std::shared_ptr<const RepeatFile>> files_;  // oldest first
  std::size_t merged_at_ = 0;                             // the older of two that become one
};

}  // namespace eilpost::store
