#include "render/json_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/assert.h"

namespace eilpost::render {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::string_view kHexDigits = "0123456789abcdef";

// Bytes that cannot stand in a JSON string as they are, and 0xE2, with which U+2028 begins.
constexpr std::array<bool, 256> make_suspects() {
  std::array<bool, 256> suspects{};
  for (std::size_t i = 0; i < 0x20; ++i) suspects[i] = true;
  suspects['"'] = suspects['\\'] = suspects[0x7F] = suspects[0xE2] = true;
  return suspects;
}
constexpr std::array<bool, 256> kSuspects = make_suspects();

bool is_suspect(char c) {
  return kSuspects[static_cast<unsigned char>(c)];
}

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHexDigits[byte >> 4U];
  out += kHexDigits[byte & 0xFU];
}

template <class Number>
void append_with_to_chars(std::string& out, Number number) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  EILPOST_ASSERT(result.ec == std::errc());
  out.append(text.data(), result.ptr);
}

}  // namespace

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_suspect(text[i])) continue;
    const std::string_view rest = text.substr(i);
    if (static_cast<unsigned char>(text[i]) == 0xE2) {
      const bool is_line_separator = rest.starts_with("\u2028");
      if (!is_line_separator && !rest.starts_with("\u2029")) continue;
      out.append(text.substr(done, i - done));
      out += is_line_separator ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out.append(text.substr(done, i - done));
      append_escape(out, text[i]);
    }
    done = i + 1;
  }
  out.append(text.substr(done));
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

void append_number(std::string& out, std::int64_t number) {
  append_with_to_chars(out, number);
}

void append_number(std::string& out, std::uint64_t number) {
  append_with_to_chars(out, number);
}

void append_number(std::string& out, double number) {
  EILPOST_ASSERT(std::isfinite(number));
  const double size = std::abs(number);
  const bool plain = size == 0 || (size >= 1e-5 && size < 1e16);
  std::array<char, 64> text{};
  const auto result =
      std::to_chars(text.data(), text.data() + text.size(), number,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  EILPOST_ASSERT(result.ec == std::errc());
  const std::string_view written(text.data(), result.ptr);
  out += written;
  if (plain && written.find('.') == std::string_view::npos) out += ".0";
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth that the parser of `element` allows.
void append_json(std::string& out, element element) {
  switch (element.type()) {
    case element_type::ARRAY: {
      char separator = '[';
      for (const auto child : simdjson::dom::array(element)) {
        out += separator;
        append_json(out, child);
        separator = ',';
      }
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case element_type::OBJECT: {
      char separator = '{';
      for (const auto field : simdjson::dom::object(element)) {
        out += separator;
        append_json_string(out, field.key);
        out += ':';
        append_json(out, field.value);
        separator = ',';
      }
      out += separator == '{' ? "{}" : "}";
      return;
    }
    case element_type::STRING:
      return append_json_string(out, std::string_view(element));
    case element_type::INT64:
      return append_number(out, std::int64_t(element));
    case element_type::UINT64:
      return append_number(out, std::uint64_t(element));
    case element_type::DOUBLE:
      return append_number(out, double(element));
    case element_type::BOOL:
      out += bool(element) ? "true" : "false";
      return;
    case element_type::NULL_VALUE:
      out += "null";
      return;
  }
}

}  // namespace eilpost::render
