#include "history/log_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <utility>

namespace eilpost::history {
namespace {

// The first format, which had a row for each event, delivery and attempt, was version 1.
constexpr std::string_view kScripts[] = {"", R"(
CREATE TABLE facts (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER, saved_position INTEGER,
  rows_count INTEGER, unsettled_count INTEGER, accepted_min INTEGER, accepted_max INTEGER,
  created_at INTEGER);
CREATE TABLE blocks (
  first INTEGER PRIMARY KEY, last INTEGER, events_count INTEGER, deliveries_count INTEGER,
  late_count INTEGER, states INTEGER, details_bytes INTEGER, accepted_min INTEGER,
  accepted_max INTEGER, terms BLOB, rows BLOB, details BLOB);
CREATE TABLE late (
  sequence INTEGER, ordinal INTEGER, webhook_version INTEGER, state INTEGER, reason INTEGER,
  attempts_count INTEGER, next_attempt_at INTEGER, last_outcome INTEGER, last_status INTEGER,
  settled_at INTEGER, PRIMARY KEY (sequence, ordinal)) WITHOUT ROWID;
CREATE TABLE late_attempts (
  sequence INTEGER, ordinal INTEGER, number INTEGER, record BLOB,
  PRIMARY KEY (sequence, ordinal, number)) WITHOUT ROWID;
CREATE TABLE counts (
  hour INTEGER, type TEXT, events INTEGER, unwanted INTEGER, PRIMARY KEY (hour, type)
) WITHOUT ROWID;
)"};

// In pages: 64 MB. Checkpoints are ordered; those that SQLite makes by itself would only sync more
// often, on the disk on which the journal waits for its own syncs.
constexpr std::string_view kCheckpointSeldom = "PRAGMA wal_autocheckpoint=16384";

constexpr std::string_view kUpdate =
    "UPDATE late SET {} WHERE sequence=?1 AND ordinal=?2 AND state IN (0,1) AND {}";  // owed

constexpr std::string_view kFactsColumns =
    "first,last,events_count,deliveries_count,late_count,states,details_bytes,accepted_min,"
    "accepted_max";
constexpr int kFactsCount = 9;

std::string places(int first, int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += fmt::format("{}?{}", i == 0 ? "" : ",", first + i);
  return text;
}

void bind_time(database::Statement& statement, int place, std::optional<WallTime> time) {
  if (time) {
    statement.bind(place, to_column(*time));
  } else {
    statement.bind_null(place);
  }
}

std::uint64_t read_count(const database::Statement& row, int column) {
  return static_cast<std::uint64_t>(row.integer(column));
}

BlockFacts read_facts(const database::Statement& row) {
  return {.first = {.value = read_count(row, 0)},
          .last = {.value = read_count(row, 1)},
          .events_count = read_count(row, 2),
          .deliveries_count = read_count(row, 3),
          .late_count = read_count(row, 4),
          .states = read_count(row, 5),
          .details_bytes = read_count(row, 6),
          .accepted_min = to_time(row.integer(7)),
          .accepted_max = to_time(row.integer(8))};
}

// By its table, not by the version: a power loss may leave a new file with the first script only.
Result<void> refuse_old_format(database::Database& database) {
  EILPOST_ASSIGN_OR_RETURN(auto select,
                           database.prepare("SELECT 1 FROM sqlite_master WHERE name='deliveries'"));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
  if (!has_row) return {};
  return fail(ErrorCode::database_corrupt,
              "It was written by an earlier version of Eilpost, in a format of before the first "
              "release, which this one does not read.");
}

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(env::Env& env, env::Directory& directory,
                                               std::string_view name) {
  EILPOST_ASSIGN_OR_RETURN(
      auto database,
      database::Database::open(env, directory, name, {.durability = database::Durability::normal}));
  EILPOST_RETURN_IF_ERROR(database->run(kCheckpointSeldom));
  EILPOST_RETURN_IF_ERROR(refuse_old_format(*database));
  EILPOST_RETURN_IF_ERROR(database->migrate(kScripts));
  std::unique_ptr<LogFile> file(new LogFile(std::move(database)));
  file->facts_.created_at = env.clock().wall_now();
  EILPOST_RETURN_IF_ERROR(file->prepare());
  EILPOST_RETURN_IF_ERROR(file->load_facts());
  return file;
}

Result<void> LogFile::prepare() {
  database::Database& database = *database_;
  EILPOST_ASSIGN_OR_RETURN(auto block,
                           database.prepare(fmt::format("INSERT OR REPLACE INTO blocks VALUES ({})",
                                                        places(1, kFactsCount + 3))));
  EILPOST_ASSIGN_OR_RETURN(auto remove, database.prepare("DELETE FROM blocks WHERE first=?1"));
  EILPOST_ASSIGN_OR_RETURN(
      auto late, database.prepare(fmt::format("INSERT OR REPLACE INTO late (sequence,ordinal,{}) "
                                              "VALUES ({})",
                                              kProgressColumns, places(1, 2 + kProgressCount))));
  EILPOST_ASSIGN_OR_RETURN(
      auto attempt, database.prepare("INSERT OR REPLACE INTO late_attempts VALUES (?1,?2,?3,?4)"));
  EILPOST_ASSIGN_OR_RETURN(
      auto counts,
      database.prepare("INSERT INTO counts VALUES (?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
                       "events=events+excluded.events, unwanted=unwanted+excluded.unwanted"));
  EILPOST_ASSIGN_OR_RETURN(
      auto attempted,
      database.prepare(fmt::format(
          kUpdate, fmt::format("({})=({})", kProgressColumns, places(3, kProgressCount)),
          "attempts_count<=?6")));  // not back to an earlier attempt when it is written again
  EILPOST_ASSIGN_OR_RETURN(
      auto settled,
      database.prepare(fmt::format(
          kUpdate, "state=4, reason=?3, next_attempt_at=NULL, settled_at=?4", "TRUE")));  // failed
  EILPOST_ASSIGN_OR_RETURN(
      auto facts, database.prepare("INSERT OR REPLACE INTO facts VALUES (1," + places(1, 7) + ")"));
  statements_.emplace(Statements{.add_block = std::move(block),
                                 .remove_block = std::move(remove),
                                 .add_late = std::move(late),
                                 .add_attempt = std::move(attempt),
                                 .add_counts = std::move(counts),
                                 .update_attempted = std::move(attempted),
                                 .update_settled = std::move(settled),
                                 .save_facts = std::move(facts)});
  return {};
}

Result<void> LogFile::load_facts() {
  EILPOST_ASSIGN_OR_RETURN(auto row, database_->prepare("SELECT position,saved_position,rows_count,"
                                                        "unsettled_count,accepted_min,accepted_max,"
                                                        "created_at FROM facts"));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, row.step());
  if (!has_row) return {};
  facts_ = {.position = {.value = read_count(row, 0)},
            .saved_position = {.value = read_count(row, 1)},
            .rows_count = read_count(row, 2),
            .unsettled_count = read_count(row, 3),
            .accepted_min = to_optional_time(row, 4),
            .accepted_max = to_optional_time(row, 5),
            .created_at = to_time(row.integer(6))};
  return {};
}

Result<void> LogFile::save_facts() {
  database::Statement& save = statements_->save_facts;
  save.bind(1, to_column(facts_.position.value))
      .bind(2, to_column(facts_.saved_position.value))
      .bind(3, to_column(facts_.rows_count))
      .bind(4, to_column(facts_.unsettled_count));
  bind_time(save, 5, facts_.accepted_min);
  bind_time(save, 6, facts_.accepted_max);
  return save.bind(7, to_column(facts_.created_at)).run();
}

Result<void> LogFile::begin() {
  loaded_.reset();
  return database_->begin();
}

Result<void> LogFile::commit() {
  loaded_.reset();
  EILPOST_RETURN_IF_ERROR(save_facts());
  return database_->commit();
}

Result<void> LogFile::add_block(const Block& block) {
  loaded_.reset();
  const BlockFacts& facts = block.facts;
  return statements_->add_block.bind(1, to_column(facts.first.value))
      .bind(2, to_column(facts.last.value))
      .bind(3, to_column(facts.events_count))
      .bind(4, to_column(facts.deliveries_count))
      .bind(5, to_column(facts.late_count))
      .bind(6, to_column(facts.states))
      .bind(7, to_column(facts.details_bytes))
      .bind(8, to_column(facts.accepted_min))
      .bind(9, to_column(facts.accepted_max))
      .bind_blob(10, block.terms)
      .bind_blob(11, block.rows)
      .bind_blob(12, block.details)
      .run();
}

Result<void> LogFile::remove_block(Position first) {
  loaded_.reset();
  return statements_->remove_block.bind(1, to_column(first.value)).run();
}

Result<void> LogFile::add_new(const LoggedEvents& events) {
  facts_.rows_count += events.deliveries.size();
  for (const LoggedEvent& event : events.events) {
    const WallTime accepted = event.received_at;
    facts_.accepted_min = std::min(facts_.accepted_min.value_or(accepted), accepted);
    facts_.accepted_max = std::max(facts_.accepted_max.value_or(accepted), accepted);
    const std::span<const LoggedDelivery> deliveries = events.deliveries_of(event);
    for (std::uint16_t ordinal = 0; ordinal < deliveries.size(); ++ordinal) {
      const DeliveryProgress& progress = deliveries[ordinal].progress;
      if (is_settled(progress.state)) continue;
      EILPOST_RETURN_IF_ERROR(add_late({.sequence = event.sequence, .ordinal = ordinal}, progress));
    }
  }
  return {};
}

Result<void> LogFile::add_late(DeliveryId id, const DeliveryProgress& progress) {
  database::Statement& insert = statements_->add_late;
  insert.bind(1, to_column(id.sequence.value)).bind(2, std::int64_t{id.ordinal});
  bind_progress(insert, 3, progress);
  ++facts_.unsettled_count;
  return insert.run();
}

bool LogFile::note_update(DeliveryState state) {
  if (database_->changes_count() == 0) return false;
  if (is_settled(state) && facts_.unsettled_count > 0) --facts_.unsettled_count;
  return true;
}

Result<void> LogFile::add_attempt(const Attempt& attempt, ByteView record) {
  DeliveryProgress progress;
  progress.apply(attempt);
  const DeliveryId id = attempt.delivery;
  database::Statement& update = statements_->update_attempted;
  update.bind(1, to_column(id.sequence.value)).bind(2, std::int64_t{id.ordinal});
  bind_progress(update, 3, progress);
  EILPOST_RETURN_IF_ERROR(update.run());
  bool is_new = note_update(progress.state);
  if (!is_new) {
    EILPOST_ASSIGN_OR_RETURN(is_new, is_missing(attempt));
  }
  if (!is_new) return {};
  return statements_->add_attempt.bind(1, to_column(id.sequence.value))
      .bind(2, std::int64_t{id.ordinal})
      .bind(3, std::int64_t{attempt.number})
      .bind_blob(4, record)
      .run();
}

// Of a delivery that does not change any more: one that was settled before the attempt ended, or is
// written again.
Result<bool> LogFile::is_missing(const Attempt& attempt) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<BlockFacts> block,
                           find_block(attempt.delivery.sequence));
  if (!block) return false;
  EILPOST_ASSIGN_OR_RETURN(LoggedEvents* const events, load(*block));
  const LoggedDelivery* const delivery = events->find(attempt.delivery);
  return delivery != nullptr && attempt.number > delivery->progress.attempts_count;
}

