// Destinations and inboxes.

#include <algorithm>
#include <fmt/format.h>
#include <utility>
#include <variant>

#include "admin/api.h"
#include "base/iso_time.h"
#include "env/callback.h"
#include "presets/preset.h"
#include "settings/certificates.h"
#include "settings/object_reader.h"
#include "settings/refusals.h"
#include "settings/signing_json.h"

namespace eilpost::admin {
namespace {

Json health(const pipeline::DestinationStatus& status) {
  const auto time = [](const std::optional<WallTime>& at) {
    return at ? Json(format_iso_time(*at)) : Json();
  };
  return {{"waiting", status.waiting},
          {"retrying", status.retrying},
          {"held", status.held},
          {"in_flight", status.in_flight},
          {"last_success_at", time(status.last_success_at)},
          {"last_failure_at", time(status.last_failure_at)},
          {"last_error", status.last_error.empty() ? Json() : Json(status.last_error)},
          {"failing_since", time(status.failing_since)},
          {"paused_until", time(status.paused_until)}};
}

// A destination as it is and fares. The breaker's pause is not among the settings: it ends by
// itself.
Json with_health(Json json, const pipeline::DestinationStatus& status) {
  if (status.paused_since && json.at("state") == "active") {
    json["state"] = "paused";
    json["state_reason"] = "failing";
    json["state_since"] = format_iso_time(*status.paused_since);
  }
  json["health"] = health(status);
  return json;
}

// A destination as it is shown: without secrets, with what its owner should know.
Json shown(const Destination& destination, WallTime now) {
  Json json = settings::to_json(destination, /*show_secrets=*/false);
  std::vector<Problem> warnings = settings::certificate_warnings(destination.tls, now);
  if (const auto oauth = destination.authentication.oauth; oauth != nullptr) {
    for (Problem& warning : settings::certificate_warnings(oauth->tls, now)) {
      warning.pointer.insert(0, "/authentication");
      warnings.push_back(std::move(warning));
    }
  }
  if (!warnings.empty()) json["warnings"] = to_json(warnings);
  return json;
}

http::Response destination_response(const Destination& destination, WallTime now) {
  return object_response(200, shown(destination, now), destination.version);
}

Json uses_of(DestinationId id, const std::vector<Webhook>& webhooks) {
  Json ids = Json::array();
  for (const Webhook& webhook : webhooks) {
    if (webhook.destination == id) ids.push_back(to_string(webhook.id));
  }
  return ids;
}

std::expected<Duration, http::Response> overlap_asked(const Json& body) {
  using std::chrono::milliseconds;
  constexpr auto kMax = std::chrono::duration_cast<milliseconds>(settings::kSecretOverlapMax);
  const auto asked = body.find("overlap_ms");
  if (asked == body.end()) return settings::kSecretOverlapDefault;
  const auto overlap = settings::integer_in(*asked, {.min = 0, .max = kMax.count()});
  if (overlap) return milliseconds(*overlap);
  return std::unexpected(
      problem(422, "invalid", "The overlap is not valid.",
              {{.code = "out_of_range",
                .detail = fmt::format("`overlap_ms` must be 0 to {}.", kMax.count()),
                .pointer = "/overlap_ms"}}));
}

// `change` of a destination that has the version which the caller knows.
template <class Change>
auto if_fresh(DestinationId id, settings::IfVersion version, Change change) {
  return [id, version, change = std::move(change)](
             settings::Settings& settings) -> settings::Saved<Destination> {
    const std::optional<Destination> current = settings.destination(id);
    if (!current) return settings::refuse_absent("destination");
    if (auto stale = settings::check_version(version, current->version)) {
      return std::unexpected(std::move(*stale));
    }
    return change(settings);
  };
}

// The signing secret is shown once, when it is made; the other secrets never.
http::Response response_with_secret(int status, const Destination& destination, WallTime now) {
  Json json = shown(destination, now);
  if (settings::is_secret_shared(destination.signing.scheme)) {
    json["signing"]["secret"] = destination.signing.secret;
  }
  return object_response(status, json, destination.version);
}

struct Changed {
  Destination destination;
  bool has_new_secret = false;  // for signing, which the one who changed it does not know
};

// Whether a change that was asked for by `patch` made a secret.
bool made_secret(const Json& patch, const Signing& before, const Signing& after) {
  const auto signing = patch.find("signing");
  const bool is_given = signing != patch.end() && signing->is_object() &&
                        signing->contains("secret") && signing->at("secret").is_string();
  return !is_given && !after.secret.empty() && after.secret != before.secret;
}

struct Everything {
  std::vector<Destination> destinations;
  std::vector<Webhook> webhooks;
};

}  // namespace

Task<std::vector<pipeline::DestinationStatus>> Api::statuses(std::size_t lane,
                                                             std::vector<DestinationId> ids) {
  using Statuses = std::vector<pipeline::DestinationStatus>;
  co_return co_await env::callback<Statuses>([this, lane, &ids](auto done) {
    parts_.pipeline.status(std::move(ids), loop(lane), std::move(done));
  });
}

Task<http::Response> Api::list_destinations(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const Everything all = co_await on_settings(call, [this] {
    return Everything{parts_.settings.destinations(), parts_.settings.webhooks()};
  });
  std::vector<DestinationId> ids;
  ids.reserve(all.destinations.size());
  for (const Destination& destination : all.destinations) ids.push_back(destination.id);
  const std::vector<pipeline::DestinationStatus> found = co_await statuses(call.lane, ids);
  const auto show = [&](const Destination& destination) {
    const auto index = static_cast<std::size_t>(&destination - all.destinations.data());
    Json json = with_health(shown(destination, wall_now()), found.at(index));
    json["webhooks"] = uses_of(destination.id, all.webhooks);
    return json;
  };
  co_return json_response(
      200, page_of(
               all.destinations, *asked,
               [](const Destination& destination) { return to_string(destination.id); }, show));
}

Task<http::Response> Api::show_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  const Everything all = co_await on_settings(call, [this] {
    return Everything{parts_.settings.destinations(), parts_.settings.webhooks()};
  });
  const auto found = std::ranges::find(all.destinations, *id, &Destination::id);
  if (found == all.destinations.end()) co_return not_found("destination");
  const std::vector<pipeline::DestinationStatus> status =
      co_await statuses(call.lane, std::vector{*id});
  Json json = with_health(shown(*found, wall_now()), status.front());
  json["webhooks"] = uses_of(*id, all.webhooks);
  co_return object_response(200, json, found->version);
}

