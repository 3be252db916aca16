// Goal:   a response is read or refused as RFC 9112 says, however its bytes are cut.
// Method: tables of raw bytes; each is fed whole, byte by byte, and cut in two at every place.

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "http/codec.h"

namespace eilpost::http {
namespace {

struct Options {
  Method method = Method::post;
  bool stream_ends = false;
  std::size_t kept_max = 8;
  MessageLimits limits;
};

bool is_over(const ResponseParser& parser) {
  return parser.state() == ParseState::complete || parser.state() == ParseState::failed;
}

std::string describe(const ResponseParser& parser, std::size_t consumed) {
  switch (parser.state()) {
    case ParseState::failed:
      return std::string(name_of(parser.error_code()));
    case ParseState::complete:
      break;
    case ParseState::idle:
      return "idle";
    case ParseState::head:
      return "head";
    case ParseState::body:
      return "body";
  }
  const ReceivedResponse& response = parser.response();
  std::string text = std::to_string(response.status);
  for (const Header& header : response.headers) text += " " + header.name + "=" + header.value;
  text += " [" + response.body + "] " + std::to_string(response.body_bytes_count);
  text += parser.keeps_alive() ? " keep" : " close";
  return text + " " + std::to_string(consumed);
}

std::string parse_cut(std::string_view bytes, const std::vector<std::size_t>& cuts,
                      const Options& options) {
  ResponseParser parser(options.limits);
  parser.begin(options.method, options.kept_max);
  std::size_t consumed = 0;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size() && !is_over(parser); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    const std::string piece(bytes.substr(begin, end - begin));
    std::size_t at = 0;
    while (at < piece.size() && !is_over(parser)) {
      at += parser.feed(std::string_view(piece).substr(at));
    }
    consumed += at;
    begin = end;
  }
  if (options.stream_ends && !is_over(parser)) parser.feed_end();
  return describe(parser, consumed);
}

std::string parse(std::string_view bytes, const Options& options = {}) {
  const std::string whole = parse_cut(bytes, {}, options);
  std::vector<std::size_t> each;
  for (std::size_t i = 1; i < bytes.size(); ++i) {
    each.push_back(i);
    EXPECT_EQ(parse_cut(bytes, {i}, options), whole) << "cut at " << i << " of\n" << bytes;
  }
  EXPECT_EQ(parse_cut(bytes, each, options), whole) << "byte by byte:\n" << bytes;
  return whole;
}

TEST(ResponseParser, ReadsResponses) {
  const struct {
    std::string_view bytes, expected;
  } kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 Content-Length=2 [ok] 2 keep 40"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 ",
       "200 Content-Length=2 [ok] 2 keep 40"},
      {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200 Content-Length=0 [] 0 keep 35"},
      {"HTTP/1.1 202 \r\nContent-Length: 0\r\n\r\n", "202 Content-Length=0 [] 0 keep 36"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
       "200 Content-Length=2 Connection=close [ok] 2 close 59"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 Content-Length=2 [ok] 2 close 40"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
       "200 Content-Length=2 Connection=keep-alive [ok] 2 keep 64"},
      {"HTTP/1.1 204 No Content\r\n\r\n", "204 [] 0 keep 27"},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204 Content-Length=5 [] 0 keep 46"},
      {"HTTP/1.1 304 x\r\n\r\nHTTP", "304 [] 0 keep 18"},
      {"HTTP/1.1 204 x\r\nConnection: close\r\n\r\n", "204 Connection=close [] 0 close 37"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: "
       "chunked\r\n\r\n5\r\nhello\r\n5;a\r\nworld\r\n0\r\n\r\n",
       "200 Transfer-Encoding=chunked [hellowor] 10 keep 74"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789",
       "200 Content-Length=10 [01234567] 10 keep 49"},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
       "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
       "201 Content-Length=1 [x] 1 keep 106"},
      {"HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", "599 Content-Length=0 [] 0 keep 39"},
  };
  for (const auto& one : kCases) EXPECT_EQ(parse(one.bytes), one.expected) << one.bytes;
}

TEST(ResponseParser, BodyMayEndWithTheStream) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\nhello", {.stream_ends = true}), "200 [hello] 5 close 24");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n", {.stream_ends = true}), "200 [] 0 close 19");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\nhello"), "body");
}

TEST(ResponseParser, StreamThatEndsTooEarlyIsAReset) {
  for (const std::string_view bytes :
       {"", "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n"}) {
    EXPECT_EQ(parse(bytes, {.stream_ends = true}), "connection_reset") << bytes;
  }
}

TEST(ResponseParser, AnswerToHeadHasNoBody) {
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {.method = Method::head}),
            "200 Content-Length=5 [] 0 keep 38");
  EXPECT_EQ(parse("HTTP/1.1 200 OK\r\n\r\n", {.method = Method::head}), "200 [] 0 keep 19");
  EXPECT_EQ(parse("HTTP/1.0 200 OK\r\n\r\n", {.method = Method::head}), "200 [] 0 close 19");
}

TEST(ResponseParser, RefusesWhatIsMalformed) {
  for (const std::string_view bytes : {
           "HTTP/2.0 200 OK\r\n\r\n",
           "HTTP/0.9 200 OK\r\n\r\n",
           "ICY 200 OK\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "<html>",
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 OK\r\n\r\n",
           "HTTP/1.1 abc OK\r\n\r\n",
           "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
           "HTTP/1.1 200 OK\r\nX: a\rY: b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
       }) {
    EXPECT_EQ(parse(bytes), "protocol_violated") << bytes;
  }
}

TEST(ResponseParser, LimitsAreKept) {
  const MessageLimits limits{.header_bytes_max = 60, .headers_max = 2};
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
  const auto padded = [&](std::size_t bytes) {
    return head + "X: " + std::string(bytes - head.size() - 7, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(parse(padded(60), {.limits = limits}).starts_with("200 "));
  EXPECT_EQ(parse(padded(61), {.limits = limits}), "too_large");
  EXPECT_EQ(parse(head + "A: 1\r\nB: 2\r\n\r\n", {.limits = limits}), "too_large");

  std::string interim;
  for (std::size_t i = 0; i < kInterimResponsesMax; ++i) interim += "HTTP/1.1 100 C\r\n\r\n";
  EXPECT_TRUE(parse_cut(interim + head + "\r\n", {}, {}).starts_with("200 "));
  EXPECT_EQ(parse_cut(interim + "HTTP/1.1 100 C\r\n\r\n" + head + "\r\n", {}, {}),
            "protocol_violated");
}

TEST(ResponseParser, StopsWhereTheHeadEnds) {
  ResponseParser parser{MessageLimits{}};
  parser.begin(Method::post, 100);
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  EXPECT_EQ(parser.feed(bytes), bytes.size() - 5);
  EXPECT_EQ(parser.state(), ParseState::body);
  parser.keep_body_bytes(3);
  EXPECT_EQ(parser.feed("hello"), 5U);
  EXPECT_EQ(parser.response().body, "hel");
  EXPECT_TRUE(parser.response().body_complete);

  parser.begin(Method::get, 100);
  EXPECT_FALSE(parser.response().body_complete);
  parser.feed("HTTP/1.1 404 No\r\nContent-Length: 0\r\nA: b\r\n\r\n");
  EXPECT_EQ(describe(parser, 0), "404 Content-Length=0 A=b [] 0 keep 0");
}

}  // namespace
}  // namespace eilpost::http
