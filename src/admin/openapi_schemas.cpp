#include "admin/openapi_schemas.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"

namespace eilpost::admin {
namespace {

// Cuts the text off before `separator`; `rest` keeps what follows it.
std::string_view take_until(std::string_view& rest, std::string_view separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(part.size() + separator.size(), rest.size()));
  return part;
}

// A long text stands as several, with a blank between them.
std::string joined(const Json& texts) {
  std::string text;
  for (const Json& part : texts) {
    if (!text.empty()) text += ' ';
    text += part.get<std::string>();
  }
  return text;
}

Json reference_to(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

Json expand_enum(std::string_view values) {
  Json list = Json::array();
  while (!values.empty()) list.push_back(take_until(values, " "));
  return {{"type", "string"}, {"enum", std::move(list)}};
}

// The first of the alternatives; `rest` keeps the others.
std::string_view take_alternative(std::string_view& rest) {
  std::size_t depth = 0;
  std::size_t size = 0;
  while (size < rest.size() && (depth > 0 || rest[size] != '|')) {
    if (rest[size] == '[') ++depth;
    if (rest[size] == ']') --depth;
    ++size;
  }
  const std::string_view one = rest.substr(0, size);
  rest.remove_prefix(std::min(size + 1, rest.size()));
  return one;
}

Json expand_text(std::string_view text);

// NOLINTNEXTLINE(misc-no-recursion): bounded by the length of our own texts.
Json expand_page(std::string_view item) {
  Json properties = {{"data", {{"type", "array"}, {"items", expand_text(item)}}},
                     {"next_cursor", expand_text("string|null: Of the next page; null: none.")}};
  return {{"type", "object"},
          {"properties", std::move(properties)},
          {"required", {"data", "next_cursor"}},
          {"additionalProperties", false}};
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by the length of our own texts.
Json expand_one(std::string_view text) {
  constexpr std::string_view kEnum = "enum ";
  constexpr std::string_view kPage = "page ";
  if (text.starts_with(kEnum)) return expand_enum(text.substr(kEnum.size()));
  if (text.starts_with(kPage)) return expand_page(text.substr(kPage.size()));
  if (text.starts_with('#')) return reference_to(text.substr(1));
  if (text.starts_with('[')) {
    EILPOST_ASSERT(text.ends_with(']'));
    return {{"type", "array"}, {"items", expand_text(text.substr(1, text.size() - 2))}};
  }
  if (text == "any") return Json::object();
  if (text == "time") return {{"type", "string"}, {"format", "date-time"}};
  const bool is_type = text == "string" || text == "integer" || text == "number" ||
                       text == "boolean" || text == "null" || text == "object";
  EILPOST_ASSERT(is_type);
  return {{"type", text}};
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by the length of our own texts.
Json expand_text(std::string_view text) {
  std::string_view type = take_until(text, ": ");
  Json schema = expand_one(take_alternative(type));
  if (!type.empty()) {
    Json alternatives = Json::array({std::move(schema)});
    while (!type.empty()) alternatives.push_back(expand_one(take_alternative(type)));
    schema = {{"anyOf", std::move(alternatives)}};
  }
  if (!text.empty()) schema["description"] = text;
  return schema;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth of our own texts.
Json expand_schema(const Json& text) {
  if (text.is_string()) return expand_text(text.get<std::string>());
  if (text.is_array()) return expand_text(joined(text));
  EILPOST_ASSERT(text.is_object());
  Json properties = Json::object();
  Json required = Json::array();
  bool is_open = false;
  for (const auto& [key, value] : text.items()) {
    if (key == "...") {
      is_open = true;
      continue;
    }
    const bool is_optional = key.ends_with('?');
    const std::string name = key.substr(0, key.size() - (is_optional ? 1 : 0));
    properties[name] = expand_schema(value);
    if (!is_optional) required.push_back(name);
  }
  Json schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (!is_open) schema["additionalProperties"] = false;
  return schema;
}

Json openapi_schemas() {
  Json schemas = Json::object();
  for (const std::string_view texts : {kSettingsSchemas, kLogSchemas}) {
    const Result<Json> parsed = parse_json(texts);
    EILPOST_ASSERT(parsed.has_value());
    for (const auto& [name, text] : parsed->items()) schemas[name] = expand_schema(text);
  }
  return schemas;
}

}  // namespace eilpost::admin
