#pragma once
// Bytes as text: base64, hexadecimal, and Crockford's base32.
//
// Every decoder is strict: one value has one text. It refuses blanks, wrong padding and bits that
// the encoder would not have set. Only hexadecimal may be of either case.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace eilpost {

// RFC 4648 section 4: `+` and `/`, padded with `=`.
[[nodiscard]] std::string encode_base64(ByteView bytes);
[[nodiscard]] std::optional<Bytes> decode_base64(std::string_view text);

// RFC 4648 section 5: `-` and `_`, without padding.
[[nodiscard]] std::string encode_base64url(ByteView bytes);
[[nodiscard]] std::optional<Bytes> decode_base64url(std::string_view text);

// Lower case.
[[nodiscard]] std::string encode_hex(ByteView bytes);
[[nodiscard]] std::optional<Bytes> decode_hex(std::string_view text);

// Crockford's alphabet (0-9 and a-z without i, l, o, u) in lower case.
//
// A number is always kBase32U64Chars long, so that texts sort like the numbers.
inline constexpr std::size_t kBase32U64Chars = 13;
[[nodiscard]] std::string encode_base32(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> decode_base32(std::string_view text);

// Bytes from their first bit on, five bits a character, the last filled up with zero bits.
[[nodiscard]] std::string encode_base32_bytes(ByteView bytes);
[[nodiscard]] std::optional<Bytes> decode_base32_bytes(std::string_view text);

}  // namespace eilpost
