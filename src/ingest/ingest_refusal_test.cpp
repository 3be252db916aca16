// Goal: whatever is wrong with a request is answered with its exact status, code and place.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "ingest/ingest_support_for_test.h"

namespace eilpost::ingest {
namespace {

using namespace std::chrono_literals;

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  std::string in(text);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += R"({"a":)";
  return text + "1" + std::string(depth, '}');
}

std::string many(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + fmt::format("\"k{}\":1", i);
  return text;
}

std::string event_with(std::string_view data) {
  return R"({"type":"menu.opened","data":)" + std::string(data) + "}";
}

struct RefusedCase {
  std::string body;
  int status;
  std::string_view code;
  std::string_view pointer;
  std::size_t index = 0;
};

void expect_refused(const RefusedCase& c, http::Headers headers = {}) {
  TestWorld world;
  const std::string_view shown = std::string_view(c.body).substr(0, 100);
  const auto taken = world.take(c.body, std::move(headers));
  ASSERT_FALSE(taken) << shown;
  const Refusal& refusal = taken.error();
  EXPECT_EQ(refusal.status, c.status) << shown;
  EXPECT_EQ(refusal.code, c.code) << shown << ": " << refusal.detail;
  EXPECT_GT(refusal.detail.size(), 20U);
  ASSERT_FALSE(refusal.errors.empty()) << shown;
  EXPECT_EQ(refusal.errors[0].code, c.code) << shown;
  EXPECT_EQ(refusal.errors[0].pointer, c.pointer) << shown << ": " << refusal.errors[0].detail;
  if (c.status != 400) {
    EXPECT_EQ(refusal.errors[0].index, c.index) << shown;
    EXPECT_EQ(refusal.errors.size(), 1U) << shown << refusal.errors.back().detail;
  }
}

TEST(IngestRefusal, WrongEvents) {
  const RefusedCase cases[] = {
      {"{}", 422, "type_missing", "/type"},
      {R"({"type":null})", 422, "type_missing", "/type"},
      {R"({"type":5})", 422, "wrong_type", "/type"},
      {R"({"type":""})", 422, "unknown_type", "/type"},
      {R"({"type":"survey.submited"})", 422, "unknown_type", "/type"},
      {R"({"type":"custom.unknown"})", 422, "unknown_type", "/type"},
      {R"({"type":"menu.opened","id":5})", 422, "wrong_type", "/id"},
      {R"({"type":"menu.opened","id":""})", 422, "invalid_id", "/id"},
      {R"({"type":"menu.opened","id":"a\u0000b"})", 422, "invalid_id", "/id"},
      {R"({"type":"menu.opened","id":")" + std::string(257, 'x') + "\"}", 422, "invalid_id", "/id"},
      {R"({"type":"menu.opened","subject":")" + std::string(513, 'x') + "\"}", 422, "invalid_user",
       "/subject"},
      {event_with(R"({"wm":{"euId":"a\nb"}})"), 422, "invalid_user", "/data/wm/euId"},
      {event_with(R"({"wm.euId":"a\nb"})"), 422, "invalid_user", "/data/wm.euId"},
      {R"({"type":"menu.opened","source":1})", 422, "wrong_type", "/source"},
      {R"({"type":"menu.opened","specversion":"0.3"})", 422, "unsupported_specversion",
       "/specversion"},
      {R"({"type":"menu.opened","specversion":1})", 422, "wrong_type", "/specversion"},
      {R"({"type":"menu.opened","data_base64":"e30="})", 422, "data_base64_not_supported",
       "/data_base64"},
      {R"({"type":"menu.opened","wm":{"euId":"x"}})", 422, "invalid_attribute", "/wm"},
      {R"({"type":"menu.opened","time":"yesterday"})", 422, "invalid_time", "/time"},
      {R"({"type":"menu.opened","time":"2026-11-24T09:00:00"})", 422, "invalid_time", "/time"},
      {R"({"type":"menu.opened","time":1795510800123})", 422, "wrong_type", "/time"},
      {R"({"type":"menu.opened","data":[]})", 422, "wrong_type", "/data"},
      {R"({"type":"menu.opened","data":"x"})", 422, "wrong_type", "/data"},
      {event_with(R"({"wm":5})"), 422, "wrong_type", "/data/wm"},
      {event_with(R"({"wm":{"euId":5}})"), 422, "wrong_type", "/data/wm/euId"},
      {event_with(R"({"wm.euId":5})"), 422, "wrong_type", "/data/wm.euId"},
      {event_with(R"({"wm":{"language":5}})"), 422, "wrong_type", "/data/wm/language"},
      {event_with(R"({"wm.language":5})"), 422, "wrong_type", "/data/wm.language"},
      {event_with(R"({"wm":{"userVars":{"x":[1]}}})"), 422, "wrong_type", "/data/wm/userVars/x"},
      {event_with(R"({"env":{"screen":{"width":1.5}}})"), 422, "wrong_type",
       "/data/env/screen/width"},
      {event_with(R"({"env":{"screen.width":"1"}})"), 422, "wrong_type", "/data/env/screen.width"},
      {event_with(R"({"env":{"mobile":"true"}})"), 422, "wrong_type", "/data/env/mobile"},
      {R"({"type":"survey.submitted","data":{"nps":"9"}})", 422, "wrong_type", "/data/nps"},
      {R"({"type":"survey.submitted","data":{"answers":{}}})", 422, "wrong_type", "/data/answers"},
      {R"({"type":"launcher.clicked","data":{"oId":1.5}})", 422, "wrong_type", "/data/oId"},
      {R"({"type":"launcher.clicked","data":{"oId":1e30}})", 422, "wrong_type", "/data/oId"},
      {R"({"type":"launcher.clicked","data":{"oId":true}})", 422, "wrong_type", "/data/oId"},
      {R"({"type":"onboarding.task_completed","data":{"progress":"1"}})", 422, "wrong_type",
       "/data/progress"},
      {R"({"type":"menu.opened","type":"menu.opened"})", 422, "duplicate_key", "/type"},
      {event_with(R"({"a":1,"b":2,"a":3})"), 422, "duplicate_key", "/data/a"},
      {event_with(R"({"a":1,"\u0061":3})"), 422, "duplicate_key", "/data/a"},
      {event_with(R"({"x":[{"a/b":1,"a/b":2}]})"), 422, "duplicate_key", "/data/x/0/a~1b"},
      {event_with(R"({"wm":{"a":1,"a":2}})"), 422, "duplicate_key", "/data/wm/a"},
      {event_with("{" + many(40) + R"(,"k7":2})"), 422, "duplicate_key", "/data/k7"},
      {event_with(R"({"a":18446744073709551616})"), 422, "number_out_of_range", "/data/a"},
      {event_with(R"({"a":[-9223372036854775809]})"), 422, "number_out_of_range", "/data/a/0"},
      {event_with(R"({"a":1e999})"), 422, "number_out_of_range", "/data/a"},
      {event_with(R"({"a":"\ud800"})"), 422, "invalid_unicode", "/data/a"},
      {event_with(nested(10)), 422, "too_deep", "/data/a/a/a/a/a/a/a/a/a"},
      {event_with(R"({"a":[[[[[[[[[]]]]]]]]]})"), 422, "too_deep", "/data/a/0/0/0/0/0/0/0/0"},
      {event_with(R"({"wm":)" + nested(9) + "}"), 422, "too_deep", "/data/wm/a/a/a/a/a/a/a/a"},
      {event_with(nested(5000)), 422, "too_deep", "/data"},
      {event_with("{" + many(257) + "}"), 422, "too_many_properties", "/data"},
      {R"({"type":"menu.opened","team":"ux","data":{)" + many(256) + "}}", 422,
       "too_many_properties", "/data"},
      {"[5]", 422, "not_an_object", ""},
      {R"([{"type":"menu.opened"},[]])", 422, "not_an_object", "", 1},
      {R"([{"type":"menu.opened"},{"type":"x"}])", 422, "unknown_type", "/type", 1},
      {"[" + event_with("{}") + "," + event_with(R"({"a":99999999999999999999})") + "]", 422,
       "number_out_of_range", "/data/a", 1},
      {event_with(R"({"a":")" + std::string(65'536, 'x') + "\"}"), 413, "event_too_large", ""},
      {"[" + event_with("{}") + "," + event_with(R"({"a":")" + std::string(65'536, 'x') + "\"}") +
           "]",
       413, "event_too_large", "", 1},
  };
  for (const RefusedCase& c : cases) expect_refused(c);
}

