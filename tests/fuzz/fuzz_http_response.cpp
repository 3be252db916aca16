// The first byte says how, the others are a response. The same bytes cut anywhere are read the
// same, and a response that was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/codec.h"
#include "http/serialize.h"

namespace {

namespace http = eilpost::http;

struct How {
  http::Method method = http::Method::post;
  bool stream_ends = false;
};

bool is_over(const http::ResponseParser& parser) {
  return parser.state() == http::ParseState::complete || parser.state() == http::ParseState::failed;
}

// Feeds `bytes` in pieces; returns what it came to, and how many bytes were taken.
std::string read(http::ResponseParser& parser, std::string_view bytes, std::size_t piece_bytes,
                 const How& how) {
  parser.begin(how.method, 100);
  std::size_t count = 0;
  while (count < bytes.size() && !is_over(parser)) {
    const std::string piece(bytes.substr(count, piece_bytes));
    count += parser.feed(piece);
  }
  if (how.stream_ends && !is_over(parser)) parser.feed_end();
  if (parser.state() == http::ParseState::failed) {
    EILPOST_ASSERT(!parser.error_detail().empty());
    return "refused";
  }
  const http::ReceivedResponse& response = parser.response();
  std::string text = parser.keeps_alive() ? "keep " : "close ";
  text += std::to_string(static_cast<int>(parser.state())) + " " + std::to_string(count) + " " +
          std::to_string(response.status) + " " + std::to_string(response.body_bytes_count);
  for (const http::Header& header : response.headers) {
    text.append("\n").append(header.name).append(":").append(header.value);
  }
  return text.append("\n\n").append(response.body);
}

bool is_ours(const http::Header& header) {
  return http::is_framing_header(header.name) || eilpost::iequals(header.name, "date");
}

std::string headers_text(const http::Headers& headers) {
  std::string text;
  for (const http::Header& header : headers) {
    if (!is_ours(header)) text.append(header.name).append(":").append(header.value).append("\n");
  }
  return text;
}

void write_and_read_again(const http::ReceivedResponse& response) {
  std::string bytes;
  http::append_response(
      bytes, {.status = response.status, .headers = response.headers, .body = response.body}, {});
  http::ResponseParser parser{http::MessageLimits{}};
  read(parser, bytes, bytes.size(), {});
  EILPOST_ASSERT(parser.state() == http::ParseState::complete);
  EILPOST_ASSERT(parser.response().status == response.status);
  EILPOST_ASSERT(parser.response().body == response.body);
  EILPOST_ASSERT(headers_text(parser.response().headers) == headers_text(response.headers));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const How how{.method = (data[0] & 1U) != 0 ? http::Method::head : http::Method::post,
                .stream_ends = (data[0] & 2U) != 0};
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const http::MessageLimits limits{.header_bytes_max = 512,
                                   .headers_max = 8,
                                   .target_bytes_max = 64,
                                   .chunk_extension_bytes_max = 16,
                                   .trailer_bytes_max = 32};
  http::ResponseParser whole(limits);
  const std::string text = read(whole, bytes, size, how);
  for (const std::size_t piece_bytes :
       {std::size_t{1}, std::size_t{2}, size / 2 + 1, size % 13 + 3}) {
    http::ResponseParser cut(limits);
    EILPOST_ASSERT(read(cut, bytes, piece_bytes, how) == text);
  }
  if (whole.state() == http::ParseState::complete) write_and_read_again(whole.response());
  return 0;
}
