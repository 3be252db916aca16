// Sources, environments, event types and API keys as the API's JSON, and event types back.

#include <fmt/format.h>
#include <utility>

#include "base/iso_time.h"
#include "settings/object_reader.h"
#include "settings/settings.h"

namespace eilpost::settings {
namespace {

Json text_to_json(const Text& text) {
  return {{"en", text.en}, {"de", text.de}};
}

Text read_text(const Json* json, const std::string& pointer, Problems& problems) {
  Text text;
  if (json == nullptr) return text;
  ObjectReader reader(*json, pointer, problems);
  text.en = reader.text("en").value_or("");
  text.de = reader.text("de").value_or("");
  reader.finish();
  return text;
}

PropertyDeclaration read_declaration(const Json& json, const std::string& pointer,
                                     Problems& problems) {
  PropertyDeclaration declaration;
  ObjectReader reader(json, pointer, problems);
  declaration.path = reader.text("path").value_or("");
  if (const auto name = reader.text("type")) {
    const auto type = parse_property_type(*name);
    if (type) {
      declaration.type = *type;
    } else {
      reader.error("unknown_value",
                   "The type is one of string, integer, number, boolean, array, object, id, "
                   "scalar, any.",
                   "type");
    }
  }
  declaration.description =
      read_text(reader.given("description"), reader.pointer("description"), problems);
  reader.finish();
  return declaration;
}

void read_sample(ObjectReader& reader, EventType& type) {
  const Json* sample = reader.object("sample");
  if (sample == nullptr) return;
  const auto named = sample->find("type");
  if (named != sample->end() && *named != type.code) {
    reader.error("wrong_sample", fmt::format("The sample's \"type\" must be \"{}\".", type.code),
                 "sample");
    return;
  }
  const auto data = sample->find("data");
  if (data != sample->end() && !data->is_object()) {
    reader.error("wrong_sample", "The sample's \"data\" must be an object.", "sample");
    return;
  }
  Json whole = *sample;
  whole["type"] = type.code;
  type.sample = to_text(whole);
}

}  // namespace

Json to_json(const Source& source) {
  Json json = {{"id", eilpost::to_string(source.id)},
               {"name", source.name},
               {"environment", source.environment_name}};
  json["allowed_origins"] = source.allowed_origins ? Json(*source.allowed_origins) : Json();
  json["enabled"] = source.enabled;
  json["key_hint"] = source.key_hint;
  json["version"] = source.version;
  json["created_at"] = format_iso_time(source.created_at);
  json["updated_at"] = format_iso_time(source.updated_at);
  return json;
}

Json to_json(const Environment& environment) {
  Json json = {{"id", static_cast<std::uint32_t>(environment.id)},
               {"name", environment.name},
               {"built_in", environment.is_built_in}};
  if (!environment.is_built_in) json["created_at"] = format_iso_time(environment.created_at);
  return json;
}

Json to_json(const EventType& type) {
  Json json = {{"code", type.code},
               {"group", type.group},
               {"label", text_to_json(type.label)},
               {"description", text_to_json(type.description)}};
  Json properties = Json::array();
  for (const PropertyDeclaration& property : type.properties) {
    properties.push_back({{"path", property.path},
                          {"type", to_string(property.type)},
                          {"description", text_to_json(property.description)}});
  }
  json["properties"] = std::move(properties);
  Result<Json> sample = parse_json(type.sample);
  json["sample"] = sample ? std::move(*sample) : Json();
  json["custom"] = type.is_custom;
  json["version"] = type.version;
  return json;
}

Json to_json(const ApiKey& key) {
  Json json = {{"id", eilpost::to_string(key.id)},
               {"name", key.name},
               {"role", key.role},
               {"key_hint", key.key_hint}};
  json["expires_at"] = key.expires_at ? Json(format_iso_time(*key.expires_at)) : Json();
  json["created_at"] = format_iso_time(key.created_at);
  return json;
}

EventType event_type_from_json(const Json& json, Problems& problems) {
  EventType type{.is_custom = true};
  ObjectReader reader(json, "", problems);
  type.code = reader.text("code").value_or("");
  type.group = type.code.substr(0, type.code.find('.'));
  type.label = read_text(reader.given("label"), "/label", problems);
  type.description = read_text(reader.given("description"), "/description", problems);
  if (const Json* list = reader.array("properties")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      type.properties.push_back(
          read_declaration((*list)[i], fmt::format("/properties/{}", i), problems));
    }
  }
  read_sample(reader, type);
  reader.ignore({"group", "custom", "version"});
  reader.finish();
  Problems found;
  if (reader.is_object()) check_custom_type(type, found);
  add_independent(std::move(found), problems);
  return type;
}

}  // namespace eilpost::settings
