// The filters that take an object, such as {{properties}}, and give another one, or a text.

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include "base/utf8.h"
#include "model/json.h"
#include "model/limits.h"
#include "render/filters.h"

namespace eilpost::render {
namespace {

using Filtered = std::expected<Value, std::string>;

constexpr std::size_t kDepthMax = 64;

Filtered copied(std::string_view text, Arena& arena) {
  if (text.size() > limits::kOutboundBodyBytesMax) {
    return std::unexpected(
        fmt::format("the text grows above {} bytes", limits::kOutboundBodyBytesMax));
  }
  return Value::of(arena.copy(text));
}

Filtered object_value(const Json& object, Arena& arena) {
  return Value::of_json(arena.copy(to_text(object)));
}

std::string text_in(const Json& json) {
  return json.is_string() ? json.get<std::string>() : to_text(json);
}

Filtered lines_of(const Filter& filter, const Json& object, Arena& arena) {
  const std::string_view prefix =
      filter.arguments.empty() ? std::string_view{} : std::string_view(filter.arguments[0].text);
  std::string lines;
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) continue;
    if (!lines.empty()) lines += '\n';
    lines += fmt::format("{}{}: {}", prefix, name, text_in(value));
    if (lines.size() > limits::kOutboundBodyBytesMax) break;
  }
  return copied(lines, arena);
}

Filtered with_underscores(const Json& object, Arena& arena) {
  Json renamed = Json::object();
  std::map<std::string, std::string> before;
  for (const auto& [name, value] : object.items()) {
    std::string plain = name;
    std::ranges::replace(plain, '.', '_');
    const auto [other, is_new] = before.emplace(plain, name);
    if (!is_new) {
      return std::unexpected(
          fmt::format("\"{}\" and \"{}\" would both be sent as \"{}\"; rename one of them (`as`)",
                      other->second, name, plain));
    }
    renamed[plain] = value;
  }
  return object_value(renamed, arena);
}

Filtered scalars_of(const Filter& filter, const Json& object, Arena& arena,
                    std::vector<std::string>* notes) {
  Json scalars = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (value.is_null()) continue;
    if (value.is_number()) {
      scalars[name] = value;
      continue;
    }
    const std::string text = text_in(value);
    const std::string_view kept =
        filter.number == 0 ? std::string_view(text) : truncate_to_code_points(text, filter.number);
    scalars[name] = std::string(kept);
    if (kept.size() < text.size() && notes != nullptr) {
      notes->push_back(fmt::format("\"{}\" was cut to {} characters.", name, filter.number));
    }
  }
  return object_value(scalars, arena);
}

Filtered without(const Filter& filter, Json object, Arena& arena) {
  for (const Constant& name : filter.arguments) object.erase(name.text);
  return object_value(object, arena);
}

}  // namespace

Filtered apply_to_object(const Filter& filter, const Value& value, Arena& arena,
                         std::vector<std::string>* notes) {
  std::string text;
  append_json(text, value);
  Result<Json> object = parse_json(text, kDepthMax);
  if (!object) return std::unexpected("the object cannot be read: " + object.error().detail);
  switch (filter.kind) {
    case FilterKind::lines:
      return lines_of(filter, *object, arena);
    case FilterKind::underscores:
      return with_underscores(*object, arena);
    case FilterKind::scalars:
      return scalars_of(filter, *object, arena, notes);
    default:  // without
      return without(filter, *std::move(object), arena);
  }
}

}  // namespace eilpost::render
