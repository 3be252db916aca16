// A destination as the API's JSON (SPEC "Destinations"), and back.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/iso_time.h"
#include "model/limits.h"
#include "presets/preset.h"
#include "settings/body_json.h"
#include "settings/certificates.h"
#include "settings/oauth_json.h"
#include "settings/object_reader.h"
#include "settings/prescription_json.h"
#include "settings/secret_json.h"
#include "settings/settings.h"
#include "settings/signing_json.h"

namespace eilpost::settings {
namespace {

using std::chrono::milliseconds;

std::string_view to_string(Authentication::Type type) {
  switch (type) {
    case Authentication::Type::none:
      return "none";
    case Authentication::Type::bearer:
      return "bearer";
    case Authentication::Type::basic:
      return "basic";
    case Authentication::Type::oauth2:
      return "oauth2";
  }
  assert_failed("Authentication::Type");
}

// ---- to JSON

Json request_to_json(const Destination& destination) {
  const RequestSettings& request = destination.request;
  Json headers = Json::array();
  for (const OutboundHeader& header : request.headers) {
    headers.push_back({{"name", header.name}, {"value", header.value}});
  }
  Json json = {{"method", eilpost::to_string(request.method)}};
  json["url"] = destination.platform == "inbox" ? Json() : Json(request.url);
  json["headers"] = std::move(headers);
  json["timeout_ms"] = request.timeout.count();
  return json;
}

Json authentication_to_json(const Authentication& authentication, bool show_secrets) {
  Json json = {{"type", to_string(authentication.type)}};
  if (authentication.type == Authentication::Type::bearer) {
    json["token"] = secret_to_json(authentication.token, show_secrets);
  } else if (authentication.type == Authentication::Type::basic) {
    json["username"] = authentication.username;
    // A password may be empty; then there is nothing to hide.
    json["password"] = authentication.password.empty()
                           ? Json("")
                           : secret_to_json(authentication.password, show_secrets);
  } else if (authentication.type == Authentication::Type::oauth2) {
    write_oauth(*authentication.oauth, show_secrets, json);
  }
  return json;
}

Json delivery_to_json(const DeliverySettings& delivery) {
  Json delays = Json::array();
  for (const milliseconds delay : delivery.retry.delays) delays.push_back(delay.count());
  Json json = {{"concurrency", delivery.concurrency},
               {"rate_limit", rate_limit_to_json(delivery.rate_limit)},
               {"ordering", delivery.ordering == Ordering::per_user ? "per_user" : "none"},
               {"backlog_max", delivery.backlog_max}};
  json["retry"] = Json::object();
  json["retry"]["delays_ms"] = std::move(delays);
  json["retry"]["jitter"] = delivery.retry.jitter;
  json["batch"] = batch_to_json(delivery.batch);
  return json;
}

// ---- from JSON

// A secret that this type of authentication has no use for: a masked one is what was read before.
void check_unused(ObjectReader& reader, std::string_view key, std::string_view type) {
  const Json* field = reader.given(key);
  if (field == nullptr || field->is_object()) return;
  reader.error("not_used", fmt::format("Authentication of type {} has no \"{}\".", type, key), key);
}

void read_authentication(const Json* json, const Destination* kept, Destination& destination,
                         Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/authentication", problems);
  Authentication& authentication = destination.authentication;
  const std::string type = reader.text("type").value_or("none");
  const Authentication nothing;
  const Authentication& before = kept == nullptr ? nothing : kept->authentication;
  if (type == "bearer") {
    authentication.type = Authentication::Type::bearer;
    authentication.token = read_secret(reader, "token", before.token);
  } else if (type == "basic") {
    authentication.type = Authentication::Type::basic;
    authentication.username = reader.text("username").value_or("");
    authentication.password = read_secret(reader, "password", before.password);
  } else if (type == "oauth2") {
    authentication.type = Authentication::Type::oauth2;
    authentication.oauth =
        std::make_shared<const OAuth>(read_oauth(reader, before.oauth.get(), problems));
  } else if (type != "none") {
    reader.error("unknown_value", "The type of authentication is none, bearer, basic or oauth2.",
                 "type");
  }
  if (authentication.type != Authentication::Type::bearer) check_unused(reader, "token", type);
  if (authentication.type != Authentication::Type::basic) {
    check_unused(reader, "username", type);
    check_unused(reader, "password", type);
  }
  reader.finish();
}

void read_headers(ObjectReader& reader, RequestSettings& request, Problems& problems) {
  const Json* list = reader.array("headers");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    ObjectReader item((*list)[i], fmt::format("/request/headers/{}", i), problems);
    OutboundHeader header;
    for (const auto& [key, target] :
         {std::pair<std::string_view, std::string*>{"name", &header.name},
          {"value", &header.value}}) {
      const auto text = item.text(key);
      if (text) {
        *target = *text;
      } else if (item.is_object() && item.given(key) == nullptr) {
        item.error("missing", fmt::format("A header needs a \"{}\".", key), key);
      }
    }
    item.finish();
    request.headers.push_back(std::move(header));
  }
}

void read_request(const Json* json, Destination& destination, Problems& problems) {
  const bool is_inbox = destination.platform == "inbox";
  static const Json kDefault = Json::object();
  ObjectReader reader(json == nullptr ? kDefault : *json, "/request", problems);
  RequestSettings& request = destination.request;
  if (const auto name = reader.text("method")) {
    const auto method = parse_http_method(*name);
    if (method) {
      request.method = *method;
    } else {
      reader.error("unknown_value", "The method is GET, POST, PUT, PATCH or DELETE.", "method");
    }
  }
  request.url = reader.text("url").value_or("");
  if (is_inbox && !request.url.empty()) {
    reader.error("not_used", "An inbox has no URL: what is sent to it stays in Eilpost.", "url");
    request.url.clear();
  } else if (!is_inbox && request.url.empty() && reader.is_object() &&
             (reader.given("url") == nullptr || reader.given("url")->is_string())) {
    reader.error("url_missing", "Give the URL that is called, such as https://api.example.com/v1.",
                 "url");
  }
  read_headers(reader, request, problems);
  const auto timeout = reader.integer(
      "timeout_ms", {.min = limits::kTimeoutMin.count(), .max = limits::kTimeoutMax.count()});
  if (timeout) request.timeout = milliseconds(*timeout);
  reader.finish();
}

void read_delays(ObjectReader& reader, RetrySettings& retry) {
  const Json* list = reader.array("delays_ms");
  if (list == nullptr) return;
  if (list->size() > limits::kRetryDelaysMax) {
    reader.error("too_many",
                 fmt::format("At most {} delays are possible.", limits::kRetryDelaysMax),
                 "delays_ms");
    return;
  }
  const std::int64_t most =
      std::chrono::duration_cast<milliseconds>(limits::kRetryDelayMax).count();
  retry.delays.clear();
  for (const Json& item : *list) {
    const auto delay = integer_in(item, {.min = 0, .max = most});
    if (!delay) {
      reader.error("out_of_range",
                   fmt::format("Each delay is a number of milliseconds between 0 and {}: an "
                               "integer.",
                               most),
                   "delays_ms");
      return;
    }
    retry.delays.emplace_back(*delay);
  }
}

void read_retry(const Json* json, RetrySettings& retry, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/delivery/retry", problems);
  read_delays(reader, retry);
  if (const Json* jitter = reader.given("jitter")) {
    const double value = jitter->is_number() ? jitter->get<double>() : -1;
    if (value >= 0 && value <= 1) {
      retry.jitter = value;
    } else {
      reader.error("out_of_range", "\"jitter\" is a number between 0 and 1.", "jitter");
    }
  }
  reader.finish();
}

void read_ordering(ObjectReader& reader, DeliverySettings& delivery) {
  const auto ordering = reader.text("ordering");
  if (!ordering) return;
  if (*ordering != "none" && *ordering != "per_user") {
    reader.error("unknown_value",
                 "\"ordering\" is \"none\", or \"per_user\": each user's events one after the "
                 "other, in the order in which they came.",
                 "ordering");
    return;
  }
  delivery.ordering = *ordering == "per_user" ? Ordering::per_user : Ordering::none;
}

void read_delivery(const Json* json, DeliverySettings& delivery, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/delivery", problems);
  if (const auto concurrency =
          reader.integer("concurrency", {.min = 1, .max = limits::kConcurrencyMax})) {
    delivery.concurrency = static_cast<std::uint32_t>(*concurrency);
  }
  if (const auto backlog = reader.integer("backlog_max", {.min = 1, .max = INT64_MAX})) {
    delivery.backlog_max = static_cast<std::uint64_t>(*backlog);
  }
  read_policies(reader, delivery, problems);
  read_ordering(reader, delivery);
  read_retry(reader.given("retry"), delivery.retry, problems);
  reader.finish();
}

}  // namespace

