#pragma once
// Writes HTTP/1.1 messages into a buffer that is used again and again.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"

namespace eilpost::http {

// A request to be sent. Views: what they show must live as long as the request is used.
struct OutboundRequest {
  Method method = Method::post;
  std::string_view authority;  // the Host header: Url::authority()
  std::string_view target;     // Url::target()
  const Headers* headers = nullptr;
  std::string_view body;
};

// Appends the request. Host and Content-Length are set here; headers of those names and
// Connection, Transfer-Encoding, TE, Trailer, Upgrade, Keep-Alive, Expect among `headers` are left
// out. Errors: bad_input, if a part could not stand in a request (a line break in a header);
// nothing is appended then.
[[nodiscard]] Result<void> append_request(std::string& out, const OutboundRequest& request);

// What append_request() checks. Errors: bad_input.
[[nodiscard]] Result<void> check_request(const OutboundRequest& request);
// True if the request says how long its body is, even if it has none.
[[nodiscard]] bool declares_length(const OutboundRequest& request);

// True for the headers that append_request() and append_response() leave out.
[[nodiscard]] bool is_framing_header(std::string_view name);

// The Date header's value, made anew only when the second changes.
class DateCache {
 public:
  [[nodiscard]] std::string_view at(WallTime now);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

enum class Framing : std::uint8_t {
  content_length,  // the body follows at once
  chunked,         // chunks follow, each by append_chunk()
  until_close,     // bytes follow until the connection ends
};

struct ResponseOptions {
  Framing framing = Framing::content_length;
  bool head_only = false;  // The request was HEAD.
  bool keeps_alive = true;
  std::string_view date;
};

// Appends head and body. A body of 204 and 304, and with `head_only`, is left out. Bytes that could
// not stand in a header become spaces.
void append_response(std::string& out, const Response& response, const ResponseOptions& options);
void append_chunk(std::string& out, std::string_view bytes);  // REQUIRES: bytes is not empty.
void append_last_chunk(std::string& out);

}  // namespace eilpost::http