Result<void> LogFile::add_settled(const store::Settled& settled) {
  EILPOST_RETURN_IF_ERROR(
      statements_->update_settled.bind(1, to_column(settled.delivery.sequence.value))
          .bind(2, std::int64_t{settled.delivery.ordinal})
          .bind(3, static_cast<std::int64_t>(settled.reason))
          .bind(4, to_column(settled.at))
          .run());
  (void)note_update(DeliveryState::failed);
  return {};
}

Result<void> LogFile::add_counts(std::int64_t hour, std::string_view type, std::uint64_t events,
                                 std::uint64_t unwanted) {
  return statements_->add_counts.bind(1, hour)
      .bind(2, type)
      .bind(3, to_column(events))
      .bind(4, to_column(unwanted))
      .run();
}

Result<void> LogFile::for_each_block(Position before, const Look& each) {
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      database_->prepare(fmt::format(
          "SELECT {},terms FROM blocks WHERE first<=?1 ORDER BY first DESC", kFactsColumns)));
  select.bind(1, to_column(before.value));
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return {};
    EILPOST_ASSIGN_OR_RETURN(const bool goes_on,
                             each(read_facts(select), select.blob(kFactsCount)));
    if (!goes_on) return {};
  }
}

Result<std::optional<BlockFacts>> LogFile::find_block(Position sequence) {
  std::optional<BlockFacts> found;
  EILPOST_RETURN_IF_ERROR(
      for_each_block(sequence, [&](const BlockFacts& facts, ByteView) -> Result<bool> {
        if (sequence <= facts.last) found = facts;
        return false;
      }));
  return found;
}

