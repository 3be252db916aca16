#pragma once
// Percent-encoding of parts of a URL (RFC 3986, section 2.1).

#include <optional>
#include <string>
#include <string_view>

namespace eilpost::http {

// Everything but unreserved characters is encoded: '/', '&', '+' and the space too.
[[nodiscard]] std::string encode_path_segment(std::string_view text);
[[nodiscard]] std::string encode_query_value(std::string_view text);

// Nothing where a '%' is not followed by two hexadecimal digits.
[[nodiscard]] std::optional<std::string> decode_percent(std::string_view text);
// The same with '+' as space (application/x-www-form-urlencoded).
[[nodiscard]] std::optional<std::string> decode_form(std::string_view text);

}  // namespace eilpost::http
