#include "history/log_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace eilpost::history {
namespace {

constexpr std::string_view kScripts[] = {R"(
CREATE TABLE facts (
  id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER, saved_position INTEGER,
  next_key INTEGER, rows_count INTEGER, unsettled_count INTEGER, accepted_min INTEGER,
  accepted_max INTEGER, created_at INTEGER, is_closed INTEGER);
CREATE TABLE events (
  sequence INTEGER PRIMARY KEY, id TEXT, type TEXT, user TEXT, environment INTEGER,
  source INTEGER, time INTEGER, received_at INTEGER, deliveries_count INTEGER,
  first_key INTEGER, replay_sequence INTEGER, replay_ordinal INTEGER, webhook_id TEXT,
  block INTEGER, body_offset INTEGER, body_bytes INTEGER);
CREATE TABLE deliveries (
  key INTEGER PRIMARY KEY, sequence INTEGER, webhook INTEGER, destination INTEGER,
  webhook_version INTEGER, state INTEGER, reason INTEGER, attempts_count INTEGER,
  next_attempt_at INTEGER, last_outcome INTEGER, last_status INTEGER, settled_at INTEGER);
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, number INTEGER, started_at INTEGER, duration_ms INTEGER,
  webhook_version INTEGER, destination_version INTEGER, body_hash INTEGER, kind INTEGER,
  status INTEGER, flags INTEGER, retry_after_ns INTEGER, detail TEXT, answer TEXT,
  answer_content_type TEXT, next_state INTEGER, retry_at INTEGER, reason INTEGER);
CREATE TABLE bodies (block INTEGER PRIMARY KEY, bytes BLOB);
CREATE TABLE counts (
  hour INTEGER, type TEXT, events INTEGER, unwanted INTEGER, PRIMARY KEY (hour, type)
) WITHOUT ROWID;
)"};

constexpr std::string_view kIndexes = R"(
CREATE INDEX IF NOT EXISTS events_by_id ON events (id);
CREATE INDEX IF NOT EXISTS events_by_type ON events (type);
CREATE INDEX IF NOT EXISTS events_by_user ON events (user);
CREATE INDEX IF NOT EXISTS deliveries_by_webhook ON deliveries (webhook);
CREATE INDEX IF NOT EXISTS deliveries_by_destination ON deliveries (destination);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state);
)";

// In pages: 64 MB. Checkpoints are ordered; those that SQLite makes by itself would only sync more
// often, on the disk on which the journal waits for its own syncs.
constexpr std::string_view kCheckpointSeldom = "PRAGMA wal_autocheckpoint=16384";

constexpr std::string_view kUpdate =
    "UPDATE deliveries SET {} WHERE key=?1 AND state IN (0,1) AND {}";  // pending, retrying

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

}  // namespace

Result<std::unique_ptr<LogFile>> LogFile::open(env::Env& env, env::Directory& directory,
                                               std::string_view name) {
  EILPOST_ASSIGN_OR_RETURN(
      auto database,
      database::Database::open(env, directory, name, {.durability = database::Durability::normal}));
  EILPOST_RETURN_IF_ERROR(database->run(kCheckpointSeldom));
  EILPOST_RETURN_IF_ERROR(database->migrate(kScripts));
  std::unique_ptr<LogFile> file(new LogFile(std::move(database)));
  file->facts_.created_at = env.clock().wall_now();
  EILPOST_RETURN_IF_ERROR(file->prepare());
  EILPOST_RETURN_IF_ERROR(file->load_facts());
  return file;
}