TEST(IngestRefusal, MalformedBodies) {
  const RefusedCase cases[] = {
      {R"({"type":)", 400, "malformed", ""},
      {"", 400, "malformed", ""},
      {R"({"type":"menu.opened"}})", 400, "malformed", ""},
      {R"({"type":"menu.opened"} {"type":"menu.opened"})", 400, "malformed", ""},
      {"{\"type\":\"menu.opened\",\"data\":{\"a\":\"\xFF\"}}", 400, "malformed", ""},
      {std::string("{\"type\":\"menu.opened\"}\0", 23), 400, "malformed", ""},
      {std::string(500'000, '['), 400, "malformed", ""},
  };
  for (const RefusedCase& c : cases) expect_refused(c);
}

TEST(IngestRefusal, SaysWhereABodyIsNotJson) {
  TestWorld world;
  const auto taken = world.take("{\n \"type\": \"menu.opened\",\n \"data\": {a}}");
  ASSERT_FALSE(taken);
  EXPECT_EQ(
      taken.error().detail,
      "The body is not JSON: line 3, column 11 (byte 36): Here a stands where a key in double "
      "quotes must be.");
}

TEST(IngestRefusal, AScalarIsNoEvent) {
  for (const std::string_view body : {"5", "\"x\"", "null", "true"}) {
    TestWorld world;
    const auto taken = world.take(body);
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().status, 400) << body;
    EXPECT_EQ(taken.error().code, "malformed");
  }
}

TEST(IngestRefusal, NamesTheTypeThatWasMeantAndTheTypeThatIsWanted) {
  TestWorld world;
  EXPECT_EQ(world.take(R"({"type":"survey.submited"})").error().detail,
            "\"survey.submited\" is not an event type. Did you mean \"survey.submitted\"?");
  EXPECT_EQ(world.take(R"({"type":"survey.submitted","data":{"nps":"9"}})").error().detail,
            "\"nps\" must be an integer; it is a string.");
}

TEST(IngestRefusal, LimitsAreInclusive) {
  TestWorld world;
  EXPECT_TRUE(world.take(event_with(nested(9)))) << "eight deep inside data";
  EXPECT_TRUE(world.take(event_with("{" + many(256) + "}"))) << "the type is none";
  const std::string frame = event_with(R"({"a":""})");
  const auto sized = [&](std::size_t size) {
    return event_with(R"({"a":")" + std::string(size - frame.size(), 'x') + "\"}");
  };
  EXPECT_TRUE(world.take(sized(65'536)));
  EXPECT_FALSE(world.take(sized(65'537)));
  EXPECT_TRUE(world.take(R"({"type":"menu.opened","id":")" + std::string(256, 'x') + "\"}"));
  EXPECT_TRUE(world.take(R"({"type":"menu.opened","subject":")" + std::string(512, 'x') + "\"}"));
  EXPECT_TRUE(world.take(event_with(R"({"a":[)" + many(0) + R"("x"]})")));
}

TEST(IngestRefusal, ElementsOfAnArrayAreNotProperties) {
  TestWorld world;
  std::string elements = R"({"id":1,"value":2})";
  for (int i = 0; i < 1000; ++i) elements += R"(,{"id":1,"value":2})";
  EXPECT_TRUE(world.take(event_with(R"({"list":[)" + elements + "]}")));
}

TEST(IngestRefusal, ThousandEventsAreTheMost) {
  TestWorld world;
  std::string events = R"({"type":"menu.opened"})";
  std::string lines = events;
  for (int i = 1; i < 1000; ++i) {
    events += R"(,{"type":"menu.opened"})";
    lines += "\n{\"type\":\"menu.opened\"}";
  }
  const http::Headers ndjson = {{.name = "Content-Type", .value = "application/x-ndjson"}};
  EXPECT_EQ(world.take("[" + events + "]")->events.size(), 1000U);
  EXPECT_EQ(world.take(lines, ndjson)->events.size(), 1000U);
  for (const auto& taken : {world.take("[" + events + ",{\"type\":\"menu.opened\"}]"),
                            world.take(lines + "\n{\"type\":\"menu.opened\"}", ndjson)}) {
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().status, 413);
    EXPECT_EQ(taken.error().code, "too_many_events");
  }
}

TEST(IngestRefusal, ListsEverythingThatIsWrongUpToAHundred) {
  TestWorld world;
  const auto taken =
      world.take(R"([{"type":"survey.submitted","id":1,"time":"x","data":{"nps":"9","answers":1}},)"
                 R"({"type":"y"}])");
  ASSERT_FALSE(taken);
  std::vector<std::string> places;
  for (const Problem& p : taken.error().errors)
    places.push_back(fmt::format("{}{}", *p.index, p.pointer));
  EXPECT_EQ(places,
            (std::vector<std::string>{"0/id", "0/time", "0/data/nps", "0/data/answers", "1/type"}));
  EXPECT_TRUE(taken.error().detail.contains("5 errors"));

  std::string events = R"({"type":"x"})";
  for (int i = 1; i < 300; ++i) events += R"(,{"type":"x"})";
  EXPECT_EQ(world.take("[" + events + "]").error().errors.size(), 100U);
  EXPECT_EQ(world.take(event_with("{\"wm\":{\"userVars\":{" + many(200) + "}}}")).has_value(),
            true);
}

struct HeaderCase {
  http::Headers headers;
  std::string body;
  int status;
  std::string_view code;
};

TEST(IngestRefusal, WrongMediaTypesAndEncodings) {
  const std::string good = R"({"type":"menu.opened"})";
  const auto type = [](std::string_view value) {
    return http::Headers{{.name = "Content-Type", .value = std::string(value)}};
  };
  const auto encoding = [](std::string_view value) {
    return http::Headers{{.name = "Content-Encoding", .value = std::string(value)}};
  };
  const HeaderCase cases[] = {
      {type("application/x-www-form-urlencoded"), good, 415, "unsupported_media_type"},
      {type("application/xml"), good, 415, "unsupported_media_type"},
      {type("application/cloudevents+avro"), good, 415, "unsupported_media_type"},
      {type("application/json; charset=iso-8859-1"), good, 415, "unsupported_media_type"},
      {encoding("br"), good, 415, "unsupported_content_encoding"},
      {encoding("gzip"), good, 400, "malformed_gzip"},
      {encoding("gzip"), gzip(good).substr(0, 30), 400, "malformed_gzip"},
      {encoding("gzip"), gzip(std::string(50'000'000, ' ')), 413, "request_too_large"},
      {{}, std::string(1'048'577, ' '), 413, "request_too_large"},
      {{{.name = "sent_at", .value = "noon"}}, good, 400, "invalid_sent_at"},
      {{{.name = "ce-type", .value = "menu.opened"}, {.name = "ce-id", .value = "%FF"}},
       "",
       400,
       "malformed_header"},
      {{{.name = "ce-type", .value = "menu.opened"}}, "{", 400, "malformed"},
  };
  for (const HeaderCase& c : cases) {
    TestWorld world;
    const auto taken = world.take(c.body, c.headers);
    ASSERT_FALSE(taken) << c.code;
    EXPECT_EQ(taken.error().status, c.status) << taken.error().detail;
    EXPECT_EQ(taken.error().code, c.code) << taken.error().detail;
  }
}

TEST(IngestRefusal, UnsupportedMediaTypeNamesThoseThatAre) {
  TestWorld world;
  const auto taken = world.take("", {{.name = "Content-Type", .value = "image/png"}});
  for (const std::string_view type :
       {"image/png", "application/json", "application/cloudevents+json",
        "application/cloudevents-batch+json", "application/x-ndjson", "text/plain"}) {
    EXPECT_TRUE(taken.error().detail.contains(type)) << type;
  }
}

TEST(IngestRefusal, GzipIsInflatedUpToTheLimit) {
  TestWorld world;
  for (const std::string_view name : {"gzip", "x-gzip", "GZIP"}) {
    EXPECT_TRUE(world.take(gzip(R"({"type":"menu.opened"})"),
                           {{.name = "Content-Encoding", .value = std::string(name)}}));
  }
  EXPECT_TRUE(
      world.take(R"({"type":"menu.opened"})", {{.name = "Content-Encoding", .value = "identity"}}));
  const std::string just_fits = R"({"type":"menu.opened"})" + std::string(1'048'576 - 22, ' ');
  ASSERT_EQ(just_fits.size(), limits::kRequestBytesMax);
  const auto taken = world.take("[" + just_fits.substr(0, just_fits.size() - 2) + "]",
                                {{.name = "Content-Encoding", .value = "identity"}});
  EXPECT_TRUE(taken) << taken.error().detail;
}

struct KeyCase {
  std::string_view target;
  http::Headers headers;
};

TEST(IngestRefusal, AllBadKeysAreAnsweredAlike) {
  const KeyCase cases[] = {
      {"/v1/events", {}},
      {"/v1/events?key=", {}},
      {"/v1/events?key=src_wrong", {}},
      {"/v1/events?key=src_off", {}},
      {"/v1/events", {{.name = "Authorization", .value = "Bearer src_wrong"}}},
      {"/v1/events", {{.name = "Authorization", .value = "Bearer"}}},
      {"/v1/events", {{.name = "Authorization", .value = "Basic src_any"}}},
      {"/v1/events", {{.name = "Authorization", .value = "src_any"}}},
      {"/v1/events?key=src_any", {{.name = "Authorization", .value = "Bearer src_wrong"}}},
  };
  std::string detail;
  for (const KeyCase& c : cases) {
    TestWorld world;
    http::Request request = TestWorld::post(R"({"type":"menu.opened"})");
    request.target = c.target;
    request.headers = c.headers;
    const auto taken = world.take(request);
    ASSERT_FALSE(taken) << c.target;
    EXPECT_EQ(taken.error().status, 401);
    EXPECT_EQ(taken.error().code, "unauthorized");
    EXPECT_TRUE(taken.error().errors.empty());
    if (detail.empty()) detail = taken.error().detail;
    EXPECT_EQ(taken.error().detail, detail);
  }
}

TEST(IngestRefusal, OtherMethods) {
  TestWorld world;
  http::Request request = TestWorld::post(R"({"type":"menu.opened"})");
  for (const http::Method method : {http::Method::get, http::Method::put, http::Method::delete_}) {
    request.method = method;
    EXPECT_EQ(world.take(request).error().status, 405);
  }
}

TEST(IngestRefusal, OriginsThatAreNotAllowed) {
  TestWorld world;
  const auto status = [&](std::string_view key, std::string_view origin) {
    http::Request request = TestWorld::post(R"({"type":"menu.opened"})");
    request.headers = {{.name = "Authorization", .value = "Bearer " + std::string(key)}};
    if (!origin.empty())
      request.headers.push_back({.name = "Origin", .value = std::string(origin)});
    const auto taken = world.take(request);
    return taken ? 202 : taken.error().status;
  };
  EXPECT_EQ(status("src_any", "https://x.example"), 202);
  EXPECT_EQ(status("src_server", ""), 202);
  EXPECT_EQ(status("src_server", "https://x.example"), 403);
  EXPECT_EQ(status("src_server", "null"), 403);
  EXPECT_EQ(status("src_shop", ""), 202);
  EXPECT_EQ(status("src_shop", "https://shop.example"), 202);
  EXPECT_EQ(status("src_shop", "https://x.example"), 403);
}

TEST(IngestRefusal, BrowsersAreLimitedServersAreNot) {
  TestWorld world;
  const http::Request server = TestWorld::post(R"({"type":"menu.opened"})");
  http::Request browser = server;
  browser.headers.push_back({.name = "Origin", .value = "https://x.example"});
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(world.take(server));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(world.take(browser)) << i;
  const auto taken = world.take(browser);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().status, 429);
  EXPECT_EQ(taken.error().code, "rate_limited");
  EXPECT_EQ(taken.error().retry_after, 10ms);
  EXPECT_TRUE(world.take(server));
  world.client.address.bytes[3] ^= 1;
  EXPECT_TRUE(world.take(browser)) << "another address";
  world.client.address.bytes[3] ^= 1;
  world.now.instant += 10ms;
  EXPECT_TRUE(world.take(browser));
}

TEST(IngestRefusal, WhatIsRefusedCountsForTheRateToo) {
  TestWorld world;
  http::Request browser =
      TestWorld::post("not json", {{.name = "Origin", .value = "https://x.example"}});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(world.take(browser).error().status, 400);
  EXPECT_EQ(world.take(browser).error().status, 429);
  // Even a request without any event counts.
  world.now.instant += 1s;
  browser.body = "[]";
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(world.take(browser));
  EXPECT_EQ(world.take(browser).error().status, 429);
}

TEST(IngestRefusal, ABatchCountsAsItsEvents) {
  TestWorld world;
  const std::string event = R"({"type":"menu.opened"})";
  http::Request browser = TestWorld::post("[" + event + "," + event + "," + event + "]",
                                          {{.name = "Origin", .value = "https://x.example"}});
  int requests_count = 0;
  while (world.take(browser)) ++requests_count;
  EXPECT_EQ(requests_count, 34);
}

struct PartialCase {
  std::string_view body;
  std::size_t taken_count;
  std::vector<std::size_t> rejected;
};

TEST(IngestPartial, TakesTheGoodAndListsTheBad) {
  const std::string_view json = "application/json";
  const std::string_view ndjson = "application/x-ndjson";
  const std::pair<std::string_view, PartialCase> cases[] = {
      {json, {R"([{"type":"menu.opened"},{"type":"x","id":5},{"type":"menu.opened"}])", 2, {1}}},
      {json, {R"([{"type":"x"},5])", 0, {0, 1}}},
      {json, {R"({"type":"x"})", 0, {0}}},
      {json,
       {R"([{"type":"menu.opened","data":{"a":99999999999999999999}},{"type":"menu.opened"}])",
        1,
        {0}}},
      {json,
       {R"([{"type":"menu.opened"},{"type":"menu.opened","data":{"a":"\ud800"}},{"type":"x"}])",
        1,
        {1, 2}}},
      {ndjson, {"{\"type\":\"menu.opened\"}\n{oops\n{\"type\":\"menu.opened\"}\n[]", 2, {1, 3}}},
      {ndjson,
       {"{\"type\":\"menu.opened\",\"data\":{\"a\":1e999}}\n{\"type\":\"menu.opened\"}", 1, {0}}},
  };
  for (const auto& [type, c] : cases) {
    TestWorld world;
    http::Request request =
        TestWorld::post(c.body, {{.name = "Content-Type", .value = std::string(type)}});
    request.target = "/v1/events?partial=1";
    const auto taken = world.take(request);
    ASSERT_TRUE(taken) << c.body;
    EXPECT_EQ(taken->events.size(), c.taken_count) << c.body;
    std::vector<std::size_t> indexes;
    for (const Problem& problem : taken->rejected) indexes.push_back(problem.index.value());
    EXPECT_EQ(indexes, c.rejected) << c.body;
    request.target = "/v1/events?partial=0";
    EXPECT_FALSE(world.take(request)) << "nothing is taken of " << c.body;
  }
}

TEST(IngestPartial, ListsEveryRejectedEvent) {
  TestWorld world;
  std::string events = R"({"type":"x"})";
  for (int i = 1; i < 1000; ++i) events += R"(,{"type":"x"})";
  http::Request request = TestWorld::post("[" + events + "]");
  request.target = "/v1/events?partial=true";
  EXPECT_EQ(world.take(request)->rejected.size(), 1000U);
}

TEST(IngestPartial, AMalformedBodyIsRefusedStill) {
  TestWorld world;
  http::Request request = TestWorld::post(R"([{"type":"menu.opened"},)");
  request.target = "/v1/events?partial=1";
  EXPECT_EQ(world.take(request).error().status, 400);
}

TEST(IngestRefusal, AMalformedLineRefusesAllLines) {
  TestWorld world;
  const auto taken = world.take("{\"type\":\"menu.opened\"}\n\n{\"type\":}\n",
                                {{.name = "Content-Type", .value = "application/x-ndjson"}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().status, 400);
  EXPECT_EQ(taken.error().errors.at(0).index, 1U);
  EXPECT_TRUE(taken.error().detail.contains("Line 3")) << taken.error().detail;
}

}  // namespace
TEST(IngestRefusal, TheGravestErrorSaysWhatTheAnswerIs) {
  TestWorld world;
  const auto taken = world.take("{\"type\":\"menu.opened\"}\n{\"type\":\"x\"}\nbroken\n",
                                {{.name = "Content-Type", .value = "application/x-ndjson"}});
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().status, 400);
  EXPECT_EQ(taken.error().code, "malformed");
  EXPECT_EQ(taken.error().errors.front().code, "unknown_type");
}

}  // namespace eilpost::ingest
