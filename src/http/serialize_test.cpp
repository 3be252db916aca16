#include "http/serialize.h"

#include <gtest/gtest.h>

#include "http/codec.h"

namespace eilpost::http {
namespace {

TEST(Serialize, RequestIsWrittenByteForByte) {
  const Headers headers = {{"Content-Type", "application/json"},
                           {"HOST", "evil"},
                           {"Content-length", "99"},
                           {"Connection", "close"},
                           {"webhook-id", "dlv_1"},
                           {"Transfer-Encoding", "chunked"}};
  std::string out = "before|";
  ASSERT_TRUE(append_request(out, {.method = Method::post,
                                   .authority = "a.example:81",
                                   .target = "/v1?x=1",
                                   .headers = &headers,
                                   .body = "{}"}));
  EXPECT_EQ(out,
            "before|POST /v1?x=1 HTTP/1.1\r\nHost: a.example:81\r\n"
            "Content-Type: application/json\r\nwebhook-id: dlv_1\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(Serialize, OnlyMethodsWithABodyTellThatItIsEmpty) {
  const struct {
    Method method;
    std::string_view body;
    bool has_length;
  } kCases[] = {{Method::post, "", true},    {Method::put, "", true},  {Method::patch, "", true},
                {Method::get, "", false},    {Method::get, "x", true}, {Method::delete_, "", false},
                {Method::delete_, "x", true}};
  for (const auto& one : kCases) {
    std::string out;
    ASSERT_TRUE(append_request(
        out, {.method = one.method, .authority = "a", .target = "/", .body = one.body}));
    EXPECT_EQ(out.contains("Content-Length: "), one.has_length) << out;
  }
}

TEST(Serialize, NothingCanBeInjectedIntoARequest) {
  const std::string nul("a\0b", 3);
  const Headers bad_headers[] = {{{"X", "a\r\nY: b"}}, {{"X", "a\nb"}}, {{"X", "a\rb"}},
                                 {{"X", nul}},         {{"X", " a"}},   {{"X", "a "}},
                                 {{"X: Y", "a"}},      {{"", "a"}},     {{"X\r\nY", "a"}},
                                 {{"X", "\x7F"}},      {{"X ", "a"}}};
  for (const Headers& headers : bad_headers) {
    std::string out;
    const auto result = append_request(out, {.authority = "a", .target = "/", .headers = &headers});
    ASSERT_FALSE(result) << headers[0].name << "=" << headers[0].value;
    EXPECT_EQ(result.error().code, ErrorCode::bad_input);
    EXPECT_EQ(out, "");
  }
  for (const std::string_view target : {"", "/a b", "/a\r\nX: y", "/\x80", "/a\tb"}) {
    std::string out;
    EXPECT_FALSE(append_request(out, {.authority = "a", .target = target})) << target;
    EXPECT_FALSE(append_request(out, {.authority = target, .target = "/"})) << target;
  }
}

TEST(Serialize, ResponseIsWrittenByteForByte) {
  const Response response{.status = 202,
                          .headers = {{"Content-Type", "text/plain"},
                                      {"X", "a\r\nSet-Cookie: b"},
                                      {"Connection", "x"},
                                      {"Bad Name", "x"}},
                          .body = "body"};
  const struct {
    ResponseOptions options;
    std::string_view expected;
  } kCases[] = {
      {{.date = "now"},
       "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX: a  Set-Cookie: b\r\nDate: now\r\n"
       "Content-Length: 4\r\n\r\nbody"},
      {{.keeps_alive = false},
       "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX: a  Set-Cookie: b\r\n"
       "Content-Length: 4\r\nConnection: close\r\n\r\nbody"},
      {{.head_only = true},
       "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX: a  Set-Cookie: b\r\n"
       "Content-Length: 4\r\n\r\n"},
      {{.framing = Framing::chunked},
       "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX: a  Set-Cookie: b\r\n"
       "Transfer-Encoding: chunked\r\n\r\n"},
      {{.framing = Framing::until_close, .keeps_alive = false},
       "HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nX: a  Set-Cookie: b\r\n"
       "Connection: close\r\n\r\n"},
  };
  for (const auto& one : kCases) {
    std::string out;
    append_response(out, response, one.options);
    EXPECT_EQ(out, one.expected);
  }
}

TEST(Serialize, StatusesWithoutBodyHaveNone) {
  for (const int status : {204, 304}) {
    std::string out;
    append_response(out, {.status = status, .headers = {}, .body = "x"}, {});
    EXPECT_TRUE(out.ends_with("\r\n\r\n")) << out;
    EXPECT_FALSE(out.contains("Content-Length")) << out;
  }
}

TEST(Serialize, ChunksAreReadBack) {
  std::string out;
  append_response(out, {}, {.framing = Framing::chunked});
  append_chunk(out, std::string(26, 'x'));
  append_chunk(out, "y");
  append_last_chunk(out);
  ResponseParser parser{MessageLimits{}};
  parser.begin(Method::get, 100);
  const std::size_t head = parser.feed(out);
  EXPECT_EQ(parser.feed(std::string_view(out).substr(head)), out.size() - head);
  EXPECT_EQ(parser.response().body, std::string(26, 'x') + "y");
  EXPECT_TRUE(parser.response().body_complete);
}

TEST(DateCache, ChangesWithTheSecondOnly) {
  DateCache cache;
  const WallTime noon{std::chrono::milliseconds(784'111'777'000)};
  EXPECT_EQ(cache.at(noon), "Sun, 06 Nov 1994 08:49:37 GMT");
  const char* const text = cache.at(noon).data();
  EXPECT_EQ(cache.at(noon + std::chrono::milliseconds(999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(cache.at(noon + std::chrono::milliseconds(999)).data(), text);
  EXPECT_EQ(cache.at(noon + std::chrono::milliseconds(1000)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(cache.at(noon - std::chrono::milliseconds(1)), "Sun, 06 Nov 1994 08:49:36 GMT");
}

}  // namespace
}  // namespace eilpost::http
