#pragma once
// What a token end point answered, made fit to be shown: it may echo what it was sent.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace eilpost::oauth {

// `text` with "••••" in the place of each secret, as it is or form-encoded or in base64; without
// control characters, valid UTF-8, at most `bytes_max` bytes and an ellipsis.
[[nodiscard]] std::string redact(std::string_view text, const std::vector<std::string>& secrets,
                                 std::size_t bytes_max);

}  // namespace eilpost::oauth
