#include "history/log_reader.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "base/encoding.h"
#include "history/filter_sql.h"
#include "history/rows.h"

namespace eilpost::history {
namespace {

constexpr std::size_t kRowsMax = 10'000;  // of one page
constexpr Position kNewest{.value = INT64_MAX};
constexpr std::size_t kCursorBytes = 10;

// A cursor is the place of the last row of a page: its sequence and ordinal, big endian.
std::string to_cursor(DeliveryId id) {
  Bytes bytes(kCursorBytes);
  for (std::size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::byte>(id.sequence.value >> (56 - (8 * i)));
  }
  bytes[8] = static_cast<std::byte>(id.ordinal >> 8U);
  bytes[9] = static_cast<std::byte>(id.ordinal & 0xFFU);
  return encode_base64url(bytes);
}

Result<std::optional<DeliveryId>> parse_cursor(std::string_view text) {
  if (text.empty()) return std::optional<DeliveryId>();
  const std::optional<Bytes> bytes = decode_base64url(text);
  if (!bytes || bytes->size() != kCursorBytes) {
    return fail(ErrorCode::bad_input, "The cursor is not one that a page ended with.");
  }
  DeliveryId id;
  for (std::size_t i = 0; i < 8; ++i) {
    id.sequence.value = (id.sequence.value << 8U) | std::to_integer<std::uint64_t>((*bytes)[i]);
  }
  if (id.sequence > kNewest) return fail(ErrorCode::bad_input, "The cursor is out of range.");
  id.ordinal = static_cast<std::uint16_t>((std::to_integer<unsigned>((*bytes)[8]) << 8U) |
                                          std::to_integer<unsigned>((*bytes)[9]));
  return std::optional(id);
}

std::size_t count_of(const Page& page) {
  return std::clamp<std::size_t>(page.count, 1, kRowsMax);
}

bool matches(const Filter& filter, const EventRow& row) {
  if (filter.event_id && *filter.event_id != row.id) return false;
  if (filter.user && *filter.user != row.user) return false;
  if (filter.environment && *filter.environment != row.environment) return false;
  if (filter.from && row.received_at < *filter.from) return false;
  if (filter.until && row.received_at >= *filter.until) return false;
  return filter.event_types.empty() ||
         std::ranges::find(filter.event_types, row.type) != filter.event_types.end();
}

bool may_hold(const FileFacts& facts, const Filter& filter) {
  if (filter.from && facts.accepted_max.value_or(WallTime{}) < *filter.from) return false;
  return !filter.until || facts.accepted_min.value_or(WallTime::max()) < *filter.until;
}

// The deliveries of one file before the cursor.
Result<void> collect(LogFile& file, const Filter& filter, std::optional<DeliveryId> cursor,
                     std::size_t count, std::vector<DeliveryRow>& rows) {
  Conditions conditions;
  conditions.add_event_filter(filter);
  conditions.add_delivery_filter(filter);
  if (cursor) {
    EILPOST_ASSIGN_OR_RETURN(const std::optional<std::int64_t> key,
                             file.first_key(cursor->sequence));
    if (key) {
      conditions.add("d.key<?", {*key + cursor->ordinal});
    } else {
      conditions.add("d.sequence<=?", {to_column(cursor->sequence.value)});
    }
  }
  const Source source = source_for(filter, file.facts().is_closed);
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      file.database().prepare(fmt::format("SELECT {}{}{}{} LIMIT {}", kDeliveryColumns, source.from,
                                          conditions.where(), source.order, count - rows.size())));
  conditions.bind(select);
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return {};
    rows.push_back(read_delivery(select));
    if (filter.held) rows.back().state = seen_state(*filter.held, rows.back());
  }
}

// The wanted events of one file before `before`.
Result<void> collect(LogFile& file, const Filter& filter, Position before, std::size_t count,
                     std::vector<EventRow>& rows) {
  Conditions conditions;
  conditions.add_event_filter(filter);
  conditions.add("e.sequence<?", {to_column(before.value)});
  EILPOST_ASSIGN_OR_RETURN(
      auto select, file.database().prepare(
                       fmt::format("SELECT {} FROM events e{} ORDER BY e.sequence DESC LIMIT {}",
                                   kEventColumns, conditions.where(), count - rows.size())));
  conditions.bind(select);
  while (true) {
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (!has_row) return {};
    rows.push_back(read_event(select));
  }
}

}  // namespace

void LogReader::note(LogFiles::Entry& entry, const Error& error) {
  if (error.code == ErrorCode::database_corrupt) (void)files_.note_failure(entry, error);
}

