#pragma once
// A request on its way out, whole, as values.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eilpost {

enum class HttpMethod : std::uint8_t { get, post, put, patch, delete_ };

[[nodiscard]] std::string_view to_string(HttpMethod method);  // "GET", …
[[nodiscard]] std::optional<HttpMethod> parse_http_method(std::string_view text);

// Also what http/ calls a Header: those of a rendered request are sent as they are.
struct OutboundHeader {
  std::string name;
  std::string value;
};

struct OutboundRequest {
  HttpMethod method = HttpMethod::post;
  std::string url;  // absolute, everything encoded
  std::vector<OutboundHeader> headers;
  std::string body;
};

}  // namespace eilpost