Result<void> LogFile::prepare() {
  database::Database& database = *database_;
  EILPOST_ASSIGN_OR_RETURN(auto block, database.prepare("INSERT INTO bodies (bytes) VALUES (?1)"));
  EILPOST_ASSIGN_OR_RETURN(
      auto event, database.prepare("INSERT OR REPLACE INTO events VALUES (" + places(1, 16) + ")"));
  EILPOST_ASSIGN_OR_RETURN(auto delivery, database.prepare(fmt::format(
                                              "INSERT OR REPLACE INTO deliveries "
                                              "(key,sequence,webhook,destination,{}) VALUES ({})",
                                              kProgressColumns, places(1, 4 + kProgressCount))));
  EILPOST_ASSIGN_OR_RETURN(auto attempt, database.prepare(fmt::format(
                                             "INSERT OR REPLACE INTO attempts (id,{}) VALUES ({})",
                                             kAttemptColumns, places(1, 1 + kAttemptCount))));
  EILPOST_ASSIGN_OR_RETURN(
      auto counts,
      database.prepare("INSERT INTO counts VALUES (?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
                       "events=events+excluded.events, unwanted=unwanted+excluded.unwanted"));
  EILPOST_ASSIGN_OR_RETURN(
      auto find,
      database.prepare("SELECT first_key, deliveries_count FROM events WHERE sequence=?1"));
  EILPOST_ASSIGN_OR_RETURN(
      auto attempted,
      database.prepare(fmt::format(
          kUpdate, fmt::format("({})=({})", kProgressColumns, places(2, kProgressCount)),
          "attempts_count<=?5")));  // not back to an earlier attempt when it is written again
  EILPOST_ASSIGN_OR_RETURN(
      auto settled,
      database.prepare(fmt::format(
          kUpdate, "state=4, reason=?2, next_attempt_at=NULL, settled_at=?3", "TRUE")));  // failed
  EILPOST_ASSIGN_OR_RETURN(
      auto facts, database.prepare("INSERT OR REPLACE INTO facts VALUES (1," + places(1, 9) + ")"));
  statements_.emplace(Statements{.add_block = std::move(block),
                                 .add_event = std::move(event),
                                 .add_delivery = std::move(delivery),
                                 .add_attempt = std::move(attempt),
                                 .add_counts = std::move(counts),
                                 .find_event = std::move(find),
                                 .update_attempted = std::move(attempted),
                                 .update_settled = std::move(settled),
                                 .save_facts = std::move(facts)});
  return {};
}

Result<void> LogFile::load_facts() {
  EILPOST_ASSIGN_OR_RETURN(
      auto row, database_->prepare("SELECT position,saved_position,next_key,rows_count,"
                                   "unsettled_count,accepted_min,accepted_max,created_at,is_closed "
                                   "FROM facts"));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, row.step());
  if (!has_row) return {};
  facts_ = {.position = {.value = static_cast<std::uint64_t>(row.integer(0))},
            .saved_position = {.value = static_cast<std::uint64_t>(row.integer(1))},
            .next_key = row.integer(2),
            .rows_count = static_cast<std::uint64_t>(row.integer(3)),
            .unsettled_count = static_cast<std::uint64_t>(row.integer(4)),
            .accepted_min = to_optional_time(row, 5),
            .accepted_max = to_optional_time(row, 6),
            .created_at = to_time(row.integer(7)),
            .is_closed = row.integer(8) != 0};
  return {};
}

Result<void> LogFile::save_facts() {
  database::Statement& save = statements_->save_facts;
  save.bind(1, to_column(facts_.position.value))
      .bind(2, to_column(facts_.saved_position.value))
      .bind(3, facts_.next_key)
      .bind(4, to_column(facts_.rows_count))
      .bind(5, to_column(facts_.unsettled_count));
  bind_time(save, 6, facts_.accepted_min);
  bind_time(save, 7, facts_.accepted_max);
  save.bind(8, to_column(facts_.created_at)).bind(9, std::int64_t{facts_.is_closed ? 1 : 0});
  return save.run();
}

Result<void> LogFile::begin() {
  return database_->begin();
}

Result<void> LogFile::commit() {
  EILPOST_RETURN_IF_ERROR(save_facts());
  return database_->commit();
}

Result<std::int64_t> LogFile::add_block(ByteView block) {
  EILPOST_RETURN_IF_ERROR(statements_->add_block.bind_blob(1, block).run());
  return database_->last_insert_id();
}

