#include "history/log_reader.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/encoding.h"
#include "history/block.h"
#include "history/matching.h"
#include "store/records.h"

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

bool may_hold(const FileFacts& facts, const Filter& filter) {
  if (filter.from && facts.accepted_max.value_or(WallTime{}) < *filter.from) return false;
  return !filter.until || facts.accepted_min.value_or(WallTime::max()) < *filter.until;
}

DeliveryRow to_row(const LoggedEvent& event, DeliveryId id, const LoggedDelivery& delivery) {
  const DeliveryProgress& progress = delivery.progress;
  DeliveryRow row;
  row.id = id;
  row.event_id = event.id;
  row.event_type = event.type;
  row.user = event.user;
  row.environment = event.environment;
  row.webhook = delivery.webhook;
  row.webhook_version = progress.webhook_version;
  row.destination = delivery.destination;
  row.state = progress.state;
  row.reason = progress.reason;
  row.attempts_count = progress.attempts_count;
  row.next_attempt_at = progress.next_attempt_at;
  row.last_outcome = progress.last_outcome;
  row.last_status = progress.last_status;
  row.accepted_at = event.received_at;
  row.settled_at = progress.settled_at;
  row.replay_of = event.replay_of;
  row.webhook_id = event.webhook_id;
  if (row.webhook_id.empty()) row.webhook_id = to_string(id);
  return row;
}

EventRow to_row(const LoggedEvent& event) {
  return {.sequence = event.sequence,
          .id = std::string(event.id),
          .type = std::string(event.type),
          .user = std::string(event.user),
          .environment = event.environment,
          .source = event.source,
          .time = event.time,
          .received_at = event.received_at,
          .deliveries_count = static_cast<std::uint16_t>(event.deliveries_count),
          .document = {}};
}

// Of the filter, what concerns events.
Filter event_filter(const Filter& filter) {
  Filter of_events = filter;
  of_events.webhook.reset();
  of_events.destination.reset();
  of_events.states.clear();
  return of_events;
}

// Whether deliveries in a state that is asked for may be in the block.
Result<bool> may_have_states(LogFile& file, const Filter& filter, const BlockFacts& block) {
  if (filter.states.empty()) return true;
  for (const DeliveryState state : filter.states) {
    if ((block.states & bit_of(state)) != 0) return true;
  }
  return file.has_late(block, [&](DeliveryState state) { return may_match_state(filter, state); });
}

// Calls `each` with the events of a file that match, newest first, until it returns false after a
// block: all those of a block are handed over.
using EachEvent = std::function<void(const LoggedEvents& events, const LoggedEvent& event)>;
Result<void> scan(LogFile& file, const Filter& filter, Position before, const EachEvent& each,
                  const std::function<bool()>& goes_on) {
  return file.for_each_block(before, [&](const BlockFacts& block, ByteView terms) -> Result<bool> {
    if (!may_match(filter, block, terms)) return true;
    EILPOST_ASSIGN_OR_RETURN(const bool may_have_some, may_have_states(file, filter, block));
    if (!may_have_some) return true;
    EILPOST_ASSIGN_OR_RETURN(const LoggedEvents* const events, file.load(block));
    for (auto it = events->events.rbegin(); it != events->events.rend(); ++it) {
      if (it->sequence <= before && matches_event(filter, keys_of(*it))) each(*events, *it);
    }
    return goes_on();
  });
}

// The deliveries of one file before the cursor.
Result<void> collect(LogFile& file, const Filter& filter, std::optional<DeliveryId> cursor,
                     std::size_t count, std::vector<DeliveryRow>& rows) {
  const auto take = [&](const LoggedEvents& events, const LoggedEvent& event) {
    const auto deliveries = events.deliveries_of(event);
    for (std::size_t i = deliveries.size(); i > 0 && rows.size() < count; --i) {
      const DeliveryId id{.sequence = event.sequence, .ordinal = static_cast<std::uint16_t>(i - 1)};
      if (cursor && id >= *cursor) continue;
      if (!matches_delivery(filter, deliveries[i - 1])) continue;
      rows.push_back(to_row(event, id, deliveries[i - 1]));
      if (filter.held) rows.back().state = seen_state(*filter.held, rows.back());
    }
  };
  return scan(file, filter, cursor ? cursor->sequence : kNewest, take,
              [&] { return rows.size() < count; });
}

// The wanted events of one file before `before`.
Result<void> collect(LogFile& file, const Filter& filter, Position before, std::size_t count,
                     std::vector<EventRow>& rows) {
  return scan(
      file, event_filter(filter), before,
      [&](const LoggedEvents&, const LoggedEvent& event) {
        if (event.sequence < before && rows.size() < count) rows.push_back(to_row(event));
      },
      [&] { return rows.size() < count; });
}

Result<void> count(LogFile& file, const Filter& filter,
                   std::unordered_map<WebhookId, std::uint64_t>& counts) {
  const auto add = [&](const LoggedEvents& events, const LoggedEvent& event) {
    for (const LoggedDelivery& delivery : events.deliveries_of(event)) {
      if (matches_delivery(filter, delivery)) ++counts[delivery.webhook];
    }
  };
  return scan(file, filter, kNewest, add, [] { return true; });
}

