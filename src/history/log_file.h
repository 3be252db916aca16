#pragma once
// One file of the log: the events accepted in a stretch of the journal, their deliveries, attempts
// and documents.
//
// While the file is open for new events it has no secondary index, which keeps writing cheap; when
// it is closed it is indexed once. Attempts of its deliveries are written into it even then.
//
// Format:  docs/HISTORY.md.
// Threads: one.
// Errors:  database_failed, database_corrupt, disk_full, disk_failed. After one of a change the
//          LogFile must be destroyed; what was not committed is not there when it is opened again.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "database/database.h"
#include "env/env.h"
#include "history/rows.h"

namespace eilpost::history {

// What a file says of itself.
struct FileFacts {
  Position position;        // what this file had to take of the journal before it is in it
  Position saved_position;  // all files hold what lies before it, even after a power loss
  std::int64_t next_key = 1;
  std::uint64_t rows_count = 0;  // deliveries
  std::uint64_t unsettled_count = 0;
  std::optional<WallTime> accepted_min;
  std::optional<WallTime> accepted_max;
  WallTime created_at;
  bool is_closed = false;  // and indexed
};

struct BodyPlace {
  std::int64_t block = 0;
  std::int64_t offset = 0;
  std::int64_t size = 0;
};

// An event to write with all that is known of its deliveries.
struct NewEvent {
  const store::AcceptedEntry* entry = nullptr;
  std::vector<DeliveryProgress> progress;  // one for each of entry->owed
  BodyPlace body;
};

class LogFile final {
 public:
  [[nodiscard]] static Result<std::unique_ptr<LogFile>> open(env::Env& env,
                                                             env::Directory& directory,
                                                             std::string_view name);
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
  ~LogFile() = default;

  [[nodiscard]] FileFacts& facts() { return facts_; }
  [[nodiscard]] database::Database& database() { return *database_; }

  [[nodiscard]] Result<void> begin();
  [[nodiscard]] Result<void> commit();  // with the facts

  // The number of the new block.
  [[nodiscard]] Result<std::int64_t> add_block(ByteView block);
  [[nodiscard]] Result<void> add_event(const NewEvent& event);
  // What happened to a delivery of this file. One that is not there, or is settled, stays as it is.
  [[nodiscard]] Result<void> add_attempt(const Attempt& attempt);
  [[nodiscard]] Result<void> add_settled(const store::Settled& settled);
  // Of an event that this batch wrote: its progress is known, only the attempt is added.
  [[nodiscard]] Result<void> add_attempt_row(std::int64_t key, const Attempt& attempt);
  [[nodiscard]] Result<void> add_counts(std::int64_t hour, std::string_view type,
                                        std::uint64_t events, std::uint64_t unwanted);

  // The key of the event's first delivery.
  [[nodiscard]] Result<std::optional<std::int64_t>> first_key(Position sequence);
  // Makes the indexes: no new events come.
  [[nodiscard]] Result<void> close_and_index();
  [[nodiscard]] Result<void> checkpoint() { return database_->checkpoint(); }

 private:
  struct Statements {
    database::Statement add_block;
    database::Statement add_event;
    database::Statement add_delivery;
    database::Statement add_attempt;
    database::Statement add_counts;
    database::Statement find_event;
    database::Statement update_attempted;
    database::Statement update_settled;
    database::Statement save_facts;
  };

  explicit LogFile(std::unique_ptr<database::Database> database) : database_(std::move(database)) {}

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> load_facts();
  [[nodiscard]] Result<void> save_facts();
  void note_update(DeliveryState state);
  // Key of a delivery, if it is here.
  [[nodiscard]] Result<std::optional<std::int64_t>> key_of(DeliveryId delivery);

  std::unique_ptr<database::Database> database_;
  std::optional<Statements> statements_;
  FileFacts facts_;
};

}  // namespace eilpost::history