Result<void> LogFile::add_event(const NewEvent& added) {
  const store::AcceptedEntry& entry = *added.entry;
  const Event& event = entry.event;
  const std::int64_t first_key = facts_.next_key;
  database::Statement& statement = statements_->add_event;
  statement.bind(1, to_column(entry.sequence.value))
      .bind(2, event.id)
      .bind(3, event.type)
      .bind(4, event.user)
      .bind(5, std::int64_t{static_cast<std::uint32_t>(event.environment)})
      .bind(6, to_column(static_cast<std::uint64_t>(event.source)))
      .bind(7, to_column(event.time))
      .bind(8, to_column(event.received_at))
      .bind(9, to_column(entry.owed.size()))
      .bind(10, first_key);
  if (entry.replay_of) {
    statement.bind(11, to_column(entry.replay_of->original.sequence.value))
        .bind(12, std::int64_t{entry.replay_of->original.ordinal});
  } else {
    statement.bind_null(11).bind_null(12);
  }
  statement.bind(13, event.webhook_id)
      .bind(14, added.body.block)
      .bind(15, added.body.offset)
      .bind(16, added.body.size);
  EILPOST_RETURN_IF_ERROR(statement.run());

  database::Statement& insert = statements_->add_delivery;
  for (std::size_t i = 0; i < entry.owed.size(); ++i) {
    const Owed& owed = entry.owed[i];
    insert.bind(1, facts_.next_key++)
        .bind(2, to_column(entry.sequence.value))
        .bind(3, to_column(static_cast<std::uint64_t>(owed.webhook)))
        .bind(4, to_column(static_cast<std::uint64_t>(owed.destination)));
    bind_progress(insert, 5, added.progress[i]);
    EILPOST_RETURN_IF_ERROR(insert.run());
    if (!is_settled(added.progress[i].state)) ++facts_.unsettled_count;
  }
  facts_.rows_count += entry.owed.size();
  const WallTime accepted = event.received_at;
  facts_.accepted_min = std::min(facts_.accepted_min.value_or(accepted), accepted);
  facts_.accepted_max = std::max(facts_.accepted_max.value_or(accepted), accepted);
  return {};
}

Result<std::optional<std::int64_t>> LogFile::first_key(Position sequence) {
  return key_of({.sequence = sequence, .ordinal = 0});
}

Result<std::optional<std::int64_t>> LogFile::key_of(DeliveryId delivery) {
  database::Statement& find = statements_->find_event;
  EILPOST_ASSIGN_OR_RETURN(const bool has_row,
                           find.bind(1, to_column(delivery.sequence.value)).step());
  if (!has_row) return std::optional<std::int64_t>();
  const std::int64_t key = find.integer(0);
  const std::int64_t count = find.integer(1);
  find.reset();
  if (delivery.ordinal >= count) return std::optional<std::int64_t>();
  return std::optional(key + delivery.ordinal);
}

void LogFile::note_update(DeliveryState state) {
  if (database_->changes_count() == 0 || !is_settled(state)) return;
  if (facts_.unsettled_count > 0) --facts_.unsettled_count;
}

Result<void> LogFile::add_attempt(const Attempt& attempt) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<std::int64_t> key, key_of(attempt.delivery));
  if (!key) return {};
  DeliveryProgress progress;
  progress.apply(attempt);
  database::Statement& update = statements_->update_attempted;
  update.bind(1, *key);
  bind_progress(update, 2, progress);
  EILPOST_RETURN_IF_ERROR(update.run());
  note_update(progress.state);
  return add_attempt_row(*key, attempt);
}

Result<void> LogFile::add_settled(const store::Settled& settled) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<std::int64_t> key, key_of(settled.delivery));
  if (!key) return {};
  EILPOST_RETURN_IF_ERROR(statements_->update_settled.bind(1, *key)
                              .bind(2, static_cast<std::int64_t>(settled.reason))
                              .bind(3, to_column(settled.at))
                              .run());
  note_update(DeliveryState::failed);
  return {};
}

Result<void> LogFile::add_attempt_row(std::int64_t key, const Attempt& attempt) {
  database::Statement& insert = statements_->add_attempt;
  insert.bind(1, (key << 16) | attempt.number);
  bind_attempt(insert, 2, attempt);
  return insert.run();
}

Result<void> LogFile::add_counts(std::int64_t hour, std::string_view type, std::uint64_t events,
                                 std::uint64_t unwanted) {
  return statements_->add_counts.bind(1, hour)
      .bind(2, type)
      .bind(3, to_column(events))
      .bind(4, to_column(unwanted))
      .run();
}

Result<void> LogFile::close_and_index() {
  EILPOST_RETURN_IF_ERROR(begin());
  EILPOST_RETURN_IF_ERROR(database_->run(kIndexes));
  facts_.is_closed = true;
  return commit();
}

}  // namespace eilpost::history