Result<void> LogReader::for_each_file(const Filter& filter, Position before, const Work& work) {
  for (std::size_t i = files_.entries().size(); i > 0; --i) {
    LogFiles::Entry& entry = *files_.entries()[i - 1];
    if (entry.first > before || !may_hold(entry.facts, filter)) continue;
    const Result<LogFile*> file = files_.use(entry);
    const Result<bool> more = file ? work(**file) : std::unexpected(file.error());
    if (!more && more.error().code != ErrorCode::database_corrupt) {
      return std::unexpected(more.error());
    }
    if (!more) {
      note(entry, more.error());
    } else if (!*more) {
      return {};
    }
  }
  return {};
}

Result<void> LogReader::on_file(Position sequence,
                                const std::function<Result<void>(LogFile&)>& work) {
  LogFiles::Entry* const entry = files_.find(sequence);
  if (entry == nullptr) return {};
  const Result<LogFile*> file = files_.use(*entry);
  Result<void> done = file ? work(**file) : std::unexpected(file.error());
  if (!done) note(*entry, done.error());
  return done;
}

Result<Rows<DeliveryRow>> LogReader::deliveries(const Filter& filter, const Page& page) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<DeliveryId> cursor, parse_cursor(page.cursor));
  const std::size_t count = count_of(page);
  Rows<DeliveryRow> found;
  EILPOST_RETURN_IF_ERROR(for_each_file(
      filter, cursor ? cursor->sequence : kNewest, [&](LogFile& file) -> Result<bool> {
        const std::size_t before = found.rows.size();
        const Result<void> done = collect(file, filter, cursor, count + 1, found.rows);
        if (!done) {
          found.rows.resize(before);
          return std::unexpected(done.error());
        }
        return found.rows.size() <= count;
      }));
  if (found.rows.size() <= count) return found;
  found.rows.resize(count);
  found.next_cursor = to_cursor(found.rows.back().id);
  return found;
}

Result<std::uint64_t> LogReader::count_deliveries(const Filter& filter) {
  EILPOST_ASSIGN_OR_RETURN(const auto counts, count_by_webhook(filter));
  std::uint64_t count = 0;
  for (const auto& [webhook, of_webhook] : counts) count += of_webhook;
  return count;
}

Result<std::map<WebhookId, std::uint64_t>> LogReader::count_by_webhook(const Filter& filter) {
  std::map<WebhookId, std::uint64_t> counts;
  Conditions conditions;
  conditions.add_event_filter(filter);
  conditions.add_delivery_filter(filter);
  EILPOST_RETURN_IF_ERROR(for_each_file(filter, kNewest, [&](LogFile& file) -> Result<bool> {
    const Source source = source_for(filter, file.facts().is_closed);
    EILPOST_ASSIGN_OR_RETURN(auto select, file.database().prepare(fmt::format(
                                              "SELECT d.webhook,count(*){}{} GROUP BY d.webhook",
                                              source.from, conditions.where())));
    conditions.bind(select);
    while (true) {
      EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
      if (!has_row) return true;
      counts[static_cast<WebhookId>(select.integer(0))] +=
          static_cast<std::uint64_t>(select.integer(1));
    }
  }));
  return counts;
}

Result<std::optional<DeliveryRow>> LogReader::delivery(DeliveryId id) {
  std::optional<DeliveryRow> row;
  EILPOST_RETURN_IF_ERROR(on_file(id.sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(
        auto select, file.database().prepare(fmt::format(
                         "SELECT {} FROM events e CROSS JOIN deliveries d ON d.key=e.first_key+?2 "
                         "WHERE e.sequence=?1 AND ?2<e.deliveries_count",
                         kDeliveryColumns)));
    select.bind(1, to_column(id.sequence.value)).bind(2, std::int64_t{id.ordinal});
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
    if (has_row) row = read_delivery(select);
    return {};
  }));
  return row;
}

Result<std::vector<Attempt>> LogReader::attempts(DeliveryId id) {
  std::vector<Attempt> attempts;
  EILPOST_RETURN_IF_ERROR(on_file(id.sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(const std::optional<std::int64_t> first, file.first_key(id.sequence));
    if (!first) return {};
    const std::int64_t key = *first + id.ordinal;
    EILPOST_ASSIGN_OR_RETURN(
        auto select,
        file.database().prepare(fmt::format(
            "SELECT {} FROM attempts WHERE id>=?1 AND id<?2 AND EXISTS "
            "(SELECT 1 FROM events WHERE sequence=?3 AND ?4<deliveries_count) ORDER BY id",
            kAttemptColumns)));
    select.bind(1, key << 16)
        .bind(2, (key + 1) << 16)
        .bind(3, to_column(id.sequence.value))
        .bind(4, std::int64_t{id.ordinal});
    while (true) {
      EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
      if (!has_row) return {};
      attempts.push_back(read_attempt(select, 0, id));
    }
  }));
  return attempts;
}

Result<std::optional<EventRow>> LogReader::event_of(DeliveryId id) {
  EILPOST_ASSIGN_OR_RETURN(std::optional<EventRow> row, event(id.sequence));
  if (row && id.ordinal >= row->deliveries_count) row.reset();
  return row;
}

