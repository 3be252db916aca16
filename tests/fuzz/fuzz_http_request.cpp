// Any bytes as a run of requests. The same bytes cut anywhere are read the same, and a request that
// was read can be written and read again.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/codec.h"
#include "http/serialize.h"

namespace {

namespace http = eilpost::http;

struct Transcript {
  std::vector<http::Request> requests;
  std::string end;  // why it ended

  [[nodiscard]] std::string text() const {
    std::string all = end;
    for (const http::Request& request : requests) {
      all.append("\n").append(to_string(request.method)).append(" ").append(request.target);
      for (const http::Header& header : request.headers) {
        all.append("\n").append(header.name).append(":").append(header.value);
      }
      all.append("\n\n").append(request.body);
    }
    return all;
  }
};

Transcript read(std::string_view bytes, std::size_t piece_bytes) {
  const http::MessageLimits limits{.header_bytes_max = 512,
                                   .headers_max = 8,
                                   .target_bytes_max = 64,
                                   .chunk_extension_bytes_max = 16,
                                   .trailer_bytes_max = 32};
  http::RequestParser parser(limits,
                             [](http::Method, std::string_view) { return std::size_t{256}; });
  Transcript transcript;
  while (!bytes.empty()) {
    const std::string piece(bytes.substr(0, piece_bytes));
    bytes.remove_prefix(piece.size());
    std::string_view rest = piece;
    while (!rest.empty()) {
      rest.remove_prefix(parser.feed(rest));
      if (parser.state() == http::ParseState::failed) {
        EILPOST_ASSERT(parser.refusal().status >= 400 && !parser.refusal().detail.empty());
        transcript.end = "refused";
        return transcript;
      }
      if (parser.state() != http::ParseState::complete) continue;
      transcript.requests.push_back(parser.request());
      transcript.end = parser.keeps_alive() ? "keep" : "close";
      parser.next();
    }
  }
  if (parser.state() != http::ParseState::idle) transcript.end = "unfinished";
  return transcript;
}

http::Headers without_framing(const http::Headers& headers) {
  http::Headers kept;
  for (const http::Header& header : headers) {
    if (!http::is_framing_header(header.name)) kept.push_back(header);
  }
  return kept;
}

void write_and_read_again(const http::Request& request) {
  std::string bytes;
  const auto appended = http::append_request(bytes, {.method = request.method,
                                                     .authority = "host",
                                                     .target = request.target,
                                                     .headers = &request.headers,
                                                     .body = request.body});
  EILPOST_ASSERT(appended.has_value());
  http::RequestParser parser{http::MessageLimits{}};
  const std::size_t count = parser.feed(bytes);
  EILPOST_ASSERT(parser.state() == http::ParseState::complete && count == bytes.size());
  const http::Request& again = parser.request();
  EILPOST_ASSERT(again.method == request.method && again.target == request.target);
  EILPOST_ASSERT(again.body == request.body);
  const http::Headers before = without_framing(request.headers);
  const http::Headers after = without_framing(again.headers);
  EILPOST_ASSERT(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EILPOST_ASSERT(before[i].name == after[i].name && before[i].value == after[i].value);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Transcript whole = read(bytes, size);
  const std::string text = whole.text();
  for (const std::size_t piece_bytes :
       {std::size_t{1}, std::size_t{2}, size / 2 + 1, size % 13 + 3}) {
    EILPOST_ASSERT(read(bytes, piece_bytes).text() == text);
  }
  for (const http::Request& request : whole.requests) write_and_read_again(request);
  return 0;
}
