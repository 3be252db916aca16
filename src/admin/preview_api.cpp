// Preview and test, of saved webhooks and of drafts.

#include <fmt/format.h>
#include <simdjson.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "crypto/token.h"
#include "ingest/ingest.h"
#include "match/matcher.h"

namespace eilpost::admin {
namespace {

Json member(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? Json() : *found;
}

Json conditions_json(const match::CompiledConditions& conditions, std::string_view document,
                     bool& is_wanted) {
  simdjson::dom::parser parser;
  const Result<EventDocument> event = EventDocument::parse(parser, document);
  Json list = Json::array();
  is_wanted = false;
  if (!event) return list;
  std::vector<match::ConditionResult> explained;
  is_wanted = match::evaluate(conditions, *event, &explained);
  for (const match::ConditionResult& each : explained) {
    list.push_back({{"pointer", each.pointer}, {"result", each.result}});
  }
  return list;
}

// The canonical document of an event as a sender would write it.
std::expected<std::string, ingest::Refusal> document_of(std::string_view text,
                                                        const Catalog& catalog,
                                                        ingest::Limits limits, WallTime now) {
  const std::string key = "src_preview";
  const ingest::Sources sources({Source{.name = "preview",
                                        .key_hash = crypto::hash_token(key),
                                        .environment = EnvironmentId::production,
                                        .environment_name = "production"}});
  limits.request_events_max = 1;
  limits.takes_operations = true;
  ingest::Ingest ingest(limits, /*seed=*/0);
  const http::Request request{
      .method = http::Method::post,
      .target = "/v1/events",
      .headers = {{"Authorization", "Bearer " + key}, {"Content-Type", "application/json"}},
      .body = std::string(text)};
  auto taken = ingest.take(request, {}, sources, catalog, {.instant = {}, .wall = now});
  if (!taken) return std::unexpected(std::move(taken).error());
  if (taken->events.empty()) return std::unexpected(ingest::Refusal{.status = 422});
  return taken->events.front().document;
}

// Of the types that a webhook names, in its order, the first that has a sample: a preview of
// `survey.*` needs one event.
std::string type_to_show(const Webhook& webhook, const Catalog& catalog) {
  for (const std::string& pattern : webhook.events) {
    for (const EventType* type : catalog.select(pattern)) {
      if (!type->sample.empty()) return type->code;
    }
  }
  return webhook.events.front();
}

std::string type_of(std::string_view document) {
  const Result<Json> json = parse_json(document);
  const Json event = json && json->is_object() ? member(*json, "event") : Json();
  const Json type = event.is_object() ? member(event, "type") : Json();
  return type.is_string() ? type.get<std::string>() : "";
}

// An id, or one event as a sender writes it.
std::optional<http::Response> refuse_event(const Json& event) {
  if (event.is_null() || event.is_string() || event.is_object()) return std::nullopt;
  return problem(422, "invalid", "`event` is one event, or the id of one.",
                 {{.code = "wrong_type",
                   .detail = "Give one event as an object, or the id of one as text.",
                   .pointer = "/event"}});
}

}  // namespace

// The event to show or send: the one that the body names, else the newest seen, else the sample.
Task<std::expected<std::string, http::Response>> Api::sample_document(Call& call,
                                                                      const Webhook& webhook) {
  const Json event = member(call.body, "event");
  if (auto refusal = refuse_event(event)) co_return std::unexpected(std::move(*refusal));
  const std::shared_ptr<const Catalog> catalog =
      co_await on_settings(call, [this] { return parts_.settings.catalog(); });
  const std::string event_type = type_to_show(webhook, *catalog);
  const EventType* type = catalog->find(event_type);
  if (event.is_null()) {
    using Rows = Result<std::vector<history::EventRow>>;
    const Rows recent = co_await on_history<Rows>(call.lane, [event_type](history::Reader& reader) {
      return reader.recent_events(event_type, 1);
    });
    if (recent && !recent->empty() && member(call.body, "sample") != true) {
      co_return recent->front().document;
    }
    if (type == nullptr) co_return std::unexpected(not_found("event type"));
  } else if (event.is_string()) {
    const auto id = event.get<std::string>();
    const history::Filter filter{.event_id = id};
    const auto find = [filter](history::Reader& reader) -> Result<std::string> {
      EILPOST_ASSIGN_OR_RETURN(const history::Rows<history::EventRow> rows,
                               reader.events(filter, {.cursor = "", .count = 1}));
      if (rows.rows.empty()) return std::string();
      EILPOST_ASSIGN_OR_RETURN(const auto row, reader.event(rows.rows.front().sequence));
      return row ? row->document : std::string();
    };
    const Result<std::string> document = co_await on_history<Result<std::string>>(call.lane, find);
    if (!document) co_return std::unexpected(problem(document.error()));
    if (document->empty()) co_return std::unexpected(not_found("event"));
    co_return *document;
  }
  const std::string text = event.is_null() ? type->sample : to_text(event);
  const auto document = document_of(text, *catalog, event_limits_, wall_now());
  if (!document) {
    co_return std::unexpected(
        problem(422, document.error().code, document.error().detail, document.error().errors));
  }
  co_return *document;
}

Task<http::Response> Api::preview(Call& call) {
  co_return co_await preview_draft(call, member(call.body, "webhook"),
                                   member(call.body, "destination"));
}

Task<http::Response> Api::test(Call& call) {
  co_return co_await test_draft(call, member(call.body, "webhook"),
                                member(call.body, "destination"));
}

Task<http::Response> Api::preview_saved(Call& call) {
  co_return co_await preview_draft(call, Json(call.arguments.front()), Json());
}

Task<http::Response> Api::test_saved(Call& call) {
  co_return co_await test_draft(call, Json(call.arguments.front()), Json());
}

Task<http::Response> Api::preview_draft(Call& call, Json webhook, Json destination) {
  const settings::Saved<settings::Settings::Draft> draft = co_await on_settings(
      call,
      [this, webhook, destination] { return parts_.settings.compile_draft(webhook, destination); });
  if (!draft) co_return problem(draft.error());
  const auto document = co_await sample_document(call, draft->webhook->webhook);
  if (!document) co_return document.error();

  bool is_wanted = false;
  Json answer = {{"conditions", conditions_json(*draft->conditions, *document, is_wanted)}};
  answer["wanted"] = is_wanted;
  answer["event"] = parse_json(*document).value_or(Json());
  std::vector<render::Origin> origins;
  const auto scratch = render::make_scratch();
  const auto request = render::render({.webhook = *draft->webhook->compiled,
                                       .destination = *draft->destination->compiled,
                                       .document = *document,
                                       .delivery_id = "dlv_preview-0",
                                       .attempt_at = wall_now()},
                                      *scratch, {.mask_secrets = true, .origins = &origins});
  answer["request"] = request ? to_json(*request) : Json();
  answer["render_error"] = request ? Json() : Json(request.error().detail);
  Json list = Json::array();
  for (const render::Origin& origin : origins) {
    list.push_back({{"name", origin.name},
                    {"property", origin.property.empty() ? Json() : Json(origin.property)},
                    {"missing", origin.missing}});
  }
  answer["properties"] = std::move(list);
  answer["warnings"] = to_json(draft->warnings);
  co_return json_response(200, answer);
}

Task<http::Response> Api::test_draft(Call& call, Json webhook, Json destination) {
  const settings::Saved<settings::Settings::Draft> draft =
      co_await on_settings(call, [this, webhook, destination] {
        return parts_.settings.compile_draft(webhook, destination,
                                             settings::Settings::Purpose::test);
      });
  if (!draft) co_return problem(draft.error());
  const auto document = co_await sample_document(call, draft->webhook->webhook);
  if (!document) co_return document.error();

  const pipeline::TestSend test{.webhook = draft->webhook,
                                .destination = draft->destination,
                                .document = *document,
                                .delivery_id = crypto::make_token("test_", parts_.env.entropy())};
  const WallTime started_at = wall_now();
  const pipeline::TestResult result = co_await parts_.pipeline.send_test(call.lane, test);
  // The request as it was sent, but for what is secret.
  const auto scratch = render::make_scratch();
  const auto shown = render::render({.webhook = *draft->webhook->compiled,
                                     .destination = *draft->destination->compiled,
                                     .document = *document,
                                     .delivery_id = test.delivery_id,
                                     .attempt_at = started_at,
                                     .is_test = true},
                                    *scratch, {.mask_secrets = true});
  Json answer = {{"id", test.delivery_id},
                 {"duration_ms",
                  std::chrono::duration_cast<std::chrono::milliseconds>(result.duration).count()},
                 {"request", shown ? to_json(*shown) : Json()}};
  answer.update(to_json(result.outcome));
  parts_.history.add_test(
      {.delivery = {.event_type = type_of(*document),
                    .webhook = draft->webhook->webhook.id,
                    .destination = draft->destination->destination.id,
                    .accepted_at = started_at,
                    .webhook_id = test.delivery_id,
                    .is_test = true},
       .attempt = {.started_at = started_at,
                   .duration =
                       std::chrono::duration_cast<std::chrono::milliseconds>(result.duration),
                   .outcome = result.outcome},
       .document = *document});
  co_return json_response(200, answer);
}

// A destination alone: a webhook that sends everything of a page view's sample.
Task<http::Response> Api::test_destination(Call& call) {
  const std::string event = [&] {
    const Json type = member(call.body, "event_type");
    return type.is_string() ? type.get<std::string>() : std::string("dxa.page_view");
  }();
  const Json webhook = {
      {"name", "Test"}, {"event", event}, {"destination", call.arguments.front()}};
  co_return co_await test_draft(call, webhook, Json(call.arguments.front()));
}

}  // namespace eilpost::admin
