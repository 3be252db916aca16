#pragma once
// One file of the log: the events accepted in a stretch of the journal, their deliveries, attempts
// and documents.
//
// What was settled when its event was written lies in the event's block and is never changed. A
// delivery that was not is late: it has a row of its own, and so have its attempts from then on.
//
// Format:  docs/HISTORY.md.
// Threads: one.
// Errors:  database_failed, database_corrupt, disk_full, disk_failed. After one of a change the
//          LogFile must be destroyed; what was not committed is not there when it is opened again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "database/database.h"
#include "env/env.h"
#include "history/block.h"
#include "history/rows.h"

namespace eilpost::history {

// What a file says of itself.
struct FileFacts {
  Position position;             // what this file had to take of the journal before it is in it
  Position saved_position;       // all files hold what lies before it, even after a power loss
  std::uint64_t rows_count = 0;  // deliveries
  std::uint64_t unsettled_count = 0;
  std::optional<WallTime> accepted_min;
  std::optional<WallTime> accepted_max;
  WallTime created_at;
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

  [[nodiscard]] Result<void> add_block(const Block& block);
  // Counts the events, and gives those deliveries that are not settled their own rows.
  [[nodiscard]] Result<void> add_new(const LoggedEvents& events);
  [[nodiscard]] Result<void> remove_block(Position first);
  // What happened to a delivery of this file; `record` says the same as `attempt`. One that is not
  // there, or is settled, stays as it is.
  [[nodiscard]] Result<void> add_attempt(const Attempt& attempt, ByteView record);
  [[nodiscard]] Result<void> add_settled(const store::Settled& settled);
  [[nodiscard]] Result<void> add_counts(std::int64_t hour, std::string_view type,
                                        std::uint64_t events, std::uint64_t unwanted);

  // Hands over what is known of the blocks that begin at or before `before`, newest first, until
  // `each` returns false. The terms live until it returns.
  using Look = std::function<Result<bool>(const BlockFacts& facts, ByteView terms)>;
  [[nodiscard]] Result<void> for_each_block(Position before, const Look& each);
  // The block in whose stretch `sequence` lies.
  [[nodiscard]] Result<std::optional<BlockFacts>> find_block(Position sequence);
  // The events of a block, late deliveries as they are now. Valid until the next call, or change.
  [[nodiscard]] Result<LoggedEvents*> load(const BlockFacts& block);
  [[nodiscard]] Result<std::string> details(const BlockFacts& block);
  // Whether the block has a late delivery in such a state.
  [[nodiscard]] Result<bool> has_late(const BlockFacts& block,
                                      const std::function<bool(DeliveryState)>& is_wanted);
  // Deliveries that are not settled, those behind `after`, in order; at most `count`.
  [[nodiscard]] Result<std::vector<DeliveryId>> open_late(std::optional<DeliveryId> after,
                                                          std::size_t count);
  // By number.
  [[nodiscard]] Result<std::vector<Bytes>> late_attempts(DeliveryId id);

  [[nodiscard]] Result<void> checkpoint() { return database_->checkpoint(); }

 private:
  struct Statements {
    database::Statement add_block;
    database::Statement remove_block;
    database::Statement add_late;
    database::Statement add_attempt;
    database::Statement add_counts;
    database::Statement update_attempted;
    database::Statement update_settled;
    database::Statement save_facts;
  };
  struct Loaded {
    Position first;
    std::string text;
    LoggedEvents events;
  };

  explicit LogFile(std::unique_ptr<database::Database> database) : database_(std::move(database)) {}

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> load_facts();
  [[nodiscard]] Result<void> save_facts();
  [[nodiscard]] Result<void> add_late(DeliveryId id, const DeliveryProgress& progress);
  // Whether the last statement changed a delivery.
  [[nodiscard]] bool note_update(DeliveryState state);
  [[nodiscard]] Result<bool> is_missing(const Attempt& attempt);
  [[nodiscard]] Result<Bytes> read_blob(std::string_view column, Position first);
  [[nodiscard]] Result<void> overlay_late(const BlockFacts& block, LoggedEvents& events);

  std::unique_ptr<database::Database> database_;
  std::optional<Statements> statements_;
  FileFacts facts_;
  BlockCodec codec_;
  std::optional<Loaded> loaded_;
};

}  // namespace eilpost::history
