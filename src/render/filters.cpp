#include "render/filters.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <span>

#include "base/ascii.h"
#include "base/encoding.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "crypto/digest.h"
#include "http/percent.h"
#include "model/limits.h"
#include "render/date_format.h"
#include "render/unicode.h"

namespace eilpost::render {
namespace {

using Filtered = std::expected<Value, std::string>;

struct Description {
  FilterKind kind;
  std::string_view name;
  std::size_t arguments_min;
  std::size_t arguments_max;
  std::string_view usage;
};

constexpr std::array kFilters = std::to_array<Description>({
    {FilterKind::lower, "lower", 0, 0, "lower"},
    {FilterKind::upper, "upper", 0, 0, "upper"},
    {FilterKind::trim, "trim", 0, 0, "trim"},
    {FilterKind::json, "json", 0, 0, "json"},
    {FilterKind::urlencode, "urlencode", 0, 0, "urlencode"},
    {FilterKind::md5, "md5", 0, 0, "md5"},
    {FilterKind::sha256, "sha256", 0, 0, "sha256"},
    {FilterKind::base64, "base64", 0, 0, "base64"},
    {FilterKind::default_, "default", 1, 1, "default('unknown')"},
    {FilterKind::date, "date", 1, 2, "date('%Y-%m-%d', 'Europe/Berlin')"},
    {FilterKind::unix_, "unix", 0, 0, "unix"},
    {FilterKind::unix_ms, "unix_ms", 0, 0, "unix_ms"},
    {FilterKind::unix_us, "unix_us", 0, 0, "unix_us"},
    {FilterKind::round, "round", 0, 1, "round(2)"},
    {FilterKind::truncate, "truncate", 1, 1, "truncate(100)"},
    {FilterKind::slug, "slug", 0, 0, "slug"},
    {FilterKind::replace, "replace", 2, 2, "replace('a', 'b')"},
    {FilterKind::join, "join", 0, 1, "join(', ')"},
    {FilterKind::map, "map", 1, 1, "map('value')"},
    {FilterKind::lookup, "lookup", 1, 1, "lookup({\"9\":\"promoter\"})"},
    {FilterKind::text, "text", 0, 0, "text"},
    {FilterKind::short_id, "short_id", 1, 1, "short_id(36)"},
    {FilterKind::lines, "lines", 0, 1, "lines('- ')"},
    {FilterKind::underscores, "underscores", 0, 0, "underscores"},
    {FilterKind::scalars, "scalars", 0, 1, "scalars(100)"},
    {FilterKind::without, "without", 1, 8, "without('name')"},
});

const Description& description_of(FilterKind kind) {
  return *std::ranges::find(kFilters, kind, &Description::kind);
}

constexpr std::size_t kRoundDigitsMax = 15;

std::unexpected<std::string> bad_arguments(const Description& filter) {
  return std::unexpected(fmt::format("The filter \"{}\" is not written like this; write {}.",
                                     filter.name, filter.usage));
}

bool all_texts(std::span<const Argument> arguments) {
  return std::ranges::all_of(arguments, [](const Argument& argument) {
    return !argument.table && argument.constant.value.is_text();
  });
}

// The whole number from 0 to `most` that an argument is.
std::optional<std::size_t> whole_number(const Argument& argument, std::size_t most) {
  const Value& value = argument.constant.value;
  if (value.kind != Value::Kind::integer || value.integer < 0) return std::nullopt;
  const auto number = static_cast<std::size_t>(value.integer);
  return number <= most ? std::optional(number) : std::nullopt;
}

std::optional<std::string> finish_date(Filter& filter, TimeZones& zones) {
  if (auto problem = find_format_problem(filter.arguments[0].text)) return problem;
  auto zone = zones.find(filter.arguments.size() > 1 ? filter.arguments[1].text : "UTC");
  if (!zone) return zone.error().detail;
  filter.zone = *std::move(zone);
  return std::nullopt;
}

std::unexpected<std::string> cannot(const Filter& filter, std::string_view needs,
                                    const Value& value) {
  return std::unexpected(fmt::format("the filter \"{}\" needs {}, but the value is {}",
                                     to_string(filter.kind), needs, describe(value)));
}

Filtered text_value(std::string_view text, Arena& arena) {
  if (text.size() > limits::kOutboundBodyBytesMax) {
    return std::unexpected(
        fmt::format("the text grows above {} bytes", limits::kOutboundBodyBytesMax));
  }
  return Value::of(arena.copy(text));
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos || result.size() > limits::kOutboundBodyBytesMax) {
      return result;
    }
    result += to;
    at = found + from.size();
  }
}

constexpr std::size_t kShortIdMin = 16;
constexpr std::size_t kShortIdMax = 256;  // a hash has 64 at most

