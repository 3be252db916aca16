// Sending deliveries again: one, or all that match a filter.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "admin/api.h"
#include "base/parse.h"
#include "simdjson.h"

namespace eilpost::admin {
namespace {

constexpr std::size_t kReplayMax = 100'000;
constexpr std::size_t kReplayPage = 1000;

Result<std::shared_ptr<const Event>> event_again(history::Reader& reader,
                                                 const history::DeliveryRow& row, bool as_new) {
  EILPOST_ASSIGN_OR_RETURN(const std::optional<history::EventRow> found, reader.event_of(row.id));
  if (!found || found->document.empty()) return fail(ErrorCode::not_found, to_string(row.id));
  const std::string original = row.webhook_id.empty() ? to_string(row.id) : row.webhook_id;
  return std::make_shared<const Event>(Event{.id = found->id,
                                             .type = found->type,
                                             .user = found->user,
                                             .environment = found->environment,
                                             .source = found->source,
                                             .time = found->time,
                                             .received_at = found->received_at,
                                             .document = found->document,
                                             .webhook_id = as_new ? "" : original});
}

bool asks_for_new(const Json& body) {
  const auto found = body.find("as_new");
  return found != body.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

// What each delivery owes again, to the newest version of its webhook; those whose webhook or event
// is gone are left out.
Task<std::expected<std::vector<store::Accept>, http::Response>> Api::accepts_for(
    Call& call, std::vector<history::DeliveryRow> rows, bool as_new) {
  const auto snapshot = co_await on_settings(call, [this] { return parts_.settings.snapshot(); });
  const WallTime now = wall_now();
  const auto read = [rows = std::move(rows), as_new, snapshot,
                     now](history::Reader& reader) -> Result<std::vector<store::Accept>> {
    std::vector<store::Accept> batch;
    for (const history::DeliveryRow& row : rows) {
      const auto webhook = snapshot->webhooks.find(row.webhook);
      if (webhook == snapshot->webhooks.end()) continue;
      Result<std::shared_ptr<const Event>> event = event_again(reader, row, as_new);
      if (!event && event.error().code == ErrorCode::not_found) continue;
      if (!event) return std::unexpected(event.error());
      Event again = **event;
      again.received_at = now;  // When this delivery came to be: its age counts from here.
      const Webhook& newest = webhook->second->webhook;
      batch.push_back({.event = std::make_shared<const Event>(std::move(again)),
                       .owed = {{.webhook = newest.id,
                                 .webhook_version = newest.version,
                                 .destination = newest.destination}},
                       .replay_of = store::ReplayOf{.original = row.id}});
    }
    return batch;
  };
  auto batch = co_await on_history<Result<std::vector<store::Accept>>>(call.lane, read);
  if (!batch) co_return std::unexpected(problem(batch.error()));
  co_return std::move(*batch);
}

Task<std::vector<DeliveryId>> Api::accept_all(std::size_t lane, std::vector<store::Accept> batch) {
  if (batch.empty()) co_return std::vector<DeliveryId>{};
  const store::Accepted accepted =
      co_await env::callback<store::Accepted>([this, lane, &batch](auto done) {
        parts_.pipeline.accept(std::move(batch), loop(lane), std::move(done));
      });
  std::vector<DeliveryId> ids;
  if (accepted.status == store::AcceptStatus::full) co_return ids;
  for (const auto& sequence : accepted.sequences) {
    if (sequence) ids.push_back({.sequence = *sequence, .ordinal = 0});
  }
  co_return ids;
}

Task<http::Response> Api::replay_one(Call& call) {
  const auto id = id_argument<DeliveryId>(call);
  if (!id) co_return not_found("delivery");
  using Row = Result<std::optional<history::DeliveryRow>>;
  const Row row = co_await on_history<Row>(
      call.lane, [id = *id](history::Reader& reader) { return reader.delivery(id); });
  if (!row) co_return problem(row.error());
  if (!*row) co_return not_found("delivery");
  auto batch = co_await accepts_for(call, std::vector{**row}, asks_for_new(call.body));
  if (!batch) co_return batch.error();
  if (batch->empty()) {
    co_return problem(409, "not_replayable",
                      "Its webhook was deleted, or its event is no longer kept.");
  }
  const std::vector<DeliveryId> ids = co_await accept_all(call.lane, std::move(*batch));
  if (ids.empty()) co_return problem(503, "disk_full", "No space is left; nothing was replayed.");
  co_return json_response(201, {{"id", to_string(ids.front())}, {"replay_of", to_string(*id)}});
}

// {"filter":{…},"expected_count":n,"as_new":false}: without expected_count it only counts.
Task<http::Response> Api::replay_many(Call& call) {
  const auto asked = call.body.find("filter");
  if (asked == call.body.end() || !asked->is_object()) {
    co_return problem(
        422, "invalid", "Give a `filter`, such as {\"state\":\"failed\"}.",
        {{.code = "required", .detail = "`filter` must be an object.", .pointer = "/filter"}});
  }
  const auto filter = filter_from_json(*asked);
  if (!filter) co_return filter.error();
  const auto count = co_await on_history<Result<std::uint64_t>>(
      call.lane,
      [filter = *filter](history::Reader& reader) { return reader.count_deliveries(filter); });
  if (!count) co_return problem(count.error());
  const auto expected = call.body.find("expected_count");
  if (expected == call.body.end()) co_return json_response(200, {{"count", *count}});
  if (*count > kReplayMax) {
    co_return problem(
        422, "too_many",
        fmt::format("{} match; at most {} are replayed at once.", *count, kReplayMax));
  }
  if (!expected->is_number_unsigned() || expected->get<std::uint64_t>() != *count) {
    co_return problem(409, "count_changed",
                      fmt::format("{} deliveries match now. Confirm with expected_count.", *count));
  }
  using Rows = Result<history::Rows<history::DeliveryRow>>;
  const bool as_new = asks_for_new(call.body);
  history::Filter settled_filter = *filter;
  // What comes to be by replaying must not be replayed again.
  const WallTime now = wall_now();
  settled_filter.until = std::min(settled_filter.until.value_or(now), now);
  std::uint64_t replayed = 0;
  std::string cursor;
  do {
    const history::Page page{.cursor = cursor, .count = kReplayPage};
    Rows rows =
        co_await on_history<Rows>(call.lane, [settled_filter, page](history::Reader& reader) {
          return reader.deliveries(settled_filter, page);
        });
    if (!rows) co_return problem(rows.error());
    cursor = rows->next_cursor;
    auto batch = co_await accepts_for(call, std::move(rows->rows), as_new);
    if (!batch) co_return batch.error();
    const std::vector<DeliveryId> ids = co_await accept_all(call.lane, std::move(*batch));
    replayed += ids.size();
  } while (!cursor.empty());
  co_return json_response(200, {{"count", *count}, {"replayed", replayed}});
}

}  // namespace eilpost::admin
