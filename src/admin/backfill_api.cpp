// Backfill: stored events of a time range, sent to a webhook that did not exist or did not want
// them when they came.

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <simdjson.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "model/event_document.h"
#include "model/limits.h"

namespace eilpost::admin {
namespace {

constexpr std::size_t kEventsPage = 500;       // looked at before others may ask the history
constexpr std::size_t kDeliveriesPage = 5000;  // the same

// What a page of the log adds to the list of events that are to be sent.
struct Found {
  std::vector<Position> events;  // newest first
  std::string next_cursor;
};

// Whether this is no event that somebody sent, but one that was stored again to be sent again.
Result<bool> is_copy(history::Reader& reader, const history::EventRow& row) {
  if (row.deliveries_count != 1) return false;
  EILPOST_ASSIGN_OR_RETURN(const std::optional<history::DeliveryRow> delivery,
                           reader.delivery({.sequence = row.sequence, .ordinal = 0}));
  return delivery && delivery->replay_of.has_value();
}

Result<bool> is_wanted(history::Reader& reader, const Api::Backfill& wanted,
                       const history::EventRow& row) {
  if (std::ranges::find(wanted.environments, row.environment) == wanted.environments.end() ||
      std::ranges::binary_search(wanted.known, row.sequence)) {
    return false;
  }
  EILPOST_ASSIGN_OR_RETURN(const std::optional<history::EventRow> whole,
                           reader.event(row.sequence));
  if (!whole || whole->document.empty()) return false;
  simdjson::dom::parser parser;
  const Result<EventDocument> document = EventDocument::parse(parser, whole->document);
  if (!document || !match::evaluate(*wanted.draft.conditions, *document, nullptr)) return false;
  EILPOST_ASSIGN_OR_RETURN(const bool copied, is_copy(reader, row));
  return !copied;
}

Result<Found> find_events(history::Reader& reader, const Api::Backfill& wanted,
                          const std::string& cursor) {
  EILPOST_ASSIGN_OR_RETURN(const history::Rows<history::EventRow> rows,
                           reader.events(wanted.filter, {.cursor = cursor, .count = kEventsPage}));
  Found found{.events = {}, .next_cursor = rows.next_cursor};
  for (const history::EventRow& row : rows.rows) {
    EILPOST_ASSIGN_OR_RETURN(const bool wants, is_wanted(reader, wanted, row));
    if (wants) found.events.push_back(row.sequence);
  }
  return found;
}

std::vector<std::string> types_of(const Webhook& webhook, const Catalog& catalog) {
  std::set<std::string> codes;
  for (const std::string& pattern : webhook.events) {
    for (const EventType* type : catalog.select(pattern)) codes.insert(type->code);
  }
  return {codes.begin(), codes.end()};
}

// A time of the body; nothing if it is absent.
std::expected<std::optional<WallTime>, Problem> time_in(const Json& body, const char* key) {
  const auto found = body.find(key);
  if (found == body.end() || found->is_null()) return std::nullopt;
  const auto time = found->is_string() ? parse_iso_time(found->get<std::string>()) : std::nullopt;
  if (time) return time;
  return std::unexpected(
      Problem{.code = "invalid",
              .detail = fmt::format("`{}` must be a time such as 2026-11-24T09:00:00Z.", key),
              .pointer = std::string("/") + key});
}

}  // namespace

// The range of the body, or what is wrong with it.
Task<std::expected<Api::Backfill, http::Response>> Api::backfill_asked(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return std::unexpected(not_found("webhook"));
  auto draft = co_await on_settings(
      call, [this, id = *id] { return parts_.settings.compile_draft(to_string(id), Json()); });
  if (!draft) co_return std::unexpected(problem(draft.error()));
  std::vector<Problem> problems;
  const auto from = time_in(call.body, "from");
  const auto until = time_in(call.body, "until");
  if (!from) problems.push_back(from.error());
  if (!until) problems.push_back(until.error());
  if (from && !*from) {
    problems.push_back({.code = "required",
                        .detail = "Say since when: `from`, a time such as 2026-11-24T09:00:00Z.",
                        .pointer = "/from"});
  }
  if (!problems.empty()) {
    co_return std::unexpected(problem(422, "invalid", problems.front().detail, problems));
  }
  Backfill wanted{.draft = std::move(*draft), .filter = {}, .environments = {}, .known = {}};
  const WallTime now = wall_now();
  wanted.filter.from = **from;
  wanted.filter.until = std::min(until->value_or(now), now);
  const Webhook& webhook = wanted.draft.webhook->webhook;
  const auto read_settings = [this] {
    return std::pair(parts_.settings.catalog(), parts_.settings.environments());
  };
  const auto [catalog, environments] = co_await on_settings(call, read_settings);
  wanted.filter.event_types = types_of(webhook, *catalog);
  for (const Environment& environment : environments) {
    if (std::ranges::find(webhook.environments, environment.name) != webhook.environments.end()) {
      wanted.environments.push_back(environment.id);
    }
  }
  co_return std::move(wanted);
}

// The events that are owed to the webhook already, or were: it gets no event twice by a backfill.
Task<Result<std::vector<Position>>> Api::known_events(std::size_t lane, WebhookId webhook,
                                                      WallTime from) {
  using Rows = Result<history::Rows<history::DeliveryRow>>;
  std::vector<Position> known;
  std::string cursor;
  do {
    const history::Filter filter{.webhook = webhook, .from = from};
    const history::Page page{.cursor = cursor, .count = kDeliveriesPage};
    Rows rows = co_await on_history<Rows>(
        lane, [filter, page](history::Reader& reader) { return reader.deliveries(filter, page); });
    if (!rows) co_return std::unexpected(rows.error());
    for (const history::DeliveryRow& row : rows->rows) {
      known.push_back(row.replay_of ? row.replay_of->sequence : row.id.sequence);
    }
    cursor = rows->next_cursor;
  } while (!cursor.empty());
  std::ranges::sort(known);
  co_return known;
}

Task<Result<std::vector<Position>>> Api::events_to_backfill(std::size_t lane,
                                                            const Backfill& wanted) {
  std::vector<Position> events;
  std::string cursor;
  do {
    Result<Found> found = co_await on_history<Result<Found>>(
        lane,
        [&wanted, cursor](history::Reader& reader) { return find_events(reader, wanted, cursor); });
    if (!found) co_return std::unexpected(found.error());
    events.insert(events.end(), found->events.begin(), found->events.end());
    cursor = std::move(found->next_cursor);
  } while (!cursor.empty());
  // In the order in which they came.
  std::ranges::reverse(events);
  co_return events;
}

Task<Result<std::vector<store::Accept>>> Api::accepts_for(std::size_t lane, const Webhook& webhook,
                                                          std::vector<Position> events) {
  const store::Accept owed{.event = nullptr,
                           .owed = {{.webhook = webhook.id,
                                     .webhook_version = webhook.version,
                                     .destination = webhook.destination}},
                           .replay_of = {}};
  const WallTime now = wall_now();
  const auto read = [events = std::move(events), owed,
                     now](history::Reader& reader) -> Result<std::vector<store::Accept>> {
    std::vector<store::Accept> batch;
    for (const Position sequence : events) {
      EILPOST_ASSIGN_OR_RETURN(const std::optional<history::EventRow> row, reader.event(sequence));
      if (!row || row->document.empty()) continue;  // Retention took it meanwhile.
      store::Accept accept = owed;
      // When this delivery came to be: its age counts from here.
      accept.event = std::make_shared<const Event>(Event{.id = row->id,
                                                         .type = row->type,
                                                         .user = row->user,
                                                         .environment = row->environment,
                                                         .source = row->source,
                                                         .time = row->time,
                                                         .received_at = now,
                                                         .document = row->document});
      accept.replay_of =
          store::ReplayOf{.original = {.sequence = sequence, .ordinal = store::kWholeEvent}};
      batch.push_back(std::move(accept));
    }
    return batch;
  };
  co_return co_await on_history<Result<std::vector<store::Accept>>>(lane, read);
}

// {"from":…,"until":…,"expected_count":n}: without expected_count it only counts.
Task<http::Response> Api::backfill(Call& call) {
  auto wanted = co_await backfill_asked(call);
  if (!wanted) co_return wanted.error();
  const Webhook& webhook = wanted->draft.webhook->webhook;
  auto known = co_await known_events(call.lane, webhook.id, *wanted->filter.from);
  if (!known) co_return problem(known.error());
  wanted->known = std::move(*known);
  const auto events = co_await events_to_backfill(call.lane, *wanted);
  if (!events) co_return problem(events.error());
  const auto expected = call.body.find("expected_count");
  if (expected == call.body.end()) co_return json_response(200, {{"count", events->size()}});
  if (events->size() > kReplayMax) {
    co_return problem(422, "too_many",
                      fmt::format("{} events are wanted; at most {} are sent at once. Take a "
                                  "shorter range.",
                                  events->size(), kReplayMax));
  }
  if (!expected->is_number_unsigned() || expected->get<std::uint64_t>() != events->size()) {
    co_return problem(
        409, "count_changed",
        fmt::format("{} events are wanted now. Confirm with expected_count.", events->size()));
  }
  std::uint64_t backfilled = 0;
  for (std::size_t begin = 0; begin < events->size(); begin += kReplayPage) {
    const auto first = events->begin() + static_cast<std::ptrdiff_t>(begin);
    const auto count = std::min(kReplayPage, events->size() - begin);
    std::vector<Position> part(first, first + static_cast<std::ptrdiff_t>(count));
    auto batch = co_await accepts_for(call.lane, webhook, std::move(part));
    if (!batch) co_return problem(batch.error());
    const Replayed taken = co_await accept_all(call.lane, std::move(*batch));
    backfilled += taken.ids.size();
    if (taken.status != store::AcceptStatus::durable) {
      co_return refuse_full(taken.status, backfilled, events->size());
    }
  }
  co_return json_response(200, {{"count", events->size()}, {"backfilled", backfilled}});
}

}  // namespace eilpost::admin
