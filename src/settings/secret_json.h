#pragma once
// A secret as a field of the API's JSON: written as a text, read back as {"set":true}.

#include <string>
#include <string_view>

#include "model/json.h"
#include "settings/object_reader.h"

namespace eilpost::settings {

// {"set":true} unless `show_secrets`.
[[nodiscard]] Json secret_to_json(const std::string& secret, bool show_secrets);

// A text; absent or {"set":true}: the kept one; null: none.
[[nodiscard]] std::string read_secret(ObjectReader& reader, std::string_view key,
                                      std::string_view kept);

}  // namespace eilpost::settings