Result<std::optional<EventRow>> LogReader::event(Position sequence) {
  std::optional<EventRow> row;
  EILPOST_RETURN_IF_ERROR(on_file(sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(auto select,
                             file.database().prepare(fmt::format(
                                 "SELECT {} FROM events e WHERE e.sequence=?1", kEventColumns)));
    EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.bind(1, to_column(sequence.value)).step());
    if (!has_row) return {};
    EventRow found = read_event(select);
    EILPOST_ASSIGN_OR_RETURN(found.document, document_of(file, sequence));
    row = std::move(found);
    return {};
  }));
  if (row) return row;
  return recent_.event(sequence);
}

Result<std::string> LogReader::document_of(LogFile& file, Position sequence) {
  EILPOST_ASSIGN_OR_RETURN(
      auto select,
      file.database().prepare("SELECT b.bytes,e.body_offset,e.body_bytes FROM events e JOIN bodies "
                              "b ON b.block=e.block WHERE e.sequence=?1"));
  EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.bind(1, to_column(sequence.value)).step());
  if (!has_row) return fail(ErrorCode::database_corrupt, "A block of event documents is missing.");
  EILPOST_ASSIGN_OR_RETURN(const std::string text, codec_.decompress(select.blob(0)));
  const auto offset = static_cast<std::uint64_t>(select.integer(1));
  const auto size = static_cast<std::uint64_t>(select.integer(2));
  if (offset > text.size() || size > text.size() - offset) {
    return fail(ErrorCode::database_corrupt, "An event document lies outside its block.");
  }
  return text.substr(offset, size);
}

Result<Rows<EventRow>> LogReader::events(const Filter& filter, const Page& page) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<DeliveryId> cursor, parse_cursor(page.cursor));
  const Position before = cursor ? cursor->sequence : kNewest;
  const std::size_t count = count_of(page);
  Rows<EventRow> found;
  EILPOST_RETURN_IF_ERROR(for_each_file(filter, before, [&](LogFile& file) -> Result<bool> {
    const std::size_t rows_before = found.rows.size();
    const Result<void> done = collect(file, filter, before, count + 1, found.rows);
    if (!done) {
      found.rows.resize(rows_before);
      return std::unexpected(done.error());
    }
    return found.rows.size() <= count;
  }));
  EILPOST_ASSIGN_OR_RETURN(std::vector<EventRow> unwanted, recent_.unwanted(before));
  for (EventRow& row : unwanted) {
    if (matches(filter, row)) found.rows.push_back(std::move(row));
  }
  std::ranges::sort(found.rows, std::ranges::greater{}, &EventRow::sequence);
  if (found.rows.size() <= count) return found;
  found.rows.resize(count);
  found.next_cursor = to_cursor({.sequence = found.rows.back().sequence});
  return found;
}

Result<std::vector<EventRow>> LogReader::recent_events(std::string_view type, std::size_t count) {
  return recent_.events(type, count);
}

Result<std::vector<ItemRow>> LogReader::items(std::string_view type, std::string_view search,
                                              const std::optional<ItemPlace>& after,
                                              std::size_t count) {
  return recent_.items(type, search, after, count);
}

Result<std::vector<PropertyRow>> LogReader::properties(std::string_view event_type) {
  return recent_.properties(event_type);
}

Result<std::vector<ValueRow>> LogReader::values(std::string_view event_type, std::string_view path,
                                                std::size_t count) {
  return recent_.values(event_type, path, count);
}

Result<std::vector<Counts>> LogReader::counts(WallTime from, WallTime until) {
  std::map<std::string, Counts, std::less<>> by_type;
  // Counts are of unwanted events too, whose times the facts of a file do not know.
  EILPOST_RETURN_IF_ERROR(for_each_file({}, kNewest, [&](LogFile& file) -> Result<bool> {
    EILPOST_ASSIGN_OR_RETURN(
        auto select,
        file.database().prepare("SELECT type,sum(events),sum(unwanted) FROM counts WHERE "
                                "hour>=?1 AND hour*3600000<?2 GROUP BY type"));
    const auto hour = std::chrono::floor<std::chrono::hours>(from).time_since_epoch().count();
    select.bind(1, std::int64_t{hour}).bind(2, to_column(until));
    while (true) {
      EILPOST_ASSIGN_OR_RETURN(const bool has_row, select.step());
      if (!has_row) return true;
      Counts& counts = by_type[std::string(select.text(0))];
      counts.event_type = select.text(0);
      counts.events += static_cast<std::uint64_t>(select.integer(1));
      counts.unwanted += static_cast<std::uint64_t>(select.integer(2));
    }
  }));
  std::vector<Counts> all;
  all.reserve(by_type.size());
  for (auto& [type, counts] : by_type) all.push_back(std::move(counts));
  return all;
}

Result<std::vector<TestRecord>> LogReader::tests(std::size_t count) {
  return recent_.tests(count);
}

}  // namespace eilpost::history
