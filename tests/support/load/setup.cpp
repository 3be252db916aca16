#include "support/load/setup.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace eilpost::load {
namespace {

using Json = nlohmann::json;

// Makes one object; the text of `member` in the answer.
Result<std::string> create(const EilpostProcess& process, std::string_view path,
                           const std::string& object, const std::string& member) {
  EILPOST_ASSIGN_OR_RETURN(const std::string answer,
                           process.call_api(http::Method::post, path, object));
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains(member) || !json[member].is_string()) {
    return fail(ErrorCode::protocol_violated, answer);
  }
  return json[member].get<std::string>();
}

}  // namespace

Result<void> remove_webhooks(const EilpostProcess& process) {
  EILPOST_ASSIGN_OR_RETURN(const std::string answer,
                           process.call_api(http::Method::get, "webhooks"));
  const Json json = Json::parse(answer, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("data"))
    return fail(ErrorCode::protocol_violated, answer);
  for (const Json& webhook : json["data"]) {
    EILPOST_RETURN_IF_ERROR(
        process.call_api(http::Method::delete_, "webhooks/" + webhook.value("id", "")));
  }
  return {};
}

Result<std::string> create_source(const EilpostProcess& process) {
  return create(process, "sources", Json{{"name", "load"}, {"environment", "production"}}.dump(),
                "key");
}

std::string to_json(const DestinationSetup& setup) {
  Json object = {{"name", setup.name}, {"platform", "custom"}, {"request", {{"url", setup.url}}}};
  if (!setup.retry_delays_ms.empty()) {
    object["delivery"]["retry"] = {{"delays_ms", setup.retry_delays_ms}, {"jitter", 0.2}};
  }
  if (setup.concurrency > 0) object["delivery"]["concurrency"] = setup.concurrency;
  if (setup.backlog_max > 0) object["delivery"]["backlog_max"] = setup.backlog_max;
  if (setup.batch_events_max > 0) {
    object["delivery"]["batch"]["events_max"] = setup.batch_events_max;
    if (setup.batch_wait_ms > 0) object["delivery"]["batch"]["wait_ms"] = setup.batch_wait_ms;
  }
  if (setup.timeout_ms > 0) object["request"]["timeout_ms"] = setup.timeout_ms;
  return object.dump();
}

std::string to_json(const WebhookSetup& setup) {
  Json object = {
      {"name", setup.name}, {"event", setup.event_type}, {"destination", setup.destination}};
  if (setup.item_id >= 0) {
    const Json condition = {{"property", "oId"}, {"operator", "is"}, {"value", setup.item_id}};
    object["conditions"]["all"] = Json::array({condition});
  }
  return object.dump();
}

Result<std::string> create_destination(const EilpostProcess& process,
                                       const DestinationSetup& setup) {
  return create(process, "destinations", to_json(setup), "id");
}

Result<std::string> create_webhook(const EilpostProcess& process, const WebhookSetup& setup) {
  return create(process, "webhooks", to_json(setup), "id");
}

}  // namespace eilpost::load
