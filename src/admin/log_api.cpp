// The log: events, deliveries, attempts.

#include <algorithm>
#include <fmt/format.h>
#include <unordered_set>
#include <utility>

#include "admin/api.h"
#include "base/encoding.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "render/renderer.h"

namespace eilpost::admin {
namespace {

Json time_or_null(const std::optional<WallTime>& time) {
  return time ? Json(format_iso_time(*time)) : Json();
}

// Drafts have no id yet.
template <class Id>
Json saved_id(Id id) {
  return id == Id{} ? Json() : Json(to_string(id));
}

// The cursor is all that can be wrong with what was asked.
http::Response refuse_page(const Error& error) {
  return error.code == ErrorCode::bad_input ? bad_cursor() : problem(error);
}

// The request of a batch with one delivery's part as its body.
std::expected<OutboundRequest, render::RenderError> render_part(const render::Input& input,
                                                                const AttemptBatch& batch,
                                                                render::Scratch& scratch) {
  auto part = render::render(input, scratch, {.is_unsigned = true, .mask_secrets = true});
  if (!part) return part;
  render::Input of_batch = input;
  const std::string id = batch_id_text(batch.id);
  of_batch.delivery_id = id;
  const auto is_signed = render::sign(of_batch, scratch, {.mask_secrets = true}, *part);
  if (!is_signed) return std::unexpected(is_signed.error());
  return part;
}

}  // namespace

std::expected<history::Filter, http::Response> filter_from_json(const Json& json) {
  history::Filter filter;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) {
      return std::unexpected(bad_parameter(key, fmt::format("`{}` must be text.", key)));
    }
    const std::string text = value.get<std::string>();
    bool is_good = true;
    if (key == "webhook") {
      filter.webhook = parse_id<WebhookId>(text);
      is_good = filter.webhook.has_value();
    } else if (key == "destination") {
      filter.destination = parse_id<DestinationId>(text);
      is_good = filter.destination.has_value();
    } else if (key == "event_type") {
      filter.event_types.push_back(text);
    } else if (key == "event_id") {
      filter.event_id = text;
    } else if (key == "user") {
      filter.user = text;
    } else if (key == "state") {
      const auto state = parse_delivery_state(text);
      is_good = state.has_value();
      if (state) filter.states.push_back(*state);
    } else if (key == "from" || key == "until") {
      const auto time = parse_iso_time(text);
      is_good = time.has_value();
      (key == "from" ? filter.from : filter.until) = time;
    } else {
      return std::unexpected(bad_parameter(
          key,
          fmt::format("`{}` is no filter; there are webhook, destination, event_type, event_id, "
                      "user, state, from, until.",
                      key)));
    }
    if (!is_good)
      return std::unexpected(bad_parameter(key, fmt::format("`{}` is not valid.", key)));
  }
  return filter;
}

std::expected<history::Filter, http::Response> filter_asked(const Call& call) {
  Json json = Json::object();
  for (const char* name :
       {"webhook", "destination", "event_type", "event_id", "user", "state", "from", "until"}) {
    if (auto value = call.parameter(name)) json[name] = std::move(*value);
  }
  return filter_from_json(json);
}

Json to_json(const history::DeliveryRow& row) {
  const bool is_backfill = row.replay_of && row.replay_of->ordinal == store::kWholeEvent;
  const bool is_replay = row.replay_of && !is_backfill;
  return {
      {"id", to_string(row.id)},
      {"event_id", row.event_id},
      {"event_type", row.event_type},
      {"user", row.user},
      {"webhook", to_string(row.webhook)},
      {"webhook_version", row.webhook_version},
      {"destination", to_string(row.destination)},
      {"state", to_string(row.state)},
      {"reason", row.reason == FailReason::none ? Json() : Json(to_string(row.reason))},
      {"attempts_count", row.attempts_count},
      {"next_attempt_at", time_or_null(row.next_attempt_at)},
      {"last_outcome", row.last_outcome ? Json(to_string(*row.last_outcome)) : Json()},
      {"last_status", row.last_status == 0 ? Json() : Json(row.last_status)},
      {"accepted_at", format_iso_time(row.accepted_at)},
      {"settled_at", time_or_null(row.settled_at)},
      {"replay_of", is_replay ? Json(to_string(*row.replay_of)) : Json()},
      {"backfill_of", is_backfill ? Json(encode_base32(row.replay_of->sequence.value)) : Json()},
      {"webhook_id", row.webhook_id.empty() ? to_string(row.id) : row.webhook_id}};
}