std::string short_id(std::string_view text, std::size_t length_max) {
  const bool is_plain = std::ranges::all_of(
      text, [](char c) { return is_ascii_letter(c) || is_ascii_digit(c) || c == '-'; });
  if (is_plain && text.size() <= length_max) return std::string(text);
  return encode_hex(crypto::sha256(as_bytes(text))).substr(0, length_max);
}

Filtered apply_to_text(const Filter& filter, std::string_view text, Arena& arena) {
  switch (filter.kind) {
    case FilterKind::lower:
      return text_value(to_lower(text), arena);
    case FilterKind::upper:
      return text_value(to_upper(text), arena);
    case FilterKind::trim:
      return text_value(trim(text), arena);
    case FilterKind::urlencode:
      return text_value(http::encode_query_value(text), arena);
    case FilterKind::md5:
      return text_value(encode_hex(crypto::md5(as_bytes(text))), arena);
    case FilterKind::sha256:
      return text_value(encode_hex(crypto::sha256(as_bytes(text))), arena);
    case FilterKind::base64:
      return text_value(encode_base64(as_bytes(text)), arena);
    case FilterKind::truncate:
      return text_value(truncate_to_code_points(text, filter.number), arena);
    case FilterKind::slug:
      return text_value(to_slug(text), arena);
    case FilterKind::text:
      return Value::of(text);
    case FilterKind::short_id:
      return text_value(short_id(text, filter.number), arena);
    default:  // replace
      return text_value(replace_all(text, filter.arguments[0].text, filter.arguments[1].text),
                        arena);
  }
}

std::optional<double> number_of(const Value& value) {
  switch (value.kind) {
    case Value::Kind::integer:
      return static_cast<double>(value.integer);
    case Value::Kind::natural:
      return static_cast<double>(value.natural);
    case Value::Kind::real:
      return value.real;
    case Value::Kind::text:
      return parse_double(value.text);
    default:
      return std::nullopt;
  }
}

std::optional<WallTime> time_of(const Value& value) {
  if (value.is_text()) {
    if (const auto time = parse_date(value.text)) return time;
  }
  const auto number = number_of(value);
  return number ? date_of(*number) : std::nullopt;
}

Filtered apply_to_time(const Filter& filter, const Value& value, Arena& arena) {
  const auto time = time_of(value);
  if (!time) {
    return cannot(filter, "a time (ISO 8601 with an offset, or seconds or milliseconds since 1970)",
                  value);
  }
  const std::chrono::milliseconds since_epoch = time->time_since_epoch();
  switch (filter.kind) {
    case FilterKind::unix_:
      return Value::of(std::int64_t{std::chrono::floor<std::chrono::seconds>(since_epoch).count()});
    case FilterKind::unix_ms:
      return Value::of(std::int64_t{since_epoch.count()});
    case FilterKind::unix_us:
      return Value::of(std::int64_t{std::chrono::microseconds(since_epoch).count()});
    default:  // date
      return text_value(format_date(*time, *filter.zone, filter.arguments[0].text), arena);
  }
}

Filtered round_value(const Filter& filter, const Value& value) {
  if (value.kind == Value::Kind::integer || value.kind == Value::Kind::natural) return value;
  const auto number = number_of(value);
  if (!number) return cannot(filter, "a number", value);
  constexpr double kWholeMax = 9.0e15;  // doubles are whole numbers from about here on
  if (filter.number == 0 && std::abs(*number) < kWholeMax) {
    return Value::of(static_cast<std::int64_t>(std::round(*number)));
  }
  const double scale = std::pow(10.0, static_cast<double>(filter.number));
  const double scaled = *number * scale;
  if (!(std::abs(scaled) < kWholeMax)) return Value::of(*number);
  return Value::of(std::round(scaled) / scale);
}

Filtered join_values(const Filter& filter, const Value& value, Arena& arena) {
  if (value.is_scalar()) return value;
  if (!value.is_array()) return cannot(filter, "a list", value);
  const std::string_view separator = filter.arguments.empty()
                                         ? std::string_view(", ")
                                         : std::string_view(filter.arguments[0].text);
  std::string joined;
  bool is_first = true;
  for (const Value& item : elements_of(value, arena)) {
    if (item.is_missing_or_null()) continue;
    if (!is_first) joined += separator;
    is_first = false;
    append_text(joined, item);
    if (joined.size() > limits::kOutboundBodyBytesMax) break;
  }
  return text_value(joined, arena);
}

Filtered map_values(const Filter& filter, const Value& value, Arena& arena) {
  if (value.kind == Value::Kind::tree && value.is_object()) {
    return find_below(value, filter.arguments[0].text);
  }
  if (!value.is_array()) return cannot(filter, "a list of objects", value);
  std::vector<Value> mapped;
  for (const Value& item : elements_of(value, arena)) {
    const Value found = find_below(item, filter.arguments[0].text);
    if (!found.is_missing_or_null()) mapped.push_back(found);
  }
  return Value::of(arena.copy(mapped));
}

