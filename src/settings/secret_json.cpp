#include "settings/secret_json.h"

#include <fmt/format.h>

namespace eilpost::settings {

Json secret_to_json(const std::string& secret, bool show_secrets) {
  if (show_secrets) return secret;
  return {{"set", true}};
}

std::string read_secret(ObjectReader& reader, std::string_view key, std::string_view kept) {
  const Json* field = reader.find(key);
  if (field == nullptr) return std::string(kept);
  if (field->is_null()) return {};
  if (field->is_string()) return field->get<std::string>();
  const bool is_masked = field->is_object() && field->size() == 1 && field->contains("set") &&
                         field->at("set") == true;
  if (!is_masked) {
    reader.wrong_type(key, "a text, or {\"set\":true} to keep the one that is there");
  } else if (kept.empty()) {
    reader.error("secret_missing",
                 fmt::format("There is no \"{}\" yet that could be kept: give it as a text.", key),
                 key);
  }
  return std::string(kept);
}

}  // namespace eilpost::settings