Json to_json(const Destination& destination, bool show_secrets) {
  Json json = {{"id", eilpost::to_string(destination.id)},
               {"name", destination.name},
               {"platform", destination.platform}};
  json["fields"] = fields_to_json(destination.fields);
  json["secrets"] = secrets_to_json(destination.secrets, show_secrets);
  json["request"] = request_to_json(destination);
  json["body"] = destination.body ? body_to_json(*destination.body) : Json();
  json["success"] = success_to_json(destination.success);
  json["final_statuses"] = final_statuses_to_json(destination.final_statuses);
  json["authentication"] = authentication_to_json(destination.authentication, show_secrets);
  json["tls"] = tls_to_json(destination.tls, show_secrets);
  json["signing"] = signing_to_json(destination.signing, show_secrets);
  json["delivery"] = delivery_to_json(destination.delivery);
  if (destination.platform == "inbox") json["inbox_token"] = destination.inbox_token;
  json["state"] = eilpost::to_string(destination.state);
  json["state_reason"] = destination.state_reason.empty() ? Json() : Json(destination.state_reason);
  json["state_since"] = format_iso_time(destination.state_since);
  json["version"] = destination.version;
  json["created_at"] = format_iso_time(destination.created_at);
  json["updated_at"] = format_iso_time(destination.updated_at);
  return json;
}

