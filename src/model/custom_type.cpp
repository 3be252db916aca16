// Whether an event type of an administrator may be added to the catalog.

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/ascii.h"
#include "base/utf8.h"
#include "model/catalog.h"
#include "model/catalog_data.h"
#include "model/event_document.h"
#include "model/limits.h"

namespace eilpost {
namespace {

constexpr std::string_view kPrefix = "custom.";
constexpr std::size_t kCustomNameBytesMax = 64;

bool is_custom_code(std::string_view code) {
  if (!code.starts_with(kPrefix)) return false;
  const std::string_view name = code.substr(kPrefix.size());
  return !name.empty() && name.size() <= kCustomNameBytesMax &&
         std::ranges::all_of(
             name, [](char c) { return is_ascii_lower(c) || is_ascii_digit(c) || c == '_'; });
}

void check_label(std::string_view label, std::string_view language, Problems& problems) {
  const std::string pointer = fmt::format("/label/{}", language);
  if (trim_ascii(label).empty()) {
    problems.error("label_missing", "An event type needs a label in English and in German.",
                   pointer);
  } else if (label.size() > limits::kNameBytesMax) {
    problems.error("label_too_long",
                   fmt::format("A label has at most {} bytes.", limits::kNameBytesMax), pointer);
  } else if (!is_valid_utf8(label)) {
    problems.error("label_not_utf8", "A label is text in UTF-8.", pointer);
  }
}

// A '*' may stand at the end only: the declared type is that of what it stands for.
bool has_inner_wildcard(const PropertyPath& path) {
  return std::find(path.segments.begin(), path.segments.end() - 1, "*") != path.segments.end() - 1;
}

bool is_plain(std::string_view path) {
  return std::ranges::none_of(path, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '\\' || c == '\x7f';
  });
}

// Whether a property that is declared as `type` may also be called `narrower`.
bool includes(PropertyType type, PropertyType narrower) {
  if (type == narrower) return true;
  return type == PropertyType::scalar && narrower != PropertyType::array &&
         narrower != PropertyType::object && narrower != PropertyType::any;
}

void check_against_common(const PropertyDeclaration& property, const std::string& pointer,
                          Problems& problems) {
  const std::string_view path = property.path;
  for (const catalog_data::PropertyRow& row : catalog_data::kCommonProperties) {
    const bool is_pattern = row.path.ends_with('*');
    const std::string_view stem = row.path.substr(0, row.path.size() - (is_pattern ? 1 : 0));
    const bool is_same = is_pattern ? path.starts_with(stem) : path == stem;
    if (is_same && !includes(row.type, property.type)) {
      problems.error("common_property",
                     fmt::format("\"{}\" is a property of every event and has the type {}.",
                                 row.path, to_string(row.type)),
                     pointer);
      return;
    }
    const bool is_around =
        row.path.starts_with(path) && row.path.substr(path.size()).starts_with('.');
    if (is_around && property.type != PropertyType::object) {
      problems.error("common_property",
                     fmt::format("\"{}\" is an object: every event has \"{}\".", path, row.path),
                     pointer);
      return;
    }
  }
}

void check_path(const PropertyDeclaration& property, const std::string& pointer,
                Problems& problems) {
  const Result<PropertyPath> path = PropertyPath::parse(property.path);
  if (!path) {
    problems.error("invalid_path", path.error().detail, pointer);
    return;
  }
  if (!is_plain(property.path) || !is_valid_utf8(property.path)) {
    problems.error(
        "invalid_path",
        "A property's path has no white space, quotes, backslashes or control characters.",
        pointer);
    return;
  }
  if (path->segments.front() == "*" || has_inner_wildcard(*path)) {
    problems.error("invalid_path", "In a declared path '*' may only be the last of its segments.",
                   pointer);
    return;
  }
  const std::string& first = path->segments.front();
  if (first == "event" || first == "created_at") {
    problems.error("reserved_path",
                   fmt::format("\"{}\" is given by the event itself, not by its data.", first),
                   pointer);
    return;
  }
  check_against_common(property, pointer, problems);
}

}  // namespace

void check_custom_type(const EventType& type, Problems& problems) {
  if (!is_custom_code(type.code)) {
    problems.error("invalid_code",
                   "The code of a custom event type is \"custom.\" and 1 to 64 characters of a-z, "
                   "0-9 and _.",
                   "/code");
  }
  check_label(type.label.en, "en", problems);
  check_label(type.label.de, "de", problems);
  if (type.properties.size() > limits::kPropertiesMax) {
    problems.error(
        "too_many_properties",
        fmt::format("An event type declares at most {} properties.", limits::kPropertiesMax),
        "/properties");
    return;
  }
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < type.properties.size(); ++i) {
    const PropertyDeclaration& property = type.properties[i];
    const std::string pointer = fmt::format("/properties/{}/path", i);
    check_path(property, pointer, problems);
    if (!seen.insert(property.path).second) {
      problems.error("duplicate_property",
                     fmt::format("\"{}\" is declared more than once.", property.path), pointer);
    }
  }
}

}  // namespace eilpost
