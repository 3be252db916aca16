#pragma once
// application/x-www-form-urlencoded, as token requests and authorization URLs are written.

#include <string>
#include <string_view>

namespace eilpost::oauth {

// One value: everything but unreserved characters is percent-encoded.
[[nodiscard]] std::string encode_form_value(std::string_view value);

// Appends "name=value", after '&' unless `form` is empty or ends with '?' or '&'.
void append_field(std::string& form, std::string_view name, std::string_view value);

}  // namespace eilpost::oauth
