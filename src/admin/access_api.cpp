// Sources, API keys, the audit log, figures and the description of the API.

#include <algorithm>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "base/parse.h"
#include "crypto/token.h"

namespace eilpost::admin {
namespace {

http::Response new_source_response(const settings::NewSource& made, int status) {
  Json json = settings::to_json(made.source);
  json["key"] = made.key;
  return object_response(status, json, made.source.version);
}

Role role_named(std::string_view name) {
  if (name == "admin") return Role::admin;
  return name == "editor" ? Role::editor : Role::viewer;
}

}  // namespace

Task<std::expected<settings::ApiKey, http::Response>> Api::authenticate(
    const http::Request& request, std::size_t lane) {
  constexpr std::string_view kBearer = "Bearer ";
  const auto refuse = [](std::string_view detail) {
    http::Response response = problem(401, "unauthenticated", detail);
    response.headers.push_back({"WWW-Authenticate", "Bearer"});
    return std::unexpected(std::move(response));
  };
  const auto header = http::find_header(request.headers, "authorization");
  if (!header || !header->starts_with(kBearer)) {
    co_return refuse("Send an API key: Authorization: Bearer eil_…");
  }
  std::string key_hash = crypto::hash_token(header->substr(kBearer.size()));
  std::optional<settings::ApiKey> key = co_await env::run_on(
      parts_.settings_worker, loop(lane),
      [this, key_hash = std::move(key_hash)] { return parts_.settings.find_api_key(key_hash); });
  const bool is_expired = key && key->expires_at && *key->expires_at <= wall_now();
  if (!key || is_expired) co_return refuse("The API key is not known, or has expired.");
  co_return std::move(*key);
}

bool may(const settings::ApiKey& caller, Role role) {
  return role_named(caller.role) >= role;
}

Task<http::Response> Api::list_sources(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<Source> all =
      co_await on_settings(call, [this] { return parts_.settings.sources(); });
  co_return json_response(
      200, page_of(
               all, *asked, [](const Source& source) { return to_string(source.id); },
               [](const Source& source) { return settings::to_json(source); }));
}

Task<http::Response> Api::show_source(Call& call) {
  const std::vector<Source> all =
      co_await on_settings(call, [this] { return parts_.settings.sources(); });
  const auto id = id_argument<SourceId>(call);
  const auto found = std::ranges::find_if(all, [&](const Source& each) { return id == each.id; });
  if (found == all.end()) co_return not_found("source");
  co_return object_response(200, settings::to_json(*found), found->version);
}

Task<http::Response> Api::create_source(Call& call) {
  auto saved = co_await save<settings::NewSource>(
      call.lane, [body = call.body, author = call.author()](settings::Settings& settings) {
        return settings.create_source(body, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return new_source_response(*saved, 201);
}

Task<http::Response> Api::change_source(Call& call) {
  const auto id = id_argument<SourceId>(call);
  if (!id) co_return not_found("source");
  auto saved = co_await save<Source>(call.lane,
                                     [id = *id, body = call.body, version = if_match(*call.request),
                                      author = call.author()](settings::Settings& settings) {
                                       return settings.change_source(id, body, version, author);
                                     });
  if (!saved) co_return problem(saved.error());
  co_return object_response(200, settings::to_json(*saved), saved->version);
}

Task<http::Response> Api::delete_source(Call& call) {
  const auto id = id_argument<SourceId>(call);
  if (!id) co_return not_found("source");
  auto saved =
      co_await save<void>(call.lane, [id = *id, version = if_match(*call.request),
                                      author = call.author()](settings::Settings& settings) {
        return settings.delete_source(id, version, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

Task<http::Response> Api::rotate_source_key(Call& call) {
  const auto id = id_argument<SourceId>(call);
  if (!id) co_return not_found("source");
  auto saved = co_await save<settings::NewSource>(
      call.lane, [id = *id, version = if_match(*call.request),
                  author = call.author()](settings::Settings& settings) {
        return settings.rotate_source_key(id, version, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return new_source_response(*saved, 200);
}

Task<http::Response> Api::list_api_keys(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<settings::ApiKey> all =
      co_await on_settings(call, [this] { return parts_.settings.api_keys(); });
  co_return json_response(
      200, page_of(
               all, *asked, [](const settings::ApiKey& key) { return to_string(key.id); },
               [](const settings::ApiKey& key) { return settings::to_json(key); }));
}

Task<http::Response> Api::create_api_key(Call& call) {
  auto saved = co_await save<settings::NewKey>(
      call.lane, [body = call.body, author = call.author()](settings::Settings& settings) {
        return settings.create_api_key(body, author);
      });
  if (!saved) co_return problem(saved.error());
  Json json = settings::to_json(saved->key);
  json["key"] = saved->secret;
  co_return json_response(201, json);
}

Task<http::Response> Api::delete_api_key(Call& call) {
  const auto id = id_argument<ApiKeyId>(call);
  if (!id) co_return not_found("API key");
  auto saved = co_await save<void>(
      call.lane, [id = *id, author = call.author()](settings::Settings& settings) {
        return settings.delete_api_key(id, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

Task<http::Response> Api::list_audit_log(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const auto after = parse_integer<std::uint64_t>(asked->after);
  if (!after && !asked->after.empty()) co_return bad_cursor();
  const std::uint64_t before = after.value_or(UINT64_MAX);
  std::vector<settings::AuditRow> rows =
      co_await on_settings(call, [this, before, count = asked->limit + 1] {
        return parts_.settings.audit_log(before, count);
      });
  const bool has_more = rows.size() > asked->limit;
  if (has_more) rows.pop_back();
  Json data = Json::array();
  for (const settings::AuditRow& row : rows) {
    data.push_back({{"number", row.number},
                    {"at", format_iso_time(row.at)},
                    {"author", row.author},
                    {"action", row.action},
                    {"kind", row.kind},
                    {"id", row.id},
                    {"name", row.name}});
  }
  co_return json_response(
      200, page_json(std::move(data),
                     asked->cursor(has_more ? std::to_string(rows.back().number) : "")));
}

Task<http::Response> Api::show_stats(Call& call) {
  constexpr auto kDay = std::chrono::hours(24);
  const auto from = time_asked(call, "from");
  if (!from) co_return from.error();
  const WallTime until = wall_now();
  const WallTime since = from->value_or(until - kDay);
  using Rows = Result<std::vector<history::Counts>>;
  const Rows rows = co_await on_history<Rows>(
      call.lane, [since, until](history::Reader& reader) { return reader.counts(since, until); });
  if (!rows) co_return problem(rows.error());
  Json types = Json::array();
  for (const history::Counts& row : *rows) {
    types.push_back(
        {{"event_type", row.event_type}, {"events", row.events}, {"unwanted", row.unwanted}});
  }
  const pipeline::Counters counters = parts_.pipeline.counters();
  co_return json_response(200, {{"from", format_iso_time(since)},
                                {"until", format_iso_time(until)},
                                {"event_types", std::move(types)},
                                {"since_start",
                                 {{"events_accepted", counters.events_accepted},
                                  {"events_repeated", counters.events_repeated},
                                  {"deliveries_owed", counters.deliveries_owed},
                                  {"deliveries_delivered", counters.deliveries_delivered},
                                  {"deliveries_failed", counters.deliveries_failed},
                                  {"attempts", counters.attempts}}},
                                {"deliveries_unsettled", parts_.store.unsettled_count()}});
}

}  // namespace eilpost::admin
