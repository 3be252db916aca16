#pragma once
// JSON as a value, for settings and the management API. Keeps the order of keys.
//
// Parse with parse_json(), which never throws; read with the find_… functions of settings and
// admin. Events do not go this way: they stay text (model/event_document.h).

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace eilpost {

using Json = nlohmann::ordered_json;

// Errors: bad_input (`detail` says where and what); nesting above `depth_max` too.
[[nodiscard]] Result<Json> parse_json(std::string_view text, std::size_t depth_max = 64);

// Compact text. Bytes that are not UTF-8 are replaced by U+FFFD.
[[nodiscard]] std::string to_text(const Json& json);

}  // namespace eilpost