Result<Bytes> LogFile::read_blob(std::string_view column, Position first) {
  EILPOST_ASSIGN_OR_RETURN(
      auto select, database_->prepare(fmt::format("SELECT {} FROM blocks WHERE first=?1", column)));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.bind(1, to_column(first.value)).step());
  if (!has_row) return fail(ErrorCode::database_corrupt, "A block of events is missing.");
  const ByteView blob = select.blob(0);
  return Bytes(blob.begin(), blob.end());
}

Result<LoggedEvents*> LogFile::load(const BlockFacts& block) {
  if (loaded_ && loaded_->first == block.first) return &loaded_->events;
  EILPOST_ASSIGN_OR_RETURN(const Bytes packed, read_blob("rows", block.first));
  Loaded& loaded = loaded_.emplace();
  Result<std::string> text = codec_.decompress(packed);
  Result<void> done;
  if (text) {
    loaded.first = block.first;
    loaded.text = std::move(*text);
    Result<LoggedEvents> events = decode_rows(loaded.text, block.first);
    if (events) loaded.events = std::move(*events);
    done = events ? overlay_late(block, loaded.events) : std::unexpected(events.error());
  } else {
    done = std::unexpected(text.error());
  }
  if (done) return &loaded.events;
  loaded_.reset();
  return std::unexpected(done.error());
}