Json to_json(const history::EventRow& row) {
  Json json = {{"sequence", encode_base32(row.sequence.value)},
               {"id", row.id},
               {"type", row.type},
               {"user", row.user},
               {"environment", static_cast<std::uint32_t>(row.environment)},
               {"source", is_operational(row.type) ? Json() : Json(to_string(row.source))},
               {"time", format_iso_time(row.time)},
               {"received_at", format_iso_time(row.received_at)},
               {"deliveries_count", row.deliveries_count}};
  if (!row.document.empty()) json["document"] = parse_json(row.document).value_or(Json());
  return json;
}

Json to_json(const OutboundRequest& request) {
  Json headers = Json::array();
  for (const OutboundHeader& header : request.headers) {
    headers.push_back({{"name", header.name}, {"value", header.value}});
  }
  return {{"method", to_string(request.method)},
          {"url", request.url},
          {"headers", std::move(headers)},
          {"body", request.body}};
}

Json to_json(const Outcome& outcome) {
  return {{"outcome", to_string(outcome.kind)},
          {"status", outcome.status == 0 ? Json() : Json(outcome.status)},
          {"success", outcome.success},
          {"perhaps_delivered",
           !outcome.success && outcome.request_sent && outcome.kind != OutcomeKind::answered},
          {"detail", outcome.detail.empty() ? Json() : Json(outcome.detail)},
          {"answer", outcome.answer},
          {"answer_content_type", outcome.answer_content_type}};
}

Json to_json(const Attempt& attempt) {
  Json json = {{"number", attempt.number},
               {"started_at", format_iso_time(attempt.started_at)},
               {"duration_ms", attempt.duration.count()},
               {"webhook_version", attempt.webhook_version},
               {"destination_version", attempt.destination_version},
               {"batch", Json()}};
  if (attempt.batch.is_there()) {
    json["batch"] = {{"id", batch_id_text(attempt.batch.id)},
                     {"deliveries_count", attempt.batch.deliveries_count}};
  }
  json.update(to_json(attempt.outcome));
  json["state"] = to_string(attempt.next.state);
  json["next_attempt_at"] = attempt.next.state == DeliveryState::retrying
                                ? Json(format_iso_time(attempt.next.retry_at))
                                : Json();
  return json;
}

Task<void> Api::make_attempts_durable(std::size_t lane) {
  if (parts_.store.is_behind()) co_return;  // They wait for space on the disk: it would too.
  co_await env::callback<bool>([this, lane](auto done) {
    parts_.store.flush(loop(lane), [done = std::move(done)]() mutable { done(true); });
  });
}

Task<std::shared_ptr<const history::Held>> Api::held_now(std::size_t lane) {
  co_return co_await env::run_on(parts_.settings_worker, loop(lane), [this] {
    const auto snapshot = parts_.settings.snapshot();
    auto held = std::make_shared<history::Held>();
    for (const auto& [id, webhook] : snapshot->webhooks) {
      if (!webhook->webhook.enabled) held->webhooks.push_back(id);
    }
    for (const auto& [id, destination] : snapshot->destinations) {
      if (destination->destination.state != DestinationState::active) {
        held->destinations.push_back(id);
      }
    }
    std::ranges::sort(held->webhooks);
    std::ranges::sort(held->destinations);
    return std::shared_ptr<const history::Held>(std::move(held));
  });
}

Task<http::Response> Api::list_events(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const auto filter = filter_asked(call);
  if (!filter) co_return filter.error();
  using Rows = Result<history::Rows<history::EventRow>>;
  const history::Page page{.cursor = asked->after, .count = asked->limit};
  const Rows rows = co_await on_history<Rows>(
      call.lane,
      [filter = *filter, page](history::Reader& reader) { return reader.events(filter, page); });
  if (!rows) co_return refuse_page(rows.error());
  Json data = Json::array();
  for (const history::EventRow& row : rows->rows) data.push_back(to_json(row));
  co_return json_response(200, page_json(std::move(data), asked->cursor(rows->next_cursor)));
}

Task<http::Response> Api::show_event(Call& call) {
  const auto sequence = decode_base32(call.arguments.front());
  if (!sequence) co_return not_found("event");
  using Row = Result<std::optional<history::EventRow>>;
  const Row row = co_await on_history<Row>(
      call.lane,
      [sequence = *sequence](history::Reader& reader) { return reader.event(Position{sequence}); });
  if (!row) co_return problem(row.error());
  if (!*row) co_return not_found("event");
  co_return json_response(200, to_json(**row));
}

Task<http::Response> Api::list_deliveries(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  auto filter = filter_asked(call);
  if (!filter) co_return filter.error();
  filter->held = co_await held_now(call.lane);
  using Rows = Result<history::Rows<history::DeliveryRow>>;
  const history::Page page{.cursor = asked->after, .count = asked->limit};
  const Rows rows =
      co_await on_history<Rows>(call.lane, [filter = *filter, page](history::Reader& reader) {
        return reader.deliveries(filter, page);
      });
  if (!rows) co_return refuse_page(rows.error());
  Json data = Json::array();
  for (const history::DeliveryRow& row : rows->rows) data.push_back(to_json(row));
  co_return json_response(200, page_json(std::move(data), asked->cursor(rows->next_cursor)));
}

