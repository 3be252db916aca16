#pragma once
// Letters and blanks of ASCII, without a locale. Bytes above 127 are left alone.

#include <algorithm>
#include <string>
#include <string_view>

namespace eilpost {

constexpr bool is_ascii_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_ascii_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_ascii_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_ascii_letter(char c) {
  return is_ascii_upper(c) || is_ascii_lower(c);
}
// Space, tab, line feed, vertical tab, form feed, carriage return.
constexpr bool is_ascii_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

constexpr char to_ascii_lower(char c) {
  return is_ascii_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr char to_ascii_upper(char c) {
  return is_ascii_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c;
}

[[nodiscard]] inline std::string to_ascii_lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = to_ascii_lower(c);
  return result;
}

[[nodiscard]] inline std::string to_ascii_upper(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = to_ascii_upper(c);
  return result;
}

// `text` without the blanks at both ends.
[[nodiscard]] constexpr std::string_view trim_ascii(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

// Whether both are the same but for the case of ASCII letters.
[[nodiscard]] constexpr bool iequals(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](char c) { return to_ascii_lower(c); }, [](char c) { return to_ascii_lower(c); });
}

}  // namespace eilpost
