#pragma once
// The OpenAPI 3.1 document of the management API, made from its table of routes.

#include <string_view>

#include "model/json.h"

namespace eilpost::admin {

[[nodiscard]] Json openapi_document(std::string_view public_url);

}  // namespace eilpost::admin
