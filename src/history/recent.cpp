#include "history/recent.h"

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>
#include <utility>

#include "base/assert.h"
#include "history/aside.h"
#include "history/rows.h"
#include "store/records.h"

namespace eilpost::history {
namespace {

constexpr std::string_view kName = "recent.db";

constexpr std::string_view kScripts[] = {R"(
CREATE TABLE recent (
  sequence INTEGER PRIMARY KEY, id TEXT, type TEXT, user TEXT, environment INTEGER,
  source INTEGER, time INTEGER, received_at INTEGER, deliveries_count INTEGER, document TEXT);
CREATE INDEX recent_by_type ON recent (type);
CREATE TABLE items (
  type TEXT, id TEXT, name TEXT, parent TEXT, last_seen_at INTEGER, PRIMARY KEY (type, id)
) WITHOUT ROWID;
CREATE TABLE properties (
  event_type TEXT, path TEXT, type TEXT, count INTEGER, PRIMARY KEY (event_type, path)
) WITHOUT ROWID;
CREATE TABLE seen_values (
  event_type TEXT, path TEXT, value TEXT, count INTEGER, last_seen_at INTEGER,
  PRIMARY KEY (event_type, path, value)
) WITHOUT ROWID;
CREATE TABLE tests (
  number INTEGER PRIMARY KEY, event_id TEXT, event_type TEXT, user TEXT, environment INTEGER,
  webhook INTEGER, destination INTEGER, accepted_at INTEGER, webhook_id TEXT, document TEXT,
  webhook_version INTEGER, state INTEGER, delivery_reason INTEGER, settled_at INTEGER,
  attempt_number INTEGER, started_at INTEGER, duration_ms INTEGER,
  attempt_webhook_version INTEGER, destination_version INTEGER, body_hash INTEGER, kind INTEGER,
  status INTEGER, flags INTEGER, retry_after_ns INTEGER, detail TEXT, answer TEXT,
  answer_content_type TEXT, next_state INTEGER, retry_at INTEGER, reason INTEGER);
)"};
constexpr int kTestPlaces = 30;
constexpr int kTestAttemptPlace = 15;

// Beyond the limits: items and values not seen for longest, properties seen least.
std::string trim_script() {
  constexpr std::string_view kTrim =
      "DELETE FROM {0} WHERE ({1}) IN (SELECT {1} FROM (SELECT {1}, row_number() OVER "
      "(PARTITION BY {2} ORDER BY {3} DESC) AS place FROM {0}) WHERE place > {4});";
  return fmt::format(kTrim, "items", "type,id", "type", "last_seen_at", kSeenItemsMax) +
         fmt::format(kTrim, "properties", "event_type,path", "event_type", "count",
                     kSeenPropertiesMax) +
         fmt::format(kTrim, "seen_values", "event_type,path,value", "event_type,path",
                     "last_seen_at", kSeenValuesMax);
}

std::string places(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += fmt::format("{}?{}", i == 1 ? "" : ",", i);
  return text;
}

// For LIKE with ESCAPE '\'.
std::string contains_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + '%';
}

constexpr std::string_view kAddItem =
    "INSERT INTO items VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET "
    "name=CASE WHEN excluded.name='' THEN name ELSE excluded.name END, "
    "parent=CASE WHEN excluded.parent='' THEN parent ELSE excluded.parent END, "
    "last_seen_at=max(last_seen_at,excluded.last_seen_at)";

std::int64_t limit_of(std::size_t count) {
  return static_cast<std::int64_t>(std::min<std::size_t>(count, 100'000));
}

}  // namespace

Recent::Recent(env::Env& env, env::Directory& directory,
               std::function<void(std::string_view)> on_trouble)
    : env_(env), directory_(directory), on_trouble_(std::move(on_trouble)) {}

Result<void> Recent::open() {
  Result<void> done = ready();
  if (done || done.error().code != ErrorCode::database_corrupt) return done;
  set_aside(done.error());
  return ready();
}

Result<void> Recent::ready() {
  if (database_) return {};
  EILPOST_ASSIGN_OR_RETURN(auto database,
                           database::Database::open(env_, directory_, kName,
                                                    {.durability = database::Durability::normal}));
  EILPOST_RETURN_IF_ERROR(database->migrate(kScripts));
  database_ = std::move(database);
  return {};
}

void Recent::note_failure(const Error& error) {
  database_.reset();
  if (error.code == ErrorCode::database_corrupt) set_aside(error);
}

void Recent::set_aside(const Error& error) {
  database_.reset();
  (void)set_aside_file(directory_, kName, error, on_trouble_);
}

Result<database::Statement> Recent::prepare(std::string_view sql) {
  EILPOST_RETURN_IF_ERROR(open());
  return database_->prepare(sql);
}

Result<void> Recent::in_transaction(const std::function<Result<void>()>& work) {
  EILPOST_RETURN_IF_ERROR(open());
  Result<void> done = database_->begin();
  if (done) done = work();
  if (done) done = database_->commit();
  if (!done) {
    note_failure(done.error());
    return done;
  }
  is_dirty_ = true;
  return {};
}

Result<void> Recent::add(const std::vector<AcceptedRecord>& events) {
  if (events.empty()) return {};
  seen_.begin_batch();
  gather(events);
  if (env_.clock().now() - written_at_ < kGatherTime) return {};
  return write_gathered();
}

void Recent::gather(const std::vector<AcceptedRecord>& events) {
  // Only the newest of a large batch are worth a copy.
  std::unordered_map<std::string_view, std::size_t> counts;
  std::vector<Gathered> newest_first;
  const Instant now = env_.clock().now();
  store::Record scratch;
  for (auto it = events.rbegin(); it != events.rend(); ++it) {
    if (++counts[it->type] > limits::kUnwantedKeptPerType) continue;
    const bool is_good = store::decode_record(it->record.bytes, scratch);
    EILPOST_ASSERT(is_good);
    newest_first.push_back({.sequence = it->record.position,
                            .owed_count = it->owed_count,
                            .event = store::to_event(scratch.event.event)});
    // The budget of a large batch is for what is newest, which is among these.
    seen_.look_at(newest_first.back().event, now);
  }
  for (auto it = newest_first.rbegin(); it != newest_first.rend(); ++it) {
    std::deque<Gathered>& same_type = gathered_[it->event.type];
    same_type.push_back(std::move(*it));
    if (same_type.size() > limits::kUnwantedKeptPerType) same_type.pop_front();
  }
}

// What cannot be written is dropped: it must not pile up.
Result<void> Recent::write_gathered() {
  written_at_ = env_.clock().now();
  if (gathered_.empty() && seen_.is_empty()) return {};
  const Result<void> done = in_transaction([this]() -> Result<void> {
    EILPOST_RETURN_IF_ERROR(write_events());
    return write_seen();
  });
  gathered_.clear();
  seen_.clear();
  return done;
}

Result<void> Recent::write_events() {
  EILPOST_ASSIGN_OR_RETURN(auto insert,
                           prepare("INSERT OR REPLACE INTO recent VALUES (" + places(10) + ")"));
  for (const auto& [type, same_type] : gathered_) {
    for (const Gathered& gathered : same_type) {
      const Event& event = gathered.event;
      EILPOST_RETURN_IF_ERROR(
          insert.bind(1, to_column(gathered.sequence.value))
              .bind(2, event.id)
              .bind(3, event.type)
              .bind(4, event.user)
              .bind(5, std::int64_t{static_cast<std::uint32_t>(event.environment)})
              .bind(6, to_column(static_cast<std::uint64_t>(event.source)))
              .bind(7, to_column(event.time))
              .bind(8, to_column(event.received_at))
              .bind(9, to_column(gathered.owed_count))
              .bind(10, event.document)
              .run());
    }
  }
  EILPOST_ASSIGN_OR_RETURN(
      auto trim,
      prepare("DELETE FROM recent WHERE type=?1 AND sequence <= (SELECT sequence FROM recent "
              "WHERE type=?1 ORDER BY sequence DESC LIMIT 1 OFFSET ?2)"));
  for (const auto& [type, same_type] : gathered_) {
    EILPOST_RETURN_IF_ERROR(
        trim.bind(1, type).bind(2, limit_of(limits::kUnwantedKeptPerType)).run());
  }
  return {};
}

Result<void> Recent::write_seen() {
  EILPOST_ASSIGN_OR_RETURN(auto item, prepare(kAddItem));
  for (const auto& [key, seen] : seen_.items()) {
    EILPOST_RETURN_IF_ERROR(item.bind(1, key.first)
                                .bind(2, key.second)
                                .bind(3, seen.name)
                                .bind(4, "")
                                .bind(5, to_column(seen.last_seen_at))
                                .run());
  }
  EILPOST_ASSIGN_OR_RETURN(
      auto property,
      prepare("INSERT INTO properties VALUES (?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
              "count=count+excluded.count, type=CASE WHEN type=excluded.type THEN type "
              "WHEN type IN ('integer','number') AND excluded.type IN ('integer','number') "
              "THEN 'number' ELSE 'any' END"));
  for (const auto& [key, seen] : seen_.properties()) {
    EILPOST_RETURN_IF_ERROR(property.bind(1, key.first)
                                .bind(2, key.second)
                                .bind(3, to_string(seen.type))
                                .bind(4, to_column(seen.count))
                                .run());
  }
  EILPOST_ASSIGN_OR_RETURN(
      auto value,
      prepare("INSERT INTO seen_values VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET "
              "count=count+excluded.count, last_seen_at=max(last_seen_at,excluded.last_seen_at)"));
  for (const auto& [key, seen] : seen_.values()) {
    EILPOST_RETURN_IF_ERROR(value.bind(1, std::get<0>(key))
                                .bind(2, std::get<1>(key))
                                .bind(3, std::get<2>(key))
                                .bind(4, to_column(seen.count))
                                .bind(5, to_column(seen.last_seen_at))
                                .run());
  }
  return {};
}

Result<void> Recent::add_test(const TestRecord& record) {
  return in_transaction([&]() -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(auto insert,
                             prepare("INSERT INTO tests VALUES (" + places(kTestPlaces) + ")"));
    const DeliveryRow& row = record.delivery;
    insert.bind_null(1)
        .bind(2, row.event_id)
        .bind(3, row.event_type)
        .bind(4, row.user)
        .bind(5, std::int64_t{static_cast<std::uint32_t>(row.environment)})
        .bind(6, to_column(static_cast<std::uint64_t>(row.webhook)))
        .bind(7, to_column(static_cast<std::uint64_t>(row.destination)))
        .bind(8, to_column(row.accepted_at))
        .bind(9, row.webhook_id)
        .bind(10, record.document)
        .bind(11, std::int64_t{row.webhook_version})
        .bind(12, static_cast<std::int64_t>(row.state))
        .bind(13, static_cast<std::int64_t>(row.reason));
    if (row.settled_at) {
      insert.bind(14, to_column(*row.settled_at));
    } else {
      insert.bind_null(14);
    }
    bind_attempt(insert, kTestAttemptPlace, record.attempt);
    EILPOST_RETURN_IF_ERROR(insert.run());
    EILPOST_ASSIGN_OR_RETURN(
        auto trim, prepare("DELETE FROM tests WHERE number <= (SELECT max(number) FROM tests)-?1"));
    return trim.bind(1, limit_of(kTestsKept)).run();
  });
}

Result<void> Recent::add_item(const ItemRow& item) {
  return in_transaction([&]() -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(auto insert, prepare(kAddItem));
    return insert.bind(1, item.type)
        .bind(2, item.id)
        .bind(3, item.name)
        .bind(4, item.parent)
        .bind(5, to_column(item.last_seen_at))
        .run();
  });
}

