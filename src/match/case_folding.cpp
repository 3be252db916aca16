#include "match/case_folding.h"

#include <algorithm>

#include "base/ascii.h"

namespace eilpost::match {
namespace {

constexpr char32_t kNotACharacter = 0xFFFFFFFF;

struct Decoded {
  char32_t character = kNotACharacter;
  std::size_t bytes_count = 1;
};

bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

// REQUIRES: `text` is not empty. Overlong forms need no refusal: text comes from JSON parsers.
Decoded decode_first(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  std::size_t bytes_count = 1;
  char32_t character = lead;
  if (lead >= 0xF0 && lead < 0xF8) {
    bytes_count = 4;
    character = lead & 0x07U;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    bytes_count = 3;
    character = lead & 0x0FU;
  } else if (lead >= 0xC0 && lead < 0xE0) {
    bytes_count = 2;
    character = lead & 0x1FU;
  } else if (lead >= 0x80) {
    return {};
  }
  if (bytes_count > text.size()) return {};
  for (const char byte : text.substr(1, bytes_count - 1)) {
    if (!is_continuation(byte)) return {};
    character = character << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
  }
  return {.character = character, .bytes_count = bytes_count};
}

void append_utf8(std::string& text, char32_t character) {
  const auto tail = [character](unsigned shift) {
    return static_cast<char>(0x80U | ((character >> shift) & 0x3FU));
  };
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += static_cast<char>(0xC0U | character >> 6U);
    text += tail(0);
  } else if (character < 0x10000) {
    text += static_cast<char>(0xE0U | character >> 12U);
    text += tail(6);
    text += tail(0);
  } else {
    text += static_cast<char>(0xF0U | character >> 18U);
    text += tail(12);
    text += tail(6);
    text += tail(0);
  }
}

}  // namespace

char32_t fold_case(char32_t character) {
  if (character < 0x80) {
    return static_cast<char32_t>(to_ascii_lower(static_cast<char>(character)));
  }
  const auto ranges = fold_ranges();
  const auto range = std::ranges::lower_bound(ranges, character, {}, &FoldRange::last);
  if (range == ranges.end() || character < range->first) return character;
  if ((character - range->first) % static_cast<char32_t>(range->step) != 0) return character;
  return static_cast<char32_t>(static_cast<std::int64_t>(character) + range->delta);
}

void fold_case(std::string_view text, std::string& folded) {
  folded.clear();
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      folded += to_ascii_lower(text.front());
      text.remove_prefix(1);
      continue;
    }
    const Decoded decoded = decode_first(text);
    const char32_t character =
        decoded.character == kNotACharacter ? kNotACharacter : fold_case(decoded.character);
    if (character == decoded.character) {
      folded += text.substr(0, decoded.bytes_count);
    } else {
      append_utf8(folded, character);
    }
    text.remove_prefix(decoded.bytes_count);
  }
}

std::string fold_case(std::string_view text) {
  std::string folded;
  fold_case(text, folded);
  return folded;
}

}  // namespace eilpost::match
