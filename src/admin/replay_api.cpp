// Sending deliveries again: one, or all that match a filter.

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <span>
#include <utility>

#include "admin/api.h"
#include "model/limits.h"

namespace eilpost::admin {
namespace {

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

// What may be sent again: the rest is still owed, and comes by itself.
bool is_replayable(DeliveryState state) {
  return state == DeliveryState::delivered || state == DeliveryState::failed;
}

// As many as one request to the ingest may bring: the journal takes so much at once.
std::size_t part_of(std::span<const store::Accept> batch) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    bytes += batch[i].event->document.size();
    if (i > 0 && bytes > limits::kRequestBytesMax) return i;
  }
  return batch.size();
}

bool asks_for_new(const Json& body) {
  const auto found = body.find("as_new");
  return found != body.end() && found->is_boolean() && found->get<bool>();
}

}  // namespace

http::Response refuse_full(store::AcceptStatus status, std::uint64_t done, std::uint64_t count) {
  const bool is_full = status == store::AcceptStatus::full;
  return problem(503, is_full ? "disk_full" : "unavailable",
                 fmt::format("{} of {} replayed: {}", done, count,
                             is_full ? "no space is left. Ask again once there is."
                                     : "the next one cannot be taken."));
}

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

Task<Api::Replayed> Api::accept_all(std::size_t lane, std::vector<store::Accept> batch) {
  Replayed replayed;
  std::span<store::Accept> rest = batch;
  while (!rest.empty()) {
    const std::span<store::Accept> part = rest.first(part_of(rest));
    rest = rest.subspan(part.size());
    std::vector<store::Accept> owned(std::make_move_iterator(part.begin()),
                                     std::make_move_iterator(part.end()));
    const store::Accepted accepted =
        co_await env::callback<store::Accepted>([this, lane, &owned](auto done) {
          parts_.pipeline.accept(std::move(owned), loop(lane), std::move(done));
        });
    replayed.status = accepted.status;
    if (accepted.status != store::AcceptStatus::durable) break;
    for (const auto& sequence : accepted.sequences) {
      if (sequence) replayed.ids.push_back({.sequence = *sequence, .ordinal = 0});
    }
  }
  co_return replayed;
}

Task<http::Response> Api::replay_one(Call& call) {
  const auto id = id_argument<DeliveryId>(call);
  if (!id) co_return not_found("delivery");
  co_await make_attempts_durable(call.lane);
  using Row = Result<std::optional<history::DeliveryRow>>;
  const Row row = co_await on_history<Row>(
      call.lane, [id = *id](history::Reader& reader) { return reader.delivery(id); });
  if (!row) co_return problem(row.error());
  if (!*row) co_return not_found("delivery");
  if (!is_replayable((*row)->state)) {
    co_return problem(
        409, "still_owed",
        fmt::format("This delivery is still owed ({}) and will be sent by itself. What "
                    "was delivered, or has failed, can be replayed.",
                    to_string((*row)->state)));
  }
  auto batch = co_await accepts_for(call, std::vector{**row}, asks_for_new(call.body));
  if (!batch) co_return batch.error();
  if (batch->empty()) {
    co_return problem(409, "not_replayable",
                      "Its webhook was deleted, or its event is no longer kept.");
  }
  const Replayed replayed = co_await accept_all(call.lane, std::move(*batch));
  if (replayed.ids.empty()) co_return refuse_full(replayed.status, 0, 1);
  co_return json_response(201,
                          {{"id", to_string(replayed.ids.front())}, {"replay_of", to_string(*id)}});
}

// The filter of the body, and of what it finds only what can be replayed.
Task<std::expected<history::Filter, http::Response>> Api::replay_filter(Call& call) {
  const auto asked = call.body.find("filter");
  if (asked == call.body.end()) {
    co_return std::unexpected(problem(
        422, "invalid", "Give a `filter`, such as {\"state\":\"failed\"}.",
        {{.code = "required", .detail = "`filter` must be an object.", .pointer = "/filter"}}));
  }
  auto filter = filter_from_json(*asked);
  if (!filter) co_return std::unexpected(filter.error());
  const bool is_any = filter->states.empty();
  if (is_any) filter->states = {DeliveryState::delivered, DeliveryState::failed};
  if (is_replayable(filter->states.front())) co_return std::move(*filter);
  co_return std::unexpected(problem(
      422, "invalid", "Only what was delivered, or has failed, can be replayed.",
      {{.code = "still_owed",
        .detail = "`state` must be delivered or failed; what is still owed comes by itself.",
        .pointer = "/filter/state"}}));
}

Task<Result<std::uint64_t>> Api::count_replayable(std::size_t lane, history::Filter filter) {
  using Counts = Result<std::map<WebhookId, std::uint64_t>>;
  const Counts counts =
      co_await on_history<Counts>(lane, [filter = std::move(filter)](history::Reader& reader) {
        return reader.count_by_webhook(filter);
      });
  if (!counts) co_return std::unexpected(counts.error());
  const auto snapshot = co_await env::run_on(parts_.settings_worker, loop(lane),
                                             [this] { return parts_.settings.snapshot(); });
  std::uint64_t count = 0;
  for (const auto& [webhook, of_webhook] : *counts) {
    if (snapshot->webhooks.contains(webhook)) count += of_webhook;
  }
  co_return count;
}

// {"filter":{…},"expected_count":n,"as_new":false}: without expected_count it only counts.
Task<http::Response> Api::replay_many(Call& call) {
  auto filter = co_await replay_filter(call);
  if (!filter) co_return filter.error();
  // What comes to be by replaying must not be replayed again.
  const WallTime now = wall_now();
  filter->until = std::min(filter->until.value_or(now), now);
  const Result<std::uint64_t> count = co_await count_replayable(call.lane, *filter);
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
  std::uint64_t replayed = 0;
  std::string cursor;
  do {
    const history::Page page{.cursor = cursor, .count = kReplayPage};
    Rows rows =
        co_await on_history<Rows>(call.lane, [filter = *filter, page](history::Reader& reader) {
          return reader.deliveries(filter, page);
        });
    if (!rows) co_return problem(rows.error());
    cursor = rows->next_cursor;
    auto batch = co_await accepts_for(call, std::move(rows->rows), asks_for_new(call.body));
    if (!batch) co_return batch.error();
    const Replayed taken = co_await accept_all(call.lane, std::move(*batch));
    replayed += taken.ids.size();
    if (taken.status != store::AcceptStatus::durable) {
      co_return refuse_full(taken.status, replayed, *count);
    }
  } while (!cursor.empty());
  co_return json_response(200, {{"count", *count}, {"replayed", replayed}});
}

}  // namespace eilpost::admin
