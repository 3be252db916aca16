#include <gtest/gtest.h>

#include "ingest/ingest_support_for_test.h"

namespace eilpost::ingest {
namespace {

using namespace std::chrono_literals;

TEST(Answers, AcceptedSaysHowMany) {
  const http::Response plain = accepted_response(2, 1, {});
  EXPECT_EQ(plain.status, 202);
  EXPECT_EQ(http::find_header(plain.headers, "content-type"), "application/json");
  EXPECT_EQ(plain.body, R"({"accepted":2,"duplicates":1})");
  const http::Response partial = accepted_response(
      0, 0, {{.code = "unknown_type", .detail = "\"x\" is none.", .pointer = "/type", .index = 3}});
  EXPECT_EQ(partial.body, R"({"accepted":0,"duplicates":0,"rejected":[{"code":"unknown_type",)"
                          R"("detail":"\"x\" is none.","pointer":"/type","index":3}]})");
}

TEST(Answers, RefusalIsProblemJson) {
  const http::Response response =
      refusal_response({.status = 422,
                        .code = "wrong_type",
                        .detail = "d",
                        .errors = {{.code = "c", .detail = "e", .pointer = "/data/x", .index = 0}},
                        .retry_after = {}});
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(http::find_header(response.headers, "content-type"), "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"about:blank","title":"Unprocessable Content","status":422,)"
                           R"("code":"wrong_type","detail":"d","errors":[{"code":"c","detail":"e",)"
                           R"("pointer":"/data/x","index":0}]})");
}

struct RetryCase {
  Duration retry_after;
  std::string_view header;
};

TEST(Answers, RetryAfterIsWholeSecondsRoundedUp) {
  const RetryCase cases[] = {{10ms, "1"}, {0ms, "1"}, {1s, "1"}, {1001ms, "2"}, {60s, "60"}};
  for (const RetryCase& c : cases) {
    const http::Response response = refusal_response({.status = 429,
                                                      .code = "rate_limited",
                                                      .detail = "d",
                                                      .errors = {},
                                                      .retry_after = c.retry_after});
    EXPECT_EQ(http::find_header(response.headers, "retry-after"), c.header);
  }
}

TEST(Answers, SomeStatusesHaveTheirHeader) {
  const auto answer = [](int status) {
    return refusal_response(
        {.status = status, .code = "c", .detail = "d", .errors = {}, .retry_after = {}});
  };
  EXPECT_EQ(http::find_header(answer(401).headers, "www-authenticate"), "Bearer");
  EXPECT_EQ(http::find_header(answer(405).headers, "allow"), "POST, OPTIONS");
  EXPECT_FALSE(http::find_header(answer(422).headers, "retry-after"));
}

http::Request preflight_request(std::string_view target, std::string_view origin) {
  http::Request request;
  request.method = http::Method::options;
  request.target = target;
  if (!origin.empty()) request.headers = {{.name = "Origin", .value = std::string(origin)}};
  request.headers.push_back({.name = "Access-Control-Request-Method", .value = "POST"});
  return request;
}

struct PreflightCase {
  std::string_view target;
  std::string_view origin;
  int status;
};

TEST(Cors, PreflightAsksTheSourceOfTheKeyElseAllSources) {
  const PreflightCase cases[] = {
      {"/v1/events?key=src_any", "https://x.example", 204},
      {"/v1/events?key=src_server", "https://x.example", 403},
      {"/v1/events?key=src_shop", "https://shop.example", 204},
      {"/v1/events?key=src_shop", "https://x.example", 403},
      {"/v1/events", "https://x.example", 204},
      {"/v1/events", "", 204},
  };
  for (const PreflightCase& c : cases) {
    TestWorld world;
    const http::Response response =
        world.ingest.preflight(preflight_request(c.target, c.origin), world.sources);
    EXPECT_EQ(response.status, c.status) << c.target << " " << c.origin;
    const auto allowed = http::find_header(response.headers, "access-control-allow-origin");
    EXPECT_EQ(allowed.value_or(""), c.status == 204 ? c.origin : "");
  }
}

TEST(Cors, PreflightWithoutKeyIsRefusedWhereNoSourceAllows) {
  TestWorld world;
  std::vector<Source> sources = TestWorld::make_sources();
  sources.erase(sources.begin());  // the one that allows any
  world.sources = Sources(std::move(sources));
  const auto status = [&](std::string_view origin) {
    return world.ingest.preflight(preflight_request("/v1/events", origin), world.sources).status;
  };
  EXPECT_EQ(status("https://shop.example"), 204);
  EXPECT_EQ(status("https://x.example"), 403) << "src_off is disabled";
}

TEST(Cors, PreflightTellsWhatMayBeSent) {
  TestWorld world;
  http::Request request = preflight_request("/v1/events", "https://x.example");
  const http::Headers plain = world.ingest.preflight(request, world.sources).headers;
  EXPECT_EQ(http::find_header(plain, "access-control-allow-methods"), "POST");
  EXPECT_TRUE(http::header_has_token(plain, "access-control-allow-headers", "authorization"));
  EXPECT_TRUE(http::find_header(plain, "access-control-max-age"));
  EXPECT_TRUE(http::header_has_token(plain, "vary", "origin"));
  EXPECT_FALSE(http::find_header(plain, "access-control-allow-private-network"));

  request.headers.push_back(
      {.name = "Access-Control-Request-Headers", .value = "authorization, ce-type"});
  request.headers.push_back({.name = "Access-Control-Request-Private-Network", .value = "true"});
  const http::Headers asked = world.ingest.preflight(request, world.sources).headers;
  EXPECT_EQ(http::find_header(asked, "access-control-allow-headers"), "authorization, ce-type");
  EXPECT_EQ(http::find_header(asked, "access-control-allow-private-network"), "true");

  request.headers[2].value = "a b: <x>";
  const http::Headers odd = world.ingest.preflight(request, world.sources).headers;
  EXPECT_FALSE(http::find_header(odd, "access-control-allow-headers")->contains("<x>"));
}

TEST(Cors, AnAnswerNamesTheOriginWhereItIsAllowed) {
  TestWorld world;
  http::Request request = TestWorld::post("");
  EXPECT_TRUE(world.ingest.cors_headers(request, world.sources).empty());
  request.headers.push_back({.name = "Origin", .value = "https://x.example"});
  const http::Headers headers = world.ingest.cors_headers(request, world.sources);
  EXPECT_EQ(http::find_header(headers, "access-control-allow-origin"), "https://x.example");
  EXPECT_EQ(http::find_header(headers, "vary"), "Origin");
  EXPECT_EQ(http::find_header(headers, "access-control-expose-headers"), "Retry-After");
  request.headers[0].value = "Bearer src_server";
  EXPECT_TRUE(world.ingest.cors_headers(request, world.sources).empty());
  request.headers[0].value = "Bearer src_wrong";
  EXPECT_FALSE(world.ingest.cors_headers(request, world.sources).empty())
      << "a page can show that the key is wrong";
}

}  // namespace
}  // namespace eilpost::ingest