Destination destination_from_json(const Json& json, const Destination* kept, Problems& problems) {
  Destination destination;
  ObjectReader reader(json, "", problems);
  reader.ignore({"id"});
  destination.name = reader.name("name");
  const auto platform = reader.text("platform");
  if (platform && (*platform == "custom" || *platform == "inbox" || presets::find(*platform))) {
    destination.platform = *platform;
  } else if (platform || (reader.is_object() && reader.given("platform") == nullptr)) {
    std::string names;
    for (const presets::Preset& preset : presets::all())
      names += (names.empty() ? ": " : ", ") + preset.platform;
    reader.error(platform ? "unknown_platform" : "platform_missing",
                 fmt::format("The platform is custom, inbox for the inbox that is built in, or one "
                             "of those that are known{}.",
                             names),
                 "platform");
  }
  read_request(reader.given("request"), destination, problems);
  read_prescription(reader, kept, destination, problems);
  destination.tls =
      tls_from_json(reader.given("tls"), kept == nullptr ? nullptr : &kept->tls, problems);
  read_authentication(reader.given("authentication"), kept, destination, problems);
  destination.signing = signing_from_json(reader.given("signing"),
                                          kept == nullptr ? nullptr : &kept->signing, problems);
  read_delivery(reader.given("delivery"), destination.delivery, problems);
  reader.ignore({"inbox_token", "state", "state_reason", "state_since", "version", "created_at",
                 "updated_at", "warnings"});
  reader.finish();
  return destination;
}

}  // namespace eilpost::settings
