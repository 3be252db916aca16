#include "match/number.h"

#include <bit>
#include <cmath>

#include "base/assert.h"
#include "base/hash.h"
#include "base/parse.h"

namespace eilpost::match {
namespace {

constexpr double kIntegersBegin = -9223372036854775808.0;  // -2^63
constexpr double kIntegersEnd = 18446744073709551616.0;    // 2^64

std::strong_ordering compare_reals(double a, double b) {
  if (a < b) return std::strong_ordering::less;
  return a > b ? std::strong_ordering::greater : std::strong_ordering::equal;
}

}  // namespace

Number::Number(double value) {
  EILPOST_ASSERT(std::isfinite(value));
  if (value != std::trunc(value) || value < kIntegersBegin || value >= kIntegersEnd) {
    is_real_ = true;
    real_ = value;
    return;
  }
  is_negative_ = value < 0;
  magnitude_ = static_cast<std::uint64_t>(std::abs(value));
}

std::optional<Number> Number::parse(std::string_view text) {
  if (const auto value = parse_integer<std::int64_t>(text)) return Number(*value);
  if (const auto value = parse_integer<std::uint64_t>(text)) return Number(*value);
  if (const auto value = parse_double(text)) return Number(*value);
  return std::nullopt;
}

std::strong_ordering Number::compare_integers(const Number& a, const Number& b) {
  if (a.is_negative_ != b.is_negative_) {
    return a.is_negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  return a.is_negative_ ? b.magnitude_ <=> a.magnitude_ : a.magnitude_ <=> b.magnitude_;
}

std::strong_ordering Number::compare_with_real(const Number& integer, double real) {
  if (real >= kIntegersEnd) return std::strong_ordering::less;
  if (real < kIntegersBegin) return std::strong_ordering::greater;
  // It is between its floor, an integer, and the next one.
  const bool is_less = compare_integers(integer, Number(std::floor(real))) <= 0;
  return is_less ? std::strong_ordering::less : std::strong_ordering::greater;
}

std::strong_ordering operator<=>(const Number& a, const Number& b) {
  if (a.is_real_ && b.is_real_) return compare_reals(a.real_, b.real_);
  if (b.is_real_) return Number::compare_with_real(a, b.real_);
  if (a.is_real_) return 0 <=> Number::compare_with_real(b, a.real_);
  return Number::compare_integers(a, b);
}

std::uint64_t Number::hash() const {
  if (is_real_) return combine_hashes(2, std::bit_cast<std::uint64_t>(real_));
  return combine_hashes(is_negative_ ? 1 : 0, magnitude_);
}

}  // namespace eilpost::match
