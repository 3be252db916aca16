#pragma once
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string_view>

namespace eilpost {

[[nodiscard]] bool is_valid_utf8(std::string_view text);

// REQUIRES: is_valid_utf8(text). With other bytes the number is meaningless but harmless.
[[nodiscard]] std::size_t count_code_points(std::string_view text);

// The longest prefix of at most `bytes_max` bytes that does not cut a code point in two.
// REQUIRES: is_valid_utf8(text).
[[nodiscard]] std::string_view truncate_to_bytes(std::string_view text, std::size_t bytes_max);

// The longest prefix of at most `code_points_max` code points.
// REQUIRES: is_valid_utf8(text).
[[nodiscard]] std::string_view truncate_to_code_points(std::string_view text,
                                                       std::size_t code_points_max);

}  // namespace eilpost