Task<http::Response> Api::list_platforms(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<presets::Preset>& all = presets::all();
  const auto key_of = [&all](const presets::Preset& preset) {
    return ascending_key(static_cast<std::uint64_t>(&preset - all.data()));
  };
  const auto show = [](const presets::Preset& preset) {
    Json json = preset.form;
    json["prescribes"] = preset.destination;
    return json;
  };
  co_return json_response(200, page_of(all, *asked, key_of, show));
}

Task<http::Response> Api::create_destination(Call& call) {
  auto saved = co_await save<Destination>(
      call.lane, [body = call.body, author = call.author()](settings::Settings& settings) {
        return settings.create_destination(body, author);
      });
  if (!saved) co_return problem(saved.error());
  if (saved->platform == "inbox") parts_.inbox.open(saved->inbox_token);
  co_return response_with_secret(201, *saved, wall_now());
}

Task<http::Response> Api::change_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  auto saved = co_await save<Changed>(
      call.lane,
      [id = *id, body = call.body, version = if_match(*call.request),
       author = call.author()](settings::Settings& settings) -> settings::Saved<Changed> {
        const std::optional<Destination> before = settings.destination(id);
        auto after = settings.change_destination(id, body, version, author);
        if (!after) return std::unexpected(std::move(after.error()));
        const bool has_new_secret = before && made_secret(body, before->signing, after->signing);
        return Changed{.destination = std::move(*after), .has_new_secret = has_new_secret};
      });
  if (!saved) co_return problem(saved.error());
  const Destination& destination = saved->destination;
  co_return saved->has_new_secret ? response_with_secret(200, destination, wall_now())
                                  : destination_response(destination, wall_now());
}

