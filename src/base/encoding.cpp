#include "base/encoding.h"

#include <algorithm>
#include <array>

namespace eilpost {
namespace {

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kHexUpper = "0123456789ABCDEF";
constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";

constexpr std::uint8_t kNoDigit = 0xFF;
using Digits = std::array<std::uint8_t, 256>;

constexpr void add_alphabet(Digits& digits, std::string_view alphabet) {
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    digits[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
}

constexpr Digits digits_of(std::string_view alphabet, std::string_view other = {}) {
  Digits digits{};
  for (std::uint8_t& digit : digits) digit = kNoDigit;
  add_alphabet(digits, alphabet);
  add_alphabet(digits, other);
  return digits;
}

constexpr Digits kBase64Digits = digits_of(kBase64);
constexpr Digits kBase64UrlDigits = digits_of(kBase64Url);
constexpr Digits kHexDigits = digits_of(kHex, kHexUpper);
constexpr Digits kBase32Digits = digits_of(kBase32);

// `kWidth` bits a character, from the first bit of the first byte on; then `=` until the length is
// a multiple of `multiple`.
template <unsigned kWidth>
std::string encode_bits(ByteView bytes, std::string_view alphabet, std::size_t multiple = 1) {
  const std::size_t digits_count = (bytes.size() * 8 + kWidth - 1) / kWidth;
  const std::size_t size = (digits_count + multiple - 1) / multiple * multiple;
  std::string text;
  text.resize_and_overwrite(size, [&](char* out, std::size_t) {
    constexpr std::uint32_t kMask = (1U << kWidth) - 1;
    const char* const digits = alphabet.data();
    char* const end = out + size;
    std::uint32_t held = 0;
    unsigned held_bits = 0;
    for (const std::byte byte : bytes) {
      held = held << 8U | static_cast<std::uint32_t>(byte);
      held_bits += 8;
      while (held_bits >= kWidth) {
        held_bits -= kWidth;
        *out++ = digits[(held >> held_bits) & kMask];
      }
    }
    if (held_bits > 0) *out++ = digits[(held << (kWidth - held_bits)) & kMask];
    std::fill(out, end, '=');
    return size;
  });
  return text;
}

std::optional<Bytes> decode_bits(std::string_view text, const Digits& digits, unsigned width) {
  Bytes bytes;
  bytes.reserve(text.size() * width / 8);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char c : text) {
    const std::uint8_t digit = digits[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return std::nullopt;
    held = held << width | digit;
    held_bits += width;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes.push_back(static_cast<std::byte>(held >> held_bits & 0xFFU));
    }
  }
  const bool has_needless_character = held_bits >= width;
  const bool has_stray_bits = (held & ((1U << held_bits) - 1)) != 0;
  if (has_needless_character || has_stray_bits) return std::nullopt;
  return bytes;
}

}  // namespace

std::string encode_base64(ByteView bytes) {
  return encode_bits<6>(bytes, kBase64, /*multiple=*/4);
}

std::optional<Bytes> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode_bits(text, kBase64Digits, 6);
}

std::string encode_base64url(ByteView bytes) {
  return encode_bits<6>(bytes, kBase64Url);
}

std::optional<Bytes> decode_base64url(std::string_view text) {
  return decode_bits(text, kBase64UrlDigits, 6);
}

std::string encode_hex(ByteView bytes) {
  return encode_bits<4>(bytes, kHex);
}

std::optional<Bytes> decode_hex(std::string_view text) {
  return decode_bits(text, kHexDigits, 4);
}

std::string encode_base32(std::uint64_t value) {
  std::string text(kBase32U64Chars, '0');
  for (std::size_t i = kBase32U64Chars; i > 0; --i) {
    text[i - 1] = kBase32[value & 31U];
    value >>= 5U;
  }
  return text;
}

std::optional<std::uint64_t> decode_base32(std::string_view text) {
  // The first character holds the highest 4 bits only.
  if (text.size() != kBase32U64Chars || text[0] > 'f') return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const std::uint8_t digit = kBase32Digits[static_cast<unsigned char>(c)];
    if (digit == kNoDigit) return std::nullopt;
    value = value << 5U | digit;
  }
  return value;
}

std::string encode_base32_bytes(ByteView bytes) {
  return encode_bits<5>(bytes, kBase32);
}

std::optional<Bytes> decode_base32_bytes(std::string_view text) {
  return decode_bits(text, kBase32Digits, 5);
}

}  // namespace eilpost