Filtered look_up(const Filter& filter, const Value& value, Arena& arena) {
  if (!value.is_scalar()) return cannot(filter, "a text or a number", value);
  // A key "9" also stands for 9.0.
  constexpr double kExactMax = 9.0e15;
  const bool is_whole = value.kind == Value::Kind::real && std::abs(value.real) < kExactMax &&
                        std::trunc(value.real) == value.real;
  const Value key = is_whole ? Value::of(static_cast<std::int64_t>(value.real)) : value;
  const auto found = filter.table.find(text_of(key, arena));
  return found == filter.table.end() ? Value{} : found->second.get();
}

}  // namespace

std::string_view to_string(FilterKind kind) {
  return description_of(kind).name;
}

std::expected<Filter, std::string> make_filter(std::string_view name,
                                               std::vector<Argument> arguments, TimeZones& zones) {
  const auto* const known = std::ranges::find(kFilters, name, &Description::name);
  if (known == kFilters.end()) {
    std::string names;
    for (const Description& filter : kFilters) {
      names += (names.empty() ? "" : ", ") + std::string(filter.name);
    }
    return std::unexpected(
        fmt::format("There is no filter \"{}\"; there are {}.", name, std::move(names)));
  }
  if (arguments.size() < known->arguments_min || arguments.size() > known->arguments_max) {
    return bad_arguments(*known);
  }
  Filter filter;
  filter.kind = known->kind;
  switch (filter.kind) {
    case FilterKind::date:
    case FilterKind::replace:
    case FilterKind::join:
    case FilterKind::map:
    case FilterKind::lines:
    case FilterKind::without:
      if (!all_texts(arguments)) return bad_arguments(*known);
      break;
    case FilterKind::lookup:
      if (!arguments[0].table) return bad_arguments(*known);
      filter.table = *std::move(arguments[0].table);
      return filter;
    case FilterKind::round:
    case FilterKind::truncate: {
      if (arguments.empty()) break;
      const auto number = whole_number(arguments[0], filter.kind == FilterKind::round
                                                         ? kRoundDigitsMax
                                                         : limits::kOutboundBodyBytesMax);
      if (!number) return bad_arguments(*known);
      filter.number = *number;
      break;
    }
    case FilterKind::short_id:
    case FilterKind::scalars: {
      if (arguments.empty()) break;
      const bool is_id = filter.kind == FilterKind::short_id;
      const auto number =
          whole_number(arguments[0], is_id ? kShortIdMax : limits::kOutboundBodyBytesMax);
      if (!number || *number < (is_id ? kShortIdMin : 1U)) return bad_arguments(*known);
      filter.number = *number;
      break;
    }
    default:
      if (!arguments.empty() && arguments[0].table) return bad_arguments(*known);
  }
  for (Argument& argument : arguments) filter.arguments.push_back(std::move(argument.constant));
  if (filter.kind == FilterKind::date) {
    if (auto problem = finish_date(filter, zones)) return std::unexpected(*std::move(problem));
  }
  if (filter.kind == FilterKind::replace && filter.arguments[0].text.empty()) {
    return bad_arguments(*known);
  }
  return filter;
}

std::expected<Value, std::string> apply(const Filter& filter, const Value& value, Arena& arena,
                                        std::vector<std::string>* notes) {
  if (filter.kind == FilterKind::default_) {
    const bool is_empty = value.is_missing_or_null() || (value.is_text() && value.text.empty());
    return is_empty ? filter.arguments[0].get() : value;
  }
  if (value.is_missing_or_null()) return Value{};
  switch (filter.kind) {
    case FilterKind::default_:
      break;
    case FilterKind::json: {
      std::string json;
      append_json(json, value);
      return text_value(json, arena);
    }
    case FilterKind::date:
    case FilterKind::unix_:
    case FilterKind::unix_ms:
    case FilterKind::unix_us:
      return apply_to_time(filter, value, arena);
    case FilterKind::round:
      return round_value(filter, value);
    case FilterKind::join:
      return join_values(filter, value, arena);
    case FilterKind::map:
      return map_values(filter, value, arena);
    case FilterKind::lookup:
      return look_up(filter, value, arena);
    case FilterKind::lines:
    case FilterKind::underscores:
    case FilterKind::scalars:
    case FilterKind::without:
      if (!value.is_object()) return cannot(filter, "an object, such as properties", value);
      return apply_to_object(filter, value, arena, notes);
    case FilterKind::text:
    case FilterKind::short_id:
    case FilterKind::lower:
    case FilterKind::upper:
    case FilterKind::trim:
    case FilterKind::urlencode:
    case FilterKind::md5:
    case FilterKind::sha256:
    case FilterKind::base64:
    case FilterKind::truncate:
    case FilterKind::slug:
    case FilterKind::replace:
      break;
  }
  if (!value.is_scalar()) {
    return cannot(filter, "a text (for a list, use join(', ') or json first)", value);
  }
  return apply_to_text(filter, text_of(value, arena), arena);
}

}  // namespace eilpost::render
