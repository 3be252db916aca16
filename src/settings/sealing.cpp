#include "settings/sealing.h"

#include <fmt/format.h>
#include <string>
#include <utility>
#include <vector>

namespace eilpost::settings {
namespace {

struct SecretPlace {
  std::string object;
  std::string key;
  std::string within{};  // an object inside `object`, which holds the key; empty: none
};

// Where a destination's JSON may have secrets.
std::vector<SecretPlace> places_in(const Json& json) {
  std::vector<SecretPlace> places = {{"authentication", "token"},
                                     {"authentication", "password"},
                                     {"authentication", "client_secret"},
                                     {"authentication", "private_key"},
                                     {"authentication", "refresh_token"},
                                     {"authentication", "client_key", "tls"},
                                     {"tls", "client_key"},
                                     {"signing", "secret"},
                                     {"signing", "previous_secret"}};
  if (!json.is_object()) return {};
  const auto secrets = json.find("secrets");
  if (secrets == json.end() || !secrets->is_object()) return places;
  for (const auto& [name, value] : secrets->items()) places.push_back({"secrets", name});
  return places;
}

template <class AnyJson>
AnyJson* find(AnyJson& json, const SecretPlace& place) {
  if (!json.is_object()) return nullptr;
  auto object = json.find(place.object);
  if (object == json.end() || !object->is_object()) return nullptr;
  if (!place.within.empty()) {
    const auto inner = object->find(place.within);
    if (inner == object->end() || !inner->is_object()) return nullptr;
    object = inner;
  }
  const auto secret = object->find(place.key);
  return secret == object->end() ? nullptr : &*secret;
}

// The text in {"sealed":"…"}; null pointer if the secret is not sealed.
const Json* sealed_of(const Json* secret) {
  if (secret == nullptr || !secret->is_object()) return nullptr;
  const auto sealed = secret->find("sealed");
  return sealed == secret->end() || !sealed->is_string() ? nullptr : &*sealed;
}

std::string context_of(std::string_view id, const SecretPlace& place) {
  const std::string within = place.within.empty() ? "" : fmt::format(".{}", place.within);
  return fmt::format("destination/{}/{}{}.{}", id, place.object, within, place.key);
}

}  // namespace

void seal_secrets(Json& json, std::string_view id, const crypto::SecretBox& box,
                  env::Entropy& entropy) {
  for (const SecretPlace& place : places_in(json)) {
    Json* secret = find(json, place);
    if (secret == nullptr || !secret->is_string() || secret->get_ref<const std::string&>().empty())
      continue;
    Json sealed = Json::object();
    sealed["sealed"] = box.seal(secret->get<std::string>(), context_of(id, place), entropy);
    *secret = std::move(sealed);
  }
}

Result<void> open_secrets(Json& json, std::string_view id, const crypto::SecretBox& box) {
  for (const SecretPlace& place : places_in(json)) {
    Json* secret = find(json, place);
    const Json* sealed = sealed_of(secret);
    if (sealed == nullptr) continue;
    EILPOST_ASSIGN_OR_RETURN(std::string opened,
                             box.open(sealed->get<std::string>(), context_of(id, place)));
    *secret = std::move(opened);
  }
  return {};
}

void mask_sealed(Json& json) {
  for (const SecretPlace& place : places_in(json)) {
    Json* secret = find(json, place);
    if (sealed_of(secret) == nullptr) continue;
    *secret = Json::object();
    (*secret)["set"] = true;
  }
  if (json.is_object() && json.contains("signing") && json["signing"].is_object()) {
    json["signing"].erase("previous_secret");
  }
}

bool needs_sealing_again(const Json& json, const crypto::SecretBox& box) {
  for (const SecretPlace& place : places_in(json)) {
    const Json* sealed = sealed_of(find(json, place));
    if (sealed != nullptr && box.needs_sealing_again(sealed->get<std::string>())) return true;
  }
  return false;
}

}  // namespace eilpost::settings
