// Any text as a URL. What is accepted is read back the same, and can stand in a request.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "http/percent.h"
#include "http/serialize.h"
#include "http/url.h"

namespace http = eilpost::http;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  EILPOST_ASSERT(http::decode_percent(http::encode_path_segment(text)) == text);
  EILPOST_ASSERT(http::decode_form(http::encode_query_value(text)) == text);

  const eilpost::Result<http::Url> url = http::parse_url(text);
  if (!url) {
    EILPOST_ASSERT(url.error().code == eilpost::ErrorCode::bad_input);
    EILPOST_ASSERT(!url.error().detail.empty());
    return 0;
  }
  const eilpost::Result<http::Url> again = http::parse_url(url->to_string());
  EILPOST_ASSERT(again && *again == *url);
  EILPOST_ASSERT(!url->host.empty() && url->port != 0 && url->path.starts_with('/'));
  const eilpost::Result<eilpost::env::Address> address = eilpost::env::parse_address(url->host);
  EILPOST_ASSERT(address.has_value() == url->address.has_value());

  std::string bytes;
  const std::string authority = url->authority();
  const std::string target = url->target();
  EILPOST_ASSERT(http::append_request(bytes, {.authority = authority, .target = target}));
  return 0;
}
