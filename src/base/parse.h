#pragma once
// Strict numbers from text: the whole text or nothing.

#include <charconv>
#include <cmath>
#include <concepts>
#include <optional>
#include <string_view>

namespace eilpost {

// Decimal digits, and for signed types perhaps a `-` before them. No blanks, no `+`; nothing if
// the number does not fit into `T`.
template <std::integral T>
[[nodiscard]] constexpr std::optional<T> parse_integer(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

// A finite decimal number such as -1.5e3. No blanks, no `+`, no "inf" or "nan", no hexadecimal.
[[nodiscard]] inline std::optional<double> parse_double(std::string_view text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace eilpost
