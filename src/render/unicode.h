#pragma once
// Letters of the alphabets that are spoken where Eilpost is used: upper and lower case of Latin,
// Greek, Cyrillic and Armenian, without a locale. What it does not know stays as it is.

#include <string>
#include <string_view>

namespace eilpost::render {

// REQUIRES of all: `text` is valid UTF-8.
[[nodiscard]] std::string to_lower(std::string_view text);
[[nodiscard]] std::string to_upper(std::string_view text);  // ß becomes SS

// Without white space at both ends: ASCII's and Unicode's.
[[nodiscard]] std::string_view trim(std::string_view text);
// True if there is white space anywhere.
[[nodiscard]] bool has_white_space(std::string_view text);

// For names in URLs: lower case, umlauts written out (ä as ae), accents dropped, everything that is
// neither letter nor digit as one '-', none at the ends. Letters of other alphabets stay.
[[nodiscard]] std::string to_slug(std::string_view text);

}  // namespace eilpost::render
