#include "model/json_text.h"

#include <array>
#include <cmath>
#include <cstring>

#include "base/assert.h"

namespace eilpost {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
// The largest whole numbers that a double tells apart.
constexpr double kWholeMax = 9007199254740992.0;

constexpr std::uint64_t has_zero_byte(std::uint64_t word) {
  return (word - kOnes) & ~word & kHighBits;
}

// Nonzero if one of eight bytes is a quote, a backslash or below the space.
std::uint64_t needs_escape_in_word(std::uint64_t word) {
  const std::uint64_t quotes = has_zero_byte(word ^ (kOnes * '"'));
  const std::uint64_t backslashes = has_zero_byte(word ^ (kOnes * '\\'));
  const std::uint64_t controls = (word - kOnes * ' ') & ~word & kHighBits;
  return quotes | backslashes | controls;
}

// The same for scripts: also 0x7F and 0xE2, with which U+2028 begins.
std::uint64_t script_suspects_in_word(std::uint64_t word) {
  return needs_escape_in_word(word) | has_zero_byte(word ^ (kOnes * 0x7F)) |
         has_zero_byte(word ^ (kOnes * 0xE2));
}

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < ' ' || c == '"' || c == '\\';
}

template <class Word = std::uint64_t>
Word load(const char* bytes) {
  Word word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Every byte of a text of 1 to 7 bytes, some of them more than once. (A copy of variable length
// into a word, read back at once, costs more than everything else here.)
std::uint64_t load_short(std::string_view text) {
  const char* const bytes = text.data();
  const std::size_t size = text.size();
  if (size >= 4) {
    return load<std::uint32_t>(bytes) |
           (std::uint64_t{load<std::uint32_t>(bytes + size - 4)} << 32U);
  }
  const auto byte = [&](std::size_t i) {
    return std::uint64_t{static_cast<unsigned char>(bytes[i])};
  };
  return (kOnes * ' ' & ~0xFFFFFFULL) | byte(0) | (byte(size / 2) << 8U) | (byte(size - 1) << 16U);
}

constexpr std::size_t kWordBytes = sizeof(std::uint64_t);

// Whether nothing has to be escaped: `suspects` of eight bytes is 0 if all can stand as they are.
template <class Suspects>
bool is_plain(std::string_view text, Suspects suspects) {
  if (text.empty()) return true;
  if (text.size() < kWordBytes) return suspects(load_short(text)) == 0;
  std::uint64_t found = 0;
  for (std::size_t i = 0; i + kWordBytes <= text.size(); i += kWordBytes) {
    found |= suspects(load(text.data() + i));
  }
  // The last word may overlap the one before.
  return (found | suspects(load(text.data() + text.size() - kWordBytes))) == 0;
}

// In quotes, as it is.
void append_quoted(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  const std::size_t size = begin + text.size() + 2;
  out.resize_and_overwrite(size, [&](char* bytes, std::size_t) {
    bytes[begin] = '"';
    text.copy(bytes + begin + 1, text.size());
    bytes[size - 1] = '"';
    return size;
  });
}

// How many bytes from the beginning can stand as they are.
std::size_t plain_prefix(std::string_view text) {
  std::size_t i = 0;
  while (i + kWordBytes <= text.size() && needs_escape_in_word(load(text.data() + i)) == 0)
    i += kWordBytes;
  while (i < text.size() && !needs_escape(text[i])) ++i;
  return i;
}

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

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (is_plain(text, needs_escape_in_word)) return append_quoted(out, text);
  out += '"';
  while (true) {
    const std::size_t plain = plain_prefix(text);
    out.append(text, 0, plain);
    if (plain == text.size()) break;
    append_escape(out, text[plain]);
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_json_double(std::string& out, double value) {
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof text, value).ptr;
  const std::string_view written(text, static_cast<std::size_t>(end - text));
  out += written;
  const bool looks_whole = written.find_first_of(".e") == std::string_view::npos;
  if (looks_whole && std::abs(value) > kWholeMax) out += ".0";
}

void append_pointer_token(std::string& out, std::string_view token) {
  out += '/';
  for (const char c : token) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

// ---- for scripts

void append_script_escaped(std::string& out, std::string_view text) {
  if (is_plain(text, script_suspects_in_word)) {
    out += text;
    return;
  }
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

void append_script_string(std::string& out, std::string_view text) {
  if (is_plain(text, script_suspects_in_word)) return append_quoted(out, text);
  out += '"';
  append_script_escaped(out, text);
  out += '"';
}

void append_json_real(std::string& out, double number) {
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
void append_script_json(std::string& out, element element) {
  switch (element.type()) {
    case element_type::ARRAY: {
      char separator = '[';
      for (const auto child : simdjson::dom::array(element)) {
        out += separator;
        append_script_json(out, child);
        separator = ',';
      }
      out += separator == '[' ? "[]" : "]";
      return;
    }
    case element_type::OBJECT: {
      char separator = '{';
      for (const auto field : simdjson::dom::object(element)) {
        out += separator;
        append_script_string(out, field.key);
        out += ':';
        append_script_json(out, field.value);
        separator = ',';
      }
      out += separator == '{' ? "{}" : "}";
      return;
    }
    case element_type::STRING:
      return append_script_string(out, std::string_view(element));
    case element_type::INT64:
      return append_json_integer(out, std::int64_t(element));
    case element_type::UINT64:
      return append_json_integer(out, std::uint64_t(element));
    case element_type::DOUBLE:
      return append_json_real(out, double(element));
    case element_type::BOOL:
      out += bool(element) ? "true" : "false";
      return;
    case element_type::NULL_VALUE:
      out += "null";
      return;
  }
}

}  // namespace eilpost
