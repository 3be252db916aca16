#include "match/scalar.h"

#include <cmath>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/hash.h"
#include "base/iso_time.h"
#include "match/case_folding.h"

namespace eilpost::match {
namespace {

using simdjson::dom::element_type;

constexpr std::size_t kDateBytes = 10;  // 2026-11-24

std::optional<Number> numeric_text(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const char first = text.front();
  if (!is_ascii_digit(first) && first != '-' && first != '.') return std::nullopt;
  return Number::parse(text);
}

}  // namespace

std::optional<Scalar> scalar_of(simdjson::dom::element value) {
  Scalar result;
  switch (value.type()) {
    case element_type::STRING:
      result.kind = ScalarKind::text;
      result.text = value.get_string().value_unsafe();
      return result;
    case element_type::INT64:
      result.kind = ScalarKind::number;
      result.number = Number(value.get_int64().value_unsafe());
      return result;
    case element_type::UINT64:
      result.kind = ScalarKind::number;
      result.number = Number(value.get_uint64().value_unsafe());
      return result;
    case element_type::DOUBLE:
      result.kind = ScalarKind::number;
      result.number = Number(value.get_double().value_unsafe());
      return result;
    case element_type::BOOL:
      result.boolean = value.get_bool().value_unsafe();
      return result;
    case element_type::ARRAY:
    case element_type::OBJECT:
    case element_type::NULL_VALUE:
      return std::nullopt;
  }
  assert_failed("unknown element_type");
}

std::optional<WallTime> parse_instant(std::string_view text) {
  if (text.size() < kDateBytes || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (text.size() > kDateBytes) return parse_iso_time(text);
  return parse_iso_time(std::string(text) + "T00:00:00Z");
}

std::optional<Operand> operand_of(const Json& value, bool ignore_case) {
  Operand result;
  switch (value.type()) {
    case Json::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      result.kind = ScalarKind::text;
      result.text = ignore_case ? fold_case(text) : text;
      result.number = numeric_text(text);
      result.instant = parse_instant(text);
      return result;
    }
    case Json::value_t::number_integer:
      result.kind = ScalarKind::number;
      result.number = Number(value.get<std::int64_t>());
      return result;
    case Json::value_t::number_unsigned:
      result.kind = ScalarKind::number;
      result.number = Number(value.get<std::uint64_t>());
      return result;
    case Json::value_t::number_float:
      if (!std::isfinite(value.get<double>())) return std::nullopt;
      result.kind = ScalarKind::number;
      result.number = Number(value.get<double>());
      return result;
    case Json::value_t::boolean:
      result.boolean = value.get<bool>();
      return result;
    case Json::value_t::null:
    case Json::value_t::object:
    case Json::value_t::array:
    case Json::value_t::binary:
    case Json::value_t::discarded:
      return std::nullopt;
  }
  assert_failed("unknown value_t");
}

bool equals(const Scalar& value, const Operand& operand, bool ignore_case, std::string& buffer) {
  switch (value.kind) {
    case ScalarKind::boolean:
      return operand.kind == ScalarKind::boolean && operand.boolean == value.boolean;
    case ScalarKind::number:
      return operand.number && *operand.number == value.number;
    case ScalarKind::text:
      break;
  }
  switch (operand.kind) {
    case ScalarKind::boolean:
      return false;
    case ScalarKind::number:
      return numeric_text(value.text) == operand.number;
    case ScalarKind::text:
      break;
  }
  std::string_view text = value.text;
  if (ignore_case) {
    fold_case(text, buffer);
    text = buffer;
  }
  return text == operand.text || (operand.instant && parse_instant(value.text) == operand.instant);
}

std::optional<std::strong_ordering> compare(const Scalar& value, const Operand& operand) {
  if (value.kind == ScalarKind::boolean) return std::nullopt;
  if (operand.number) {
    if (value.kind == ScalarKind::number) return value.number <=> *operand.number;
    const auto number = numeric_text(value.text);
    if (!number) return std::nullopt;
    return *number <=> *operand.number;
  }
  EILPOST_ASSERT(operand.instant.has_value());
  if (value.kind == ScalarKind::number) return std::nullopt;
  const auto instant = parse_instant(value.text);
  if (!instant) return std::nullopt;
  return *instant <=> *operand.instant;
}

void Keys::add(std::uint64_t kind, std::uint64_t hash) {
  keys_[count_++] = combine_hashes(kind, hash);
}

void Keys::add_text(std::string_view folded, const std::optional<Number>& number,
                    const std::optional<WallTime>& instant) {
  add(0, hash64(folded));
  if (number) add(1, number->hash());
  if (instant) add(2, hash64(static_cast<std::uint64_t>(instant->time_since_epoch().count())));
}

Keys Keys::of(const Scalar& value, std::string& buffer) {
  Keys keys;
  switch (value.kind) {
    case ScalarKind::text:
      fold_case(value.text, buffer);
      keys.add_text(buffer, numeric_text(value.text), parse_instant(value.text));
      break;
    case ScalarKind::number:
      keys.add(1, value.number.hash());
      break;
    case ScalarKind::boolean:
      keys.add(3, value.boolean ? 1 : 0);
      break;
  }
  return keys;
}

Keys Keys::of(const Operand& operand) {
  Keys keys;
  switch (operand.kind) {
    case ScalarKind::text:
      keys.add_text(fold_case(operand.text), operand.number, operand.instant);
      break;
    case ScalarKind::number:
      keys.add(1, operand.number->hash());
      break;
    case ScalarKind::boolean:
      keys.add(3, operand.boolean ? 1 : 0);
      break;
  }
  return keys;
}

}  // namespace eilpost::match