Task<http::Response> Api::show_delivery(Call& call) {
  const auto id = id_argument<DeliveryId>(call);
  if (!id) co_return not_found("delivery");
  using Row = Result<std::optional<history::DeliveryRow>>;
  Row row = co_await on_history<Row>(
      call.lane, [id = *id](history::Reader& reader) { return reader.delivery(id); });
  if (!row) co_return problem(row.error());
  if (!*row) co_return not_found("delivery");
  const std::shared_ptr<const history::Held> held = co_await held_now(call.lane);
  (*row)->state = history::seen_state(*held, **row);
  co_return json_response(200, to_json(**row));
}

Task<http::Response> Api::list_tests(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  using Rows = Result<std::vector<history::TestRecord>>;
  const auto read = [](history::Reader& reader) { return reader.tests(SIZE_MAX); };
  Rows rows = co_await on_history<Rows>(call.lane, read);
  if (!rows) co_return problem(rows.error());
  const auto key_of = [](const history::TestRecord& row) {
    return descending_key(row.attempt.started_at) + row.delivery.webhook_id;
  };
  std::ranges::sort(*rows, {}, key_of);
  const auto show = [](const history::TestRecord& row) {
    Json json = {{"id", row.delivery.webhook_id},
                 {"event_type", row.delivery.event_type},
                 {"webhook", saved_id(row.delivery.webhook)},
                 {"destination", saved_id(row.delivery.destination)},
                 {"started_at", format_iso_time(row.attempt.started_at)},
                 {"duration_ms", row.attempt.duration.count()}};
    json.update(to_json(row.attempt.outcome));
    return json;
  };
  co_return json_response(200, page_of(*rows, *asked, key_of, show));
}

// The request of an attempt, made again from the versions that were used.
Json Api::attempt_json(const history::DeliveryRow& delivery, const history::EventRow* event,
                       const Attempt& attempt, render::Scratch& scratch) {
  Json json = to_json(attempt);
  const auto webhook = parts_.settings.webhook_at(delivery.webhook, attempt.webhook_version);
  const auto destination =
      parts_.settings.destination_at(delivery.destination, attempt.destination_version);
  if (!webhook || !destination || event == nullptr) return json;
  const std::string id = delivery.webhook_id.empty() ? to_string(delivery.id) : delivery.webhook_id;
  const render::Input input{.webhook = *webhook->compiled,
                            .destination = *destination->compiled,
                            .document = event->document,
                            .delivery_id = id,
                            .attempt_at = attempt.started_at};
  if (attempt.batch.is_there()) {
    const auto part = render_part(input, attempt.batch, scratch);
    json["request"] = part ? to_json(*part) : Json();
    json["request_is_exact"] = false;
    return json;
  }
  const auto request = render::render(input, scratch, {.mask_secrets = true});
  json["request"] = request ? to_json(*request) : Json();
  const auto is_exact = [&](const auto& rendered) {
    return rendered && hash64(rendered->body) == attempt.body_hash;
  };
  // A body that holds a secret is another one while that is masked.
  json["request_is_exact"] = is_exact(request) || is_exact(render::render(input, scratch));
  return json;
}

Task<http::Response> Api::list_attempts(Call& call) {
  const auto id = id_argument<DeliveryId>(call);
  if (!id) co_return not_found("delivery");
  auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  struct Found {
    std::optional<history::DeliveryRow> delivery;
    std::vector<Attempt> attempts;
    std::optional<history::EventRow> event;
  };
  const auto read = [id = *id](history::Reader& reader) -> Result<Found> {
    Found found;
    EILPOST_ASSIGN_OR_RETURN(found.delivery, reader.delivery(id));
    EILPOST_ASSIGN_OR_RETURN(found.attempts, reader.attempts(id));
    EILPOST_ASSIGN_OR_RETURN(found.event, reader.event_of(id));
    return found;
  };
  auto found = co_await on_history<Result<Found>>(call.lane, read);
  if (!found) co_return problem(found.error());
  if (!found->delivery) co_return not_found("delivery");
  const auto show = [this, asked = std::move(*asked), found = std::move(*found)] {
    const auto scratch = render::make_scratch();
    return page_of(
        found.attempts, asked, [](const Attempt& attempt) { return ascending_key(attempt.number); },
        [&](const Attempt& attempt) {
          return attempt_json(*found.delivery, found.event ? &*found.event : nullptr, attempt,
                              *scratch);
        });
  };
  co_return json_response(200, co_await on_settings(call, show));
}

}  // namespace eilpost::admin
