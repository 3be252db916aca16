#include "settings/merge_patch.h"

#include <string>
#include <utility>

#include "presets/preset.h"

namespace eilpost::settings {
namespace {

// The member of an object; null pointer if there is none or `json` is no object.
const Json* member(const Json* json, const std::string& key) {
  if (json == nullptr || !json->is_object()) return nullptr;
  const auto found = json->find(key);
  return found == json->end() ? nullptr : &*found;
}

// Whether `patch` gives object `field` another `key` than it has.
bool changes(const Json& target, const Json& patch, const char* field, const char* key) {
  const Json* wanted = member(member(&patch, field), key);
  const Json* is = member(member(&target, field), key);
  return wanted != nullptr && (is == nullptr || *wanted != *is);
}

// Puts a null that means "remove this secret" back where merging took it away.
void keep_null(Json& target, const Json& patch, const char* field, const char* key) {
  const Json* given = member(member(&patch, field), key);
  if (given != nullptr && given->is_null() && target[field].is_object()) {
    target[field][key] = nullptr;
  }
}

// What one platform prescribes is nothing to another. Secrets that are absent would be kept.
void begin_platform_anew(Json& destination, const Json& patch) {
  const Json* wanted = member(&patch, "platform");
  const Json* is = member(&destination, "platform");
  if (wanted == nullptr || is == nullptr || *wanted == *is || !wanted->is_string()) return;
  const bool has_preset = presets::find(wanted->get<std::string>()) != nullptr ||
                          presets::find(is->get<std::string>()) != nullptr;
  if (!has_preset) return;
  for (const char* key : {"fields", "request", "body", "success", "final_statuses",
                          "authentication", "signing", "delivery"}) {
    destination.erase(key);
  }
  for (auto& [name, secret] : destination["secrets"].items()) secret = nullptr;
}

// The secrets that the patch removes, as null: one that is absent would be kept.
void remove_secrets(Json& destination, const Json& secrets, const Json& patch) {
  const Json* given = member(&patch, "secrets");
  if (given == nullptr || !secrets.is_object()) return;
  for (const auto& [name, masked] : secrets.items()) {
    const Json* one = member(given, name);
    const bool is_removed = given->is_null() || (one != nullptr && one->is_null());
    if (is_removed) destination["secrets"][name] = nullptr;
  }
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth that parse_json() lets through.
void merge_patch(Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) {
      target.erase(key);
    } else {
      merge_patch(target[key], value);
    }
  }
}

Json patched_webhook(Json webhook, const Json& patch) {
  if (const Json* conditions = member(&patch, "conditions")) {
    for (const char* kind : {"all", "any", "not", "property"}) {
      if (member(conditions, kind) != nullptr) webhook.erase("conditions");
    }
  }
  if (changes(webhook, patch, "body", "format")) webhook.erase("body");
  const Json* template_json = member(member(&patch, "body"), "template");
  merge_patch(webhook, patch);
  if (template_json != nullptr) webhook["body"]["template"] = *template_json;
  return webhook;
}

Json patched_destination(Json destination, const Json& patch) {
  begin_platform_anew(destination, patch);
  if (changes(destination, patch, "authentication", "type")) destination.erase("authentication");
  if (changes(destination, patch, "signing", "scheme")) destination.erase("signing");
  if (changes(destination, patch, "body", "format")) destination.erase("body");
  // Each is one rule, not several members to be mixed.
  for (const char* rule : {"body", "partial"}) {
    const bool is_given = member(member(&patch, "success"), rule) != nullptr;
    if (is_given && destination["success"].is_object()) destination["success"].erase(rule);
  }
  const Json secrets = destination.value("secrets", Json::object());
  const Json* template_json = member(member(&patch, "body"), "template");
  merge_patch(destination, patch);
  if (template_json != nullptr) destination["body"]["template"] = *template_json;
  remove_secrets(destination, secrets, patch);
  for (const char* secret :
       {"token", "password", "client_secret", "private_key", "refresh_token"}) {
    keep_null(destination, patch, "authentication", secret);
  }
  keep_null(destination, patch, "tls", "client_key");
  keep_null(destination, patch, "signing", "secret");
  return destination;
}

Json patched_event_type(Json type, const Json& patch) {
  const Json* sample = member(&patch, "sample");
  merge_patch(type, patch);
  if (sample != nullptr) type["sample"] = *sample;
  return type;
}

}  // namespace eilpost::settings