Result<void> Recent::checkpoint() {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  if (!is_dirty_) return {};
  EILPOST_RETURN_IF_ERROR(in_transaction([&] { return database_->run(trim_script()); }));
  const Result<void> done = database_->checkpoint();
  if (!done) {
    note_failure(done.error());
    return done;
  }
  is_dirty_ = false;
  return {};
}

Result<std::vector<EventRow>> Recent::events(std::string_view type, std::size_t count) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(auto select,
                           prepare(fmt::format("SELECT {},e.document FROM recent e WHERE e.type=?1 "
                                               "ORDER BY e.sequence DESC LIMIT ?2",
                                               kEventColumns)));
  select.bind(1, type).bind(2, limit_of(count));
  std::vector<EventRow> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back(read_event(select));
    rows.back().document = select.text(kEventCount);
  }
}

Result<std::optional<EventRow>> Recent::event(Position sequence) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(
      auto select, prepare(fmt::format("SELECT {},e.document FROM recent e WHERE e.sequence=?1",
                                       kEventColumns)));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.bind(1, to_column(sequence.value)).step());
  if (!has_row) return std::optional<EventRow>();
  std::optional<EventRow> row = read_event(select);
  row->document = select.text(kEventCount);
  return row;
}

Result<std::vector<EventRow>> Recent::unwanted(Position before) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(
      auto select, prepare(fmt::format("SELECT {} FROM recent e WHERE e.deliveries_count=0 AND "
                                       "e.sequence<?1 ORDER BY e.sequence DESC",
                                       kEventColumns)));
  select.bind(1, to_column(before.value));
  std::vector<EventRow> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back(read_event(select));
  }
}

