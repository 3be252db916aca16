#include "settings/object_reader.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "model/limits.h"

namespace eilpost::settings {
namespace {

constexpr std::size_t kShownBytesMax = 60;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::int64_t> integer_in(const Json& json, IntegerRange range) {
  if (!json.is_number_integer()) return std::nullopt;
  const bool is_huge = json.is_number_unsigned() &&
                       json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  if (is_huge) return std::nullopt;
  const auto value = json.get<std::int64_t>();
  if (value < range.min || value > range.max) return std::nullopt;
  return value;
}

std::string escape_pointer(std::string_view key) {
  std::string escaped;
  for (const char c : key) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string_view closest_word(std::string_view word, const std::vector<std::string>& words) {
  std::string_view best;
  if (word.size() > kShownBytesMax) return best;
  const std::string wanted = to_ascii_lower(word);
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : words) {
    const std::size_t distance = edit_distance(wanted, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string_view describe_type(const Json& json) {
  if (json.is_null()) return "null";
  if (json.is_string()) return "a text";
  if (json.is_boolean()) return "a boolean";
  if (json.is_number()) return "a number";
  if (json.is_array()) return "an array";
  return "an object";
}

bool is_related(std::string_view pointer, std::string_view other) {
  if (pointer.size() > other.size()) std::swap(pointer, other);
  if (pointer.empty()) return other.empty();
  return other.starts_with(pointer) &&
         (other.size() == pointer.size() || other[pointer.size()] == '/');
}

void add_independent(Problems found, Problems& problems) {
  const std::size_t errors_before = problems.errors.size();
  for (Problem& problem : found.errors) {
    bool is_new = true;
    for (std::size_t i = 0; i < errors_before && is_new; ++i) {
      is_new = !is_related(problem.pointer, problems.errors[i].pointer);
    }
    if (is_new) problems.errors.push_back(std::move(problem));
  }
  for (Problem& warning : found.warnings) problems.warnings.push_back(std::move(warning));
}

ObjectReader::ObjectReader(const Json& json, std::string pointer, Problems& problems)
    : json_(json), pointer_(std::move(pointer)), problems_(problems), is_object_(json.is_object()) {
  if (is_object_) return;
  problems_.error("wrong_type",
                  fmt::format("An object is wanted here, not {}.", describe_type(json)), pointer_);
}

const Json* ObjectReader::find(std::string_view key) {
  known_.emplace_back(key);
  if (!is_object_) return nullptr;
  const auto found = json_.find(known_.back());
  return found == json_.end() ? nullptr : &*found;
}

const Json* ObjectReader::given(std::string_view key) {
  const Json* field = find(key);
  return field == nullptr || field->is_null() ? nullptr : field;
}

std::optional<std::string> ObjectReader::text(std::string_view key) {
  const Json* field = given(key);
  if (field == nullptr) return std::nullopt;
  if (field->is_string()) return field->get<std::string>();
  wrong_type(key, "a text");
  return std::nullopt;
}

std::optional<bool> ObjectReader::boolean(std::string_view key) {
  const Json* field = given(key);
  if (field == nullptr) return std::nullopt;
  if (field->is_boolean()) return field->get<bool>();
  wrong_type(key, "true or false");
  return std::nullopt;
}

std::optional<std::int64_t> ObjectReader::integer(std::string_view key, IntegerRange range) {
  const Json* field = given(key);
  if (field == nullptr) return std::nullopt;
  if (!field->is_number_integer()) {
    wrong_type(key, "an integer");
    return std::nullopt;
  }
  const auto value = integer_in(*field, range);
  if (value) return value;
  error("out_of_range", fmt::format("\"{}\" must be between {} and {}.", key, range.min, range.max),
        key);
  return std::nullopt;
}

const Json* ObjectReader::array(std::string_view key) {
  const Json* field = given(key);
  if (field == nullptr || field->is_array()) return field;
  wrong_type(key, "an array");
  return nullptr;
}

const Json* ObjectReader::object(std::string_view key) {
  const Json* field = given(key);
  if (field == nullptr || field->is_object()) return field;
  wrong_type(key, "an object");
  return nullptr;
}

std::string ObjectReader::name(std::string_view key) {
  const Json* field = given(key);
  if (field != nullptr && !field->is_string()) {
    wrong_type(key, "a text");
    return {};
  }
  std::string name = field == nullptr ? std::string() : field->get<std::string>();
  if (trim_ascii(name).empty()) {
    if (is_object_) error("name_missing", "Give it a name that people will know it by.", key);
  } else if (name.size() > limits::kNameBytesMax) {
    error("name_too_long", fmt::format("A name has at most {} bytes.", limits::kNameBytesMax), key);
  }
  return name;
}

void ObjectReader::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) known_.emplace_back(key);
}

void ObjectReader::finish() {
  if (!is_object_) return;
  for (const auto& [key, value] : json_.items()) {
    if (std::ranges::find(known_, key) != known_.end()) continue;
    const std::string_view close = closest_word(key, known_);
    const std::string shown = key.substr(0, kShownBytesMax);
    error("unknown_field",
          close.empty()
              ? fmt::format("There is no field \"{}\" here. There are {}.", shown,
                            fmt::join(known_, ", "))
              : fmt::format("There is no field \"{}\" here. Did you mean \"{}\"?", shown, close),
          key);
  }
}

std::string ObjectReader::pointer(std::string_view key) const {
  return fmt::format("{}/{}", pointer_, escape_pointer(key));
}

void ObjectReader::error(std::string code, std::string detail, std::string_view key) {
  problems_.error(std::move(code), std::move(detail), pointer(key));
}

void ObjectReader::wrong_type(std::string_view key, std::string_view wanted) {
  const auto found = is_object_ ? json_.find(std::string(key)) : json_.end();
  const std::string_view is = found == json_.end() ? "absent" : describe_type(*found);
  error("wrong_type", fmt::format("\"{}\" must be {}, not {}.", key, wanted, is), key);
}

}  // namespace eilpost::settings
