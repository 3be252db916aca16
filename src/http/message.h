#pragma once
// HTTP messages as values, the same for HTTP/1.1 and HTTP/2 (RFC 9110).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/outbound.h"

namespace eilpost::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };

[[nodiscard]] std::string_view to_string(Method method);  // "GET", …
[[nodiscard]] std::optional<Method> parse_method(std::string_view text);
[[nodiscard]] Method method_of(HttpMethod method);

using Header = OutboundHeader;

using Headers = std::vector<Header>;

// The first header of that name (ASCII case ignored), or nothing.
[[nodiscard]] std::optional<std::string_view> find_header(const Headers& headers,
                                                          std::string_view name);

// True if the header is there and one of its comma-separated elements is `token` (case ignored).
[[nodiscard]] bool header_has_token(const Headers& headers, std::string_view name,
                                    std::string_view token);

// RFC 9110: a token (a header's name, a method), and a header's value: no control characters but
// the tab, no white space at its ends.
[[nodiscard]] bool is_token(std::string_view text);
[[nodiscard]] bool is_header_value(std::string_view text);

// "Not Found"; empty for a status without a registered phrase.
[[nodiscard]] std::string_view reason_of(int status);

// What a server received. `target` is in origin form: path and query as they were sent.
struct Request {
  Method method = Method::get;
  std::string target;
  Headers headers;
  std::string body;
};

// `path` of a target (before '?'), still percent-encoded, and its query (without '?').
[[nodiscard]] std::string_view path_of(std::string_view target);
[[nodiscard]] std::string_view query_of(std::string_view target);

// The first value of a query parameter, decoded, '+' as space; nothing if it is missing.
[[nodiscard]] std::optional<std::string> find_query_parameter(std::string_view query,
                                                              std::string_view name);

// The parameters of a query in their order, decoded like those of find_query_parameter(); nothing
// if one cannot be decoded.
struct QueryField {
  std::string name;
  std::string value;
};
[[nodiscard]] std::optional<std::vector<QueryField>> parse_query(std::string_view query);

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

}  // namespace eilpost::http
