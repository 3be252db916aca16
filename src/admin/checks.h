#pragma once
// Whether a request brings only what its route takes, by the table of the routes.

#include <optional>
#include <string_view>

#include "admin/api.h"

namespace eilpost::admin {

// The refusal of a query: a parameter that is unknown, repeated, missing or of another type (400,
// which names it and those that there are). Nothing: the query is good.
[[nodiscard]] std::optional<http::Response> refuse_query(const Takes& takes,
                                                         std::string_view query);

// The refusal of an If-Match that no ETag ever is: 412, as for one that does not match.
[[nodiscard]] std::optional<http::Response> refuse_if_match(const Takes& takes,
                                                            const http::Request& request);

// The refusal of a body with a field that is unknown or of another type (422, which names it and
// those that there are).
[[nodiscard]] std::optional<http::Response> refuse_body(const Takes& takes, const Json& body);

}  // namespace eilpost::admin