// An event in its file, with its block.
struct Found {
  BlockFacts block;
  LoggedEvents* events = nullptr;
  const LoggedEvent* event = nullptr;
};

Result<std::optional<Found>> find_event(LogFile& file, Position sequence) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<BlockFacts> block, file.find_block(sequence));
  if (!block) return std::optional<Found>();
  EILPOST_ASSIGN_OR_RETURN(LoggedEvents* const events, file.load(*block));
  const LoggedEvent* const event = events->find(sequence);
  if (event == nullptr) return std::optional<Found>();
  return Found{.block = *block, .events = events, .event = event};
}

// Calls `each` with the records of an event.
Result<void> for_each_record(LogFile& file, const Found& found,
                             const std::function<void(const store::Record&)>& each) {
  EILPOST_ASSIGN_OR_RETURN(const std::string details, file.details(found.block));
  const LoggedEvent& event = *found.event;
  bool is_good = event.details_offset <= details.size() &&
                 event.details_bytes <= details.size() - event.details_offset;
  store::Record record;
  is_good = is_good &&
            for_each_detail(as_bytes(details).subspan(event.details_offset, event.details_bytes),
                            [&](ByteView bytes) {
                              if (!store::decode_record(bytes, record)) {
                                is_good = false;
                              } else {
                                each(record);
                              }
                            }) &&
            is_good;
  if (is_good) return {};
  return fail(ErrorCode::database_corrupt, "The details of an event are damaged.");
}

Result<void> for_each_late(const std::vector<Bytes>& attempts,
                           const std::function<void(const store::Record&)>& each) {
  store::Record record;
  for (const Bytes& bytes : attempts) {
    if (!store::decode_record(bytes, record)) {
      return fail(ErrorCode::database_corrupt, "The record of an attempt is damaged.");
    }
    each(record);
  }
  return {};
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
  std::unordered_map<WebhookId, std::uint64_t> counts;
  EILPOST_RETURN_IF_ERROR(for_each_file(filter, kNewest, [&](LogFile& file) -> Result<bool> {
    std::unordered_map<WebhookId, std::uint64_t> of_file;
    EILPOST_RETURN_IF_ERROR(count(file, filter, of_file));
    for (const auto& [webhook, count] : of_file) counts[webhook] += count;
    return true;
  }));
  return std::map<WebhookId, std::uint64_t>(counts.begin(), counts.end());
}

Result<std::optional<DeliveryRow>> LogReader::delivery(DeliveryId id) {
  std::optional<DeliveryRow> row;
  EILPOST_RETURN_IF_ERROR(on_file(id.sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(const std::optional<Found> found, find_event(file, id.sequence));
    if (!found || id.ordinal >= found->event->deliveries_count) return {};
    row = to_row(*found->event, id, found->events->deliveries_of(*found->event)[id.ordinal]);
    return {};
  }));
  return row;
}

Result<std::vector<Attempt>> LogReader::attempts(DeliveryId id) {
  std::map<std::uint16_t, Attempt> attempts;  // One that was written again replaces itself.
  const auto take = [&](const store::Record& record) {
    if (record.kind != store::RecordKind::attempt || record.attempt.delivery != id) return;
    attempts[record.attempt.number] = record.attempt;
  };
  EILPOST_RETURN_IF_ERROR(on_file(id.sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(const std::optional<Found> found, find_event(file, id.sequence));
    if (!found || id.ordinal >= found->event->deliveries_count) return {};
    EILPOST_RETURN_IF_ERROR(for_each_record(file, *found, take));
    EILPOST_ASSIGN_OR_RETURN(const std::vector<Bytes> late, file.late_attempts(id));
    return for_each_late(late, take);
  }));
  std::vector<Attempt> in_order;
  in_order.reserve(attempts.size());
  for (auto& [number, attempt] : attempts) in_order.push_back(std::move(attempt));
  return in_order;
}

Result<std::optional<EventRow>> LogReader::event_of(DeliveryId id) {
  EILPOST_ASSIGN_OR_RETURN(std::optional<EventRow> row, event(id.sequence));
  if (row && id.ordinal >= row->deliveries_count) row.reset();
  return row;
}

Result<std::optional<EventRow>> LogReader::event(Position sequence) {
  std::optional<EventRow> row;
  EILPOST_RETURN_IF_ERROR(on_file(sequence, [&](LogFile& file) -> Result<void> {
    EILPOST_ASSIGN_OR_RETURN(const std::optional<Found> found, find_event(file, sequence));
    if (!found) return {};
    EventRow shown = to_row(*found->event);
    const auto take_document = [&](const store::Record& record) {
      if (record.kind != store::RecordKind::accepted) return;
      shown.document = store::to_event(record.event.event).document;
    };
    EILPOST_RETURN_IF_ERROR(for_each_record(file, *found, take_document));
    row = std::move(shown);
    return {};
  }));
  if (row) return row;
  return recent_.event(sequence);
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
    if (matches_event(filter, keys_of(row))) found.rows.push_back(std::move(row));
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