Task<http::Response> Api::delete_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  auto saved =
      co_await save<void>(call.lane, [id = *id, version = if_match(*call.request),
                                      author = call.author()](settings::Settings& settings) {
        return settings.delete_destination(id, version, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

Task<http::Response> Api::list_destination_versions(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<settings::VersionRow> rows = co_await on_settings(
      call, [this, id = *id] { return parts_.settings.destination_versions(id); });
  if (rows.empty()) co_return not_found("destination");
  co_return json_response(200, versions_page(rows, *asked, "destination"));
}

Task<http::Response> Api::resume_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  auto saved = co_await save<Destination>(
      call.lane, if_fresh(*id, if_match(*call.request),
                          [id = *id, author = call.author()](settings::Settings& settings) {
                            return settings.set_destination_state(id, DestinationState::active, "",
                                                                  author);
                          }));
  if (!saved) co_return problem(saved.error());
  co_await env::callback<std::monostate>([this, id = *id, lane = call.lane](auto done) {
    parts_.pipeline.resume(id, loop(lane),
                           [done = std::move(done)]() mutable { done(std::monostate()); });
  });
  co_return destination_response(*saved, wall_now());
}

Task<http::Response> Api::disable_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  auto saved = co_await save<Destination>(
      call.lane, if_fresh(*id, if_match(*call.request),
                          [id = *id, author = call.author()](settings::Settings& settings) {
                            return settings.set_destination_state(id, DestinationState::disabled,
                                                                  "person", author);
                          }));
  if (!saved) co_return problem(saved.error());
  co_return destination_response(*saved, wall_now());
}

Task<http::Response> Api::rotate_secret(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  const auto overlap = overlap_asked(call.body);
  if (!overlap) co_return overlap.error();
  auto saved = co_await save<Destination>(
      call.lane, if_fresh(*id, if_match(*call.request),
                          [id = *id, overlap = *overlap,
                           author = call.author()](settings::Settings& settings) {
                            return settings.rotate_signing_secret(id, overlap, author);
                          }));
  if (!saved) co_return problem(saved.error());
  co_return response_with_secret(200, *saved, wall_now());
}

// ---- inboxes

Task<std::expected<std::string, http::Response>> Api::inbox_token(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return std::unexpected(not_found("destination"));
  const std::optional<Destination> destination =
      co_await on_settings(call, [this, id = *id] { return parts_.settings.destination(id); });
  if (!destination) co_return std::unexpected(not_found("destination"));
  if (destination->platform != "inbox") {
    co_return std::unexpected(problem(409, "no_inbox", "This destination is not an inbox."));
  }
  co_return destination->inbox_token;
}

Task<http::Response> Api::show_inbox(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const auto token = co_await inbox_token(call);
  if (!token) co_return token.error();
  std::vector<pipeline::InboxRequest> requests = parts_.inbox.list(*token);
  const auto key_of = [](const pipeline::InboxRequest& request) {
    return descending_key(request.number);
  };
  std::ranges::sort(requests, {}, key_of);
  Json page = page_of(requests, *asked, key_of,
                      [](const pipeline::InboxRequest& request) { return to_json(request); });
  const pipeline::InboxAnswer answer = parts_.inbox.answer(*token);
  page["answer"] = {{"status", answer.status}, {"body", answer.body}};
  co_return json_response(200, page);
}

Task<http::Response> Api::clear_inbox(Call& call) {
  const auto token = co_await inbox_token(call);
  if (!token) co_return token.error();
  parts_.inbox.clear(*token);
  co_return no_content();
}

Task<http::Response> Api::set_inbox_answer(Call& call) {
  const auto token = co_await inbox_token(call);
  if (!token) co_return token.error();
  const auto status = call.body.find("status");
  const bool is_number = status != call.body.end() && status->is_number_integer();
  const std::int64_t number = is_number ? status->get<std::int64_t>() : 0;
  if (number < 200 || number > 599) {
    co_return problem(
        422, "invalid", "The inbox's answer is not valid.",
        {{.code = "invalid", .detail = "`status` must be 200 to 599.", .pointer = "/status"}});
  }
  pipeline::InboxAnswer answer{.status = static_cast<std::uint16_t>(number)};
  const auto body = call.body.find("body");
  if (body != call.body.end() && body->is_string()) answer.body = body->get<std::string>();
  parts_.inbox.set_answer(*token, answer);
  co_return json_response(200, {{"status", answer.status}, {"body", answer.body}});
}

Json to_json(const pipeline::InboxRequest& request) {
  Json headers = Json::array();
  for (const http::Header& header : request.headers) {
    headers.push_back({{"name", header.name}, {"value", header.value}});
  }
  return {{"number", request.number},
          {"received_at", format_iso_time(request.received_at)},
          {"from_outside", request.is_from_outside},
          {"method", request.method},
          {"target", request.target},
          {"headers", std::move(headers)},
          {"body", request.body}};
}

}  // namespace eilpost::admin
