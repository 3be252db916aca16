#pragma once
// The filters of placeholders: {{ value | filter('argument') }}. Each takes a value and gives one.
//
// A missing value stays missing through every filter but default(). Filters of text take numbers
// and booleans too, as text; lists need join() first.
// Limits: a result is at most limits::kOutboundBodyBytesMax.

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "render/arena.h"
#include "render/time_zone.h"
#include "render/value.h"

namespace eilpost::render {

// A value that is written in a template. Owns its text.
struct Constant {
  Value value;
  std::string text;

  [[nodiscard]] Value get() const {
    return value.kind == Value::Kind::text ? Value::of(std::string_view(text)) : value;
  }
};

enum class FilterKind : std::uint8_t {
  lower,
  upper,
  trim,
  json,
  urlencode,
  md5,
  sha256,
  base64,
  default_,
  date,
  unix_,
  unix_ms,
  unix_us,
  round,
  truncate,
  slug,
  replace,
  join,
  map,
  lookup,
  text,         // a scalar as text
  short_id,     // itself if it is short and plain, else the beginning of its hash
  lines,        // an object as a line a member
  underscores,  // an object with underscores for the dots in its names
  scalars,      // an object with text and numbers only
  without,      // an object without some members
};

[[nodiscard]] std::string_view to_string(FilterKind kind);

// A filter with its arguments, checked.
struct Filter {
  using Table = std::map<std::string, Constant, std::less<>>;

  FilterKind kind = FilterKind::lower;
  std::vector<Constant> arguments;
  Table table;                           // of lookup
  std::shared_ptr<const TimeZone> zone;  // of date
  std::size_t number = 0;                // of round, truncate, short_id, scalars
};

// An argument as it was written: a value, or for lookup a table.
struct Argument {
  Constant constant;
  std::optional<Filter::Table> table;
};

// Checks name and arguments. The error is a sentence.
[[nodiscard]] std::expected<Filter, std::string> make_filter(std::string_view name,
                                                             std::vector<Argument> arguments,
                                                             TimeZones& zones);

// The error is a sentence that says what the filter needs and what it met. What had to be cut is
// added to `notes`, if there are some.
[[nodiscard]] std::expected<Value, std::string> apply(const Filter& filter, const Value& value,
                                                      Arena& arena,
                                                      std::vector<std::string>* notes = nullptr);

// Those about objects, in object_filters.cpp.
[[nodiscard]] std::expected<Value, std::string> apply_to_object(const Filter& filter,
                                                                const Value& value, Arena& arena,
                                                                std::vector<std::string>* notes);

}  // namespace eilpost::render