Result<void> LogFile::overlay_late(const BlockFacts& block, LoggedEvents& events) {
  if (block.late_count == 0) return {};
  EILPOST_ASSIGN_OR_RETURN(
      auto select, database_->prepare(fmt::format(
                       "SELECT sequence,ordinal,{} FROM late WHERE sequence>=?1 AND sequence<=?2",
                       kProgressColumns)));
  select.bind(1, to_column(block.first.value)).bind(2, to_column(block.last.value));
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return {};
    LoggedDelivery* const delivery =
        events.find(DeliveryId{.sequence = {.value = read_count(select, 0)},
                               .ordinal = static_cast<std::uint16_t>(select.integer(1))});
    if (delivery != nullptr) delivery->progress = read_progress(select, 2);
  }
}

Result<bool> LogFile::has_late(const BlockFacts& block,
                               const std::function<bool(DeliveryState)>& is_wanted) {
  if (block.late_count == 0) return false;
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      database_->prepare("SELECT state FROM late WHERE sequence>=?1 AND sequence<=?2"));
  select.bind(1, to_column(block.first.value)).bind(2, to_column(block.last.value));
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return false;
    if (is_wanted(static_cast<DeliveryState>(select.integer(0)))) return true;
  }
}

Result<std::string> LogFile::details(const BlockFacts& block) {
  EILPOST_ASSIGN_OR_RETURN(const Bytes packed, read_blob("details", block.first));
  return codec_.decompress(packed);
}

Result<std::vector<DeliveryId>> LogFile::open_late(std::optional<DeliveryId> after,
                                                   std::size_t count) {
  EILPOST_ASSIGN_OR_RETURN(
      auto select, database_->prepare("SELECT sequence,ordinal FROM late WHERE (sequence,ordinal)>"
                                      "(?1,?2) AND state IN (0,1) ORDER BY sequence,ordinal "
                                      "LIMIT ?3"));
  const DeliveryId behind = after.value_or(DeliveryId{});
  select.bind(1, to_column(behind.sequence.value))
      .bind(2, after ? std::int64_t{behind.ordinal} : -1)
      .bind(3, to_column(count));
  std::vector<DeliveryId> found;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return found;
    found.push_back({.sequence = {.value = read_count(select, 0)},
                     .ordinal = static_cast<std::uint16_t>(select.integer(1))});
  }
}

Result<std::vector<Bytes>> LogFile::late_attempts(DeliveryId id) {
  EILPOST_ASSIGN_OR_RETURN(auto select,
                           database_->prepare("SELECT record FROM late_attempts WHERE sequence=?1 "
                                              "AND ordinal=?2 ORDER BY number"));
  select.bind(1, to_column(id.sequence.value)).bind(2, std::int64_t{id.ordinal});
  std::vector<Bytes> records;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return records;
    const ByteView record = select.blob(0);
    records.emplace_back(record.begin(), record.end());
  }
}

}  // namespace eilpost::history
