#include "settings/stored.h"

#include <fmt/format.h>
#include <utility>

#include "base/iso_time.h"
#include "base/parse.h"
#include "settings/sealing.h"

namespace eilpost::settings {
namespace {

std::unexpected<Error> corrupt(const StoredObject& stored, std::string_view why) {
  return fail(ErrorCode::database_corrupt,
              fmt::format("settings.db, {} version {}: {}", stored.id, stored.version, why));
}

std::unexpected<Error> corrupt(const StoredObject& stored, const Problems& problems) {
  const Problem& first = problems.errors.front();
  return corrupt(stored, fmt::format("{}: {}", first.pointer, first.detail));
}

Result<Json> object_of(const StoredObject& stored) {
  Result<Json> json = parse_json(stored.json, /*depth_max=*/128);
  if (!json) return corrupt(stored, json.error().detail);
  if (!json->is_object()) return corrupt(stored, "not an object");
  return json;
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

WallTime time_in(const Json& json, const char* key) {
  return parse_iso_time(text_in(json, key)).value_or(WallTime());
}

DestinationState state_in(const Json& json) {
  const std::string text = text_in(json, "state");
  for (const DestinationState state : {DestinationState::paused, DestinationState::disabled}) {
    if (to_string(state) == text) return state;
  }
  return DestinationState::active;
}

// Takes the old signing secret out of `json`, where only the disk has it.
void take_previous(Json& json, Signing& signing) {
  const auto fields = json.find("signing");
  if (fields == json.end() || !fields->is_object()) return;
  signing.previous_secret = text_in(*fields, "previous_secret");
  signing.previous_until = time_in(*fields, "previous_until");
  fields->erase("previous_secret");
}

}  // namespace

Result<Webhook> webhook_of(const StoredObject& stored) {
  EILPOST_ASSIGN_OR_RETURN(const Json json, object_of(stored));
  const auto id = parse_id<WebhookId>(stored.id);
  if (!id) return corrupt(stored, "not a webhook's id");
  Problems problems;
  Webhook webhook = webhook_from_json(json, problems);
  if (!problems.ok()) return corrupt(stored, problems);
  webhook.id = *id;
  webhook.version = stored.version;
  webhook.created_at = time_in(json, "created_at");
  webhook.updated_at = time_in(json, "updated_at");
  return webhook;
}

Result<Destination> destination_of(const StoredObject& stored, const crypto::SecretBox& secrets) {
  EILPOST_ASSIGN_OR_RETURN(Json json, object_of(stored));
  const auto id = parse_id<DestinationId>(stored.id);
  if (!id) return corrupt(stored, "not a destination's id");
  EILPOST_RETURN_IF_ERROR(open_secrets(json, stored.id, secrets));
  Signing previous;
  take_previous(json, previous);
  Problems problems;
  Destination destination = destination_from_json(json, /*kept=*/nullptr, problems);
  if (!problems.ok()) return corrupt(stored, problems);
  destination.id = *id;
  destination.version = stored.version;
  destination.signing.previous_secret = previous.previous_secret;
  destination.signing.previous_until = previous.previous_until;
  destination.inbox_token = text_in(json, "inbox_token");
  destination.state = state_in(json);
  destination.state_reason = text_in(json, "state_reason");
  destination.state_since = time_in(json, "state_since");
  destination.created_at = time_in(json, "created_at");
  destination.updated_at = time_in(json, "updated_at");
  return destination;
}

Result<Source> source_of(const StoredObject& stored) {
  EILPOST_ASSIGN_OR_RETURN(const Json json, object_of(stored));
  const auto id = parse_id<SourceId>(stored.id);
  if (!id) return corrupt(stored, "not a source's id");
  Source source{.id = *id, .version = stored.version};
  source.name = text_in(json, "name");
  source.key_hash = text_in(json, "key_hash");
  source.key_hint = text_in(json, "key_hint");
  source.environment_name = text_in(json, "environment");
  source.enabled = json.value("enabled", Json()) == true;
  source.created_at = time_in(json, "created_at");
  source.updated_at = time_in(json, "updated_at");
  if (const auto origins = json.find("allowed_origins");
      origins != json.end() && origins->is_array()) {
    source.allowed_origins.emplace();
    for (const Json& origin : *origins) {
      if (origin.is_string()) source.allowed_origins->push_back(origin.get<std::string>());
    }
  }
  if (source.key_hash.empty()) return corrupt(stored, "no key_hash");
  return source;
}

Result<Environment> environment_of(const StoredObject& stored) {
  EILPOST_ASSIGN_OR_RETURN(const Json json, object_of(stored));
  const auto number = parse_integer<std::uint32_t>(stored.id);
  if (!number) return corrupt(stored, "not an environment's id");
  return Environment{.id = EnvironmentId{*number},
                     .name = text_in(json, "name"),
                     .created_at = time_in(json, "created_at")};
}

Result<EventType> event_type_of(const StoredObject& stored) {
  EILPOST_ASSIGN_OR_RETURN(const Json json, object_of(stored));
  Problems problems;
  EventType type = event_type_from_json(json, problems);
  if (!problems.ok()) return corrupt(stored, problems);
  type.version = stored.version;
  return type;
}

Result<ApiKey> api_key_of(const StoredObject& stored) {
  EILPOST_ASSIGN_OR_RETURN(const Json json, object_of(stored));
  const auto id = parse_id<ApiKeyId>(stored.id);
  if (!id) return corrupt(stored, "not an API key's id");
  ApiKey key{.id = *id};
  key.name = text_in(json, "name");
  key.key_hash = text_in(json, "key_hash");
  key.key_hint = text_in(json, "key_hint");
  key.role = text_in(json, "role");
  key.expires_at = parse_iso_time(text_in(json, "expires_at"));
  key.created_at = time_in(json, "created_at");
  if (key.key_hash.empty()) return corrupt(stored, "no key_hash");
  return key;
}

std::string stored_json(const Source& source) {
  Json json = to_json(source);
  json["key_hash"] = source.key_hash;
  return to_text(json);
}

std::string stored_json(const ApiKey& key) {
  Json json = to_json(key);
  json["key_hash"] = key.key_hash;
  return to_text(json);
}

}  // namespace eilpost::settings