Result<std::vector<ItemRow>> Recent::items(std::string_view type, std::string_view search,
                                           const std::optional<ItemPlace>& after,
                                           std::size_t count) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      prepare("SELECT type,id,name,parent,last_seen_at FROM items WHERE (?1='' OR type=?1) AND "
              "(name LIKE ?2 ESCAPE '\\' OR id LIKE ?2 ESCAPE '\\') AND "
              "(?4 IS NULL OR last_seen_at<?4 OR (last_seen_at=?4 AND (type,id)>(?5,?6))) "
              "ORDER BY last_seen_at DESC, type, id LIMIT ?3"));
  select.bind(1, type).bind(2, contains_pattern(search)).bind(3, limit_of(count));
  if (after) {
    select.bind(4, to_column(after->last_seen_at)).bind(5, after->type).bind(6, after->id);
  } else {
    select.bind_null(4).bind_null(5).bind_null(6);
  }
  std::vector<ItemRow> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back({.type = std::string(select.text(0)),
                    .id = std::string(select.text(1)),
                    .name = std::string(select.text(2)),
                    .parent = std::string(select.text(3)),
                    .last_seen_at = to_time(select.integer(4))});
  }
}

Result<std::vector<PropertyRow>> Recent::properties(std::string_view event_type) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      prepare("SELECT path,type,count FROM properties WHERE event_type=?1 ORDER BY path"));
  select.bind(1, event_type);
  std::vector<PropertyRow> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back({.path = std::string(select.text(0)),
                    .type = std::string(select.text(1)),
                    .count = static_cast<std::uint64_t>(select.integer(2))});
  }
}

