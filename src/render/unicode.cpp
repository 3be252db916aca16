#include "render/unicode.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/ascii.h"

namespace eilpost::render {
namespace {

// Takes the first code point off `text`. REQUIRES: valid UTF-8, not empty.
char32_t take(std::string_view& text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  char32_t code = size == 1 ? lead : lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size && i < text.size(); ++i) {
    code = code << 6U | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  text.remove_prefix(std::min(size, text.size()));
  return code;
}

void append(std::string& out, char32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const std::size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::array<unsigned, 4> kLeads = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(kLeads[more] | (code >> (6 * more)));
  for (std::size_t i = more; i-- > 0;) {
    out += static_cast<char>(0x80U | ((code >> (6 * i)) & 0x3FU));
  }
}

// Upper-case letters from `first` to `last` in steps, each with its lower case `distance` above.
struct CaseRange {
  char32_t first;
  char32_t last;
  char32_t step;
  char32_t distance;
};

constexpr std::array kCases = std::to_array<CaseRange>({
    {0x0041, 0x005A, 1, 32}, {0x00C0, 0x00D6, 1, 32}, {0x00D8, 0x00DE, 1, 32},
    {0x0100, 0x012E, 2, 1},  {0x0132, 0x0136, 2, 1},  {0x0139, 0x0147, 2, 1},
    {0x014A, 0x0176, 2, 1},  {0x0179, 0x017D, 2, 1},  {0x01CD, 0x01DB, 2, 1},
    {0x01DE, 0x01EE, 2, 1},  {0x01F4, 0x01F4, 2, 1},  {0x01F8, 0x021E, 2, 1},
    {0x0222, 0x0232, 2, 1},  {0x0370, 0x0372, 2, 1},  {0x0376, 0x0376, 2, 1},
    {0x0386, 0x0386, 1, 38}, {0x0388, 0x038A, 1, 37}, {0x038C, 0x038C, 1, 64},
    {0x038E, 0x038F, 1, 63}, {0x0391, 0x03A1, 1, 32}, {0x03A3, 0x03AB, 1, 32},
    {0x03D8, 0x03EE, 2, 1},  {0x0400, 0x040F, 1, 80}, {0x0410, 0x042F, 1, 32},
    {0x0460, 0x0480, 2, 1},  {0x048A, 0x04BE, 2, 1},  {0x04C0, 0x04C0, 1, 15},
    {0x04C1, 0x04CD, 2, 1},  {0x04D0, 0x052E, 2, 1},  {0x0531, 0x0556, 1, 48},
    {0x1E00, 0x1E94, 2, 1},  {0x1EA0, 0x1EFE, 2, 1},  {0xFF21, 0xFF3A, 1, 32},
});

bool contains(const CaseRange& range, char32_t code, char32_t shift) {
  return code >= range.first + shift && code <= range.last + shift &&
         (code - shift - range.first) % range.step == 0;
}

char32_t lower_of(char32_t code) {
  if (code == 0x0178) return 0x00FF;  // Ÿ
  if (code == 0x1E9E) return 0x00DF;  // capital sharp s
  for (const CaseRange& range : kCases) {
    if (contains(range, code, 0)) return code + range.distance;
  }
  return code;
}

char32_t upper_of(char32_t code) {
  if (code == 0x00FF) return 0x0178;
  if (code == 0x03C2) return 0x03A3;  // final sigma
  if (code == 0x0131) return 0x0049;  // dotless i
  for (const CaseRange& range : kCases) {
    if (contains(range, code, range.distance)) return code - range.distance;
  }
  return code;
}

bool is_space(char32_t code) {
  return (code < 0x80 && is_ascii_space(static_cast<char>(code))) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200B) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000 || code == 0xFEFF;
}

// Lower-case letters from U+00DF to U+00FF in ASCII; '/' where none is.
constexpr std::array<std::string_view, 33> kLatin1 = {
    "ss", "a", "a", "a", "a", "ae", "a",  "ae", "c", "e", "e", "e", "e",  "i", "i",  "i", "i",
    "d",  "n", "o", "o", "o", "o",  "oe", "/",  "o", "u", "u", "u", "ue", "y", "th", "y"};

struct LatinRange {
  char32_t last;
  std::string_view ascii;
};

// From U+0100 on, each up to `last`.
constexpr std::array kLatinExtended = std::to_array<LatinRange>({
    {0x105, "a"}, {0x10D, "c"},  {0x111, "d"}, {0x11B, "e"}, {0x123, "g"}, {0x127, "h"},
    {0x131, "i"}, {0x133, "ij"}, {0x135, "j"}, {0x138, "k"}, {0x142, "l"}, {0x14B, "n"},
    {0x151, "o"}, {0x153, "oe"}, {0x159, "r"}, {0x161, "s"}, {0x167, "t"}, {0x173, "u"},
    {0x175, "w"}, {0x178, "y"},  {0x17E, "z"}, {0x17F, "s"},
});

bool is_foreign_letter(char32_t code) {
  const bool is_symbol = code < 0x180 || (code >= 0x2000 && code <= 0x2BFF) ||
                         (code >= 0x3000 && code <= 0x303F) || (code >= 0xE000 && code <= 0xF8FF) ||
                         (code >= 0xFE00 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF0F) ||
                         (code >= 0xFFE0 && code <= 0xFFFF) || code >= 0x1F000;
  return !is_symbol && !is_space(code);
}

// What a lower-case code point becomes in a slug; empty: a separator.
std::string slug_part(char32_t code) {
  if (code < 0x80) {
    const char c = static_cast<char>(code);
    return is_ascii_letter(c) || is_ascii_digit(c) ? std::string(1, c) : "";
  }
  if (code >= 0xDF && code <= 0xFF) {
    const std::string_view ascii = kLatin1[code - 0xDF];
    return ascii == "/" ? "" : std::string(ascii);
  }
  if (code >= 0x100 && code <= 0x17F) {
    return std::string(std::ranges::find_if(kLatinExtended, [&](const LatinRange& range) {
                         return code <= range.last;
                       })->ascii);
  }
  std::string part;
  if (is_foreign_letter(code)) append(part, code);
  return part;
}

bool is_combining_mark(char32_t code) {
  return code >= 0x300 && code <= 0x36F;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string lower;
  lower.reserve(text.size());
  while (!text.empty()) append(lower, lower_of(take(text)));
  return lower;
}

std::string to_upper(std::string_view text) {
  std::string upper;
  upper.reserve(text.size());
  while (!text.empty()) {
    const char32_t code = take(text);
    if (code == 0xDF) {
      upper += "SS";
    } else {
      append(upper, upper_of(code));
    }
  }
  return upper;
}

std::string_view trim(std::string_view text) {
  std::string_view rest = text;
  while (!rest.empty() && is_space(take(rest))) text = rest;
  std::size_t end = 0;
  rest = text;
  while (!rest.empty()) {
    if (!is_space(take(rest))) end = text.size() - rest.size();
  }
  return text.substr(0, end);
}

bool has_white_space(std::string_view text) {
  while (!text.empty()) {
    if (is_space(take(text))) return true;
  }
  return false;
}

std::string to_slug(std::string_view text) {
  std::string slug;
  bool separated = false;
  while (!text.empty()) {
    const char32_t code = lower_of(take(text));
    if (is_combining_mark(code)) continue;
    const std::string part = slug_part(code);
    if (part.empty()) {
      separated = true;
      continue;
    }
    if (separated && !slug.empty()) slug += '-';
    separated = false;
    slug += part;
  }
  return slug;
}

}  // namespace eilpost::render