Result<std::vector<ValueRow>> Recent::values(std::string_view event_type, std::string_view path,
                                             std::size_t count) {
  EILPOST_RETURN_IF_ERROR(write_gathered());
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      prepare("SELECT value,count,last_seen_at FROM seen_values WHERE event_type=?1 AND path=?2 "
              "ORDER BY count DESC, last_seen_at DESC, value LIMIT ?3"));
  select.bind(1, event_type).bind(2, path).bind(3, limit_of(std::min(count, kSeenValuesMax)));
  std::vector<ValueRow> rows;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return rows;
    rows.push_back({.value = std::string(select.text(0)),
                    .count = static_cast<std::uint64_t>(select.integer(1)),
                    .last_seen_at = to_time(select.integer(2))});
  }
}

Result<std::vector<TestRecord>> Recent::tests(std::size_t count) {
  EILPOST_ASSIGN_OR_RETURN(auto select,
                           prepare("SELECT * FROM tests ORDER BY number DESC LIMIT ?1"));
  select.bind(1, limit_of(count));
  std::vector<TestRecord> records;
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return records;
    TestRecord record;
    record.attempt = read_attempt(select, kTestAttemptPlace - 1, {});
    DeliveryRow& row = record.delivery;
    row.event_id = select.text(1);
    row.event_type = select.text(2);
    row.user = select.text(3);
    row.environment = static_cast<EnvironmentId>(select.integer(4));
    row.webhook = static_cast<WebhookId>(select.integer(5));
    row.destination = static_cast<DestinationId>(select.integer(6));
    row.accepted_at = to_time(select.integer(7));
    row.webhook_id = select.text(8);
    record.document = select.text(9);
    row.webhook_version = static_cast<std::uint32_t>(select.integer(10));
    row.state = static_cast<DeliveryState>(select.integer(11));
    row.reason = static_cast<FailReason>(select.integer(12));
    row.settled_at = to_optional_time(select, 13);
    row.attempts_count = 1;
    row.last_outcome = record.attempt.outcome.kind;
    row.last_status = record.attempt.outcome.status;
    row.is_test = true;
    records.push_back(std::move(record));
  }
}

}  // namespace eilpost::history
