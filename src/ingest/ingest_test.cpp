// Goal: what a sender may write is taken, in every form, and becomes the canonical document.

#include "ingest/ingest.h"

#include <gtest/gtest.h>

#include "ingest/ingest_support_for_test.h"
#include "model/event_document.h"

namespace eilpost::ingest {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kFull =
    R"({"specversion":"1.0","id":"e1","source":"https://app.example.com",)"
    R"("type":"survey.submitted",)"
    R"("time":"2026-11-24T09:00:00.123Z","subject":"u1","partitionkey":7,)"
    R"("data":{"sId":"s1","oId":152605,"nps":9,"wm":{"language":"de","env":9,"x":1},"extra":[1]}})";

TEST(Ingest, WritesTheCanonicalDocument) {
  TestWorld world;
  const auto taken = world.take(kFull);
  ASSERT_TRUE(taken) << taken.error().detail;
  ASSERT_EQ(taken->events.size(), 1U);
  EXPECT_EQ(taken->events[0].document,
            R"({"event":{"id":"e1","type":"survey.submitted","name":"Survey submitted",)"
            R"("time":"2026-11-24T09:00:00.123Z","received_at":"2026-11-24T09:00:10.000Z",)"
            R"("source":"https://app.example.com","partitionkey":7,"subject":"u1"},)"
            R"("created_at":1795510800123,"data":{"sId":"s1","oId":152605,"nps":9,)"
            R"("wm":{"language":"de","env":3,"x":1,"euId":"u1","envName":"test"},"extra":[1]}})");
}

TEST(Ingest, RepeatsInTheEventWhatIsNeededForRouting) {
  TestWorld world;
  const auto taken = world.take(kFull);
  ASSERT_TRUE(taken);
  const Event& event = taken->events.at(0);
  EXPECT_EQ(event.id, "e1");
  EXPECT_EQ(event.type, "survey.submitted");
  EXPECT_EQ(event.user, "u1");
  EXPECT_EQ(event.environment, EnvironmentId::test);
  EXPECT_EQ(event.source, SourceId{1});
  EXPECT_EQ(event.time, parse_iso_time("2026-11-24T09:00:00.123Z"));
  EXPECT_EQ(event.received_at, world.now.wall);
  EXPECT_EQ(taken->source, &world.sources.all()[0]);
  EXPECT_TRUE(taken->rejected.empty());
}

TEST(Ingest, OnlyATypeIsRequired) {
  TestWorld world;
  const auto taken = world.take(R"({"type":"menu.opened"})");
  ASSERT_TRUE(taken);
  const Event& event = taken->events.at(0);
  EXPECT_EQ(event.user, "");
  EXPECT_EQ(event.time, world.now.wall);
  EXPECT_EQ(event.document,
            R"({"event":{"id":")" + event.id +
                R"(","type":"menu.opened","name":"Menu opened","time":"2026-11-24T09:00:10.000Z",)"
                R"("received_at":"2026-11-24T09:00:10.000Z"},"created_at":1795510810000,)"
                R"("data":{"wm":{"env":3,"envName":"test"}}})");
}

TEST(Ingest, AMissingIdIsMade) {
  TestWorld world;
  const auto taken = world.take(R"([{"type":"menu.opened"},{"type":"menu.opened","id":null}])");
  ASSERT_TRUE(taken);
  const std::string& id = taken->events.at(0).id;
  EXPECT_NE(id, taken->events.at(1).id);
  ASSERT_EQ(id.size(), 36U);
  EXPECT_EQ(id[14], '4');
  EXPECT_TRUE(std::string_view("89ab").contains(id[19])) << id;
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos);
}

TEST(Ingest, TheSameRequestGivesTheSameEvents) {
  TestWorld world;
  const auto first = world.take(kFull);
  const auto other = world.take(R"({"type":"menu.opened"})");
  const auto second = world.take(kFull);
  ASSERT_TRUE(first && other && second);
  EXPECT_EQ(first->events.at(0).document, second->events.at(0).document);
}

TEST(Ingest, EverySampleOfTheCatalogIsTakenWhole) {
  TestWorld world;
  simdjson::dom::parser parser;
  for (const EventType& type : world.catalog.types()) {
    if (type.is_operational) {
      const auto refused = world.take(type.sample);
      ASSERT_FALSE(refused) << type.code;
      EXPECT_EQ(refused.error().status, 422);
      EXPECT_EQ(refused.error().errors.at(0).code, "operations_type");
      continue;
    }
    const auto taken = world.take(type.sample);
    ASSERT_TRUE(taken) << type.code << ": " << taken.error().detail;
    const Event& event = taken->events.at(0);
    EXPECT_EQ(event.type, type.code);
    EXPECT_TRUE(EventDocument::parse(parser, event.document)) << event.document;
    Json sent = parse_json(type.sample).value()["data"];
    if (!type.is_operational) {
      sent["wm"]["env"] = 3;
      sent["wm"]["envName"] = "test";
    }
    EXPECT_EQ(parse_json(event.document).value()["data"], sent);
  }
}

struct FormCase {
  std::string_view what;
  http::Headers headers;
  std::string body;
  std::size_t events_count;
};

TEST(Ingest, TakesEveryFormOfBody) {
  constexpr std::string_view kOne = R"({"type":"menu.opened"})";
  const std::string one(kOne);
  const std::string two = "[" + one + ",\n " + one + "]";
  const auto type = [](std::string_view value) {
    return http::Headers{{.name = "content-type", .value = std::string(value)}};
  };
  const FormCase cases[] = {
      {"no type", {}, one, 1},
      {"json", type("application/json"), one, 1},
      {"json, array", type("application/json; charset=UTF-8"), two, 2},
      {"empty array", type("application/json"), "[]", 0},
      {"cloudevents", type("application/cloudevents+json;charset=\"utf-8\""), one, 1},
      {"batch", type("Application/CloudEvents-Batch+JSON"), two, 2},
      {"beacon", type("text/plain;charset=UTF-8"), two, 2},
      {"ndjson", type("application/x-ndjson"), one + "\r\n\n" + one + "\n", 2},
      {"ndjson, no last line end", type("application/x-ndjson"), one + "\n" + one, 2},
      {"blanks", type("application/json"), " \n" + one + "\n ", 1},
      {"byte order mark", type("application/json"), "\xEF\xBB\xBF" + one, 1},
  };
  for (const FormCase& c : cases) {
    TestWorld world;
    const auto taken = world.take(c.body, c.headers);
    ASSERT_TRUE(taken) << c.what << ": " << taken.error().detail;
    EXPECT_EQ(taken->events.size(), c.events_count) << c.what;
  }
}

TEST(Ingest, KeepsTheOrderOfABatch) {
  TestWorld world;
  const auto taken =
      world.take(R"([{"type":"menu.opened","id":"b"},{"type":"menu.opened","id":"a"},)"
                 R"({"type":"menu.opened","id":"c"}])");
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->events.at(0).id, "b");
  EXPECT_EQ(taken->events.at(1).id, "a");
  EXPECT_EQ(taken->events.at(2).id, "c");
}

TEST(Ingest, TakesTheBinaryModeOfCloudEvents) {
  TestWorld world;
  const Json document = world.document(R"( {"search":{"term":"x"}} )",
                                       {{.name = "Content-Type", .value = "application/json"},
                                        {.name = "ce-specversion", .value = "1.0"},
                                        {.name = "CE-Type", .value = "menu.searched"},
                                        {.name = "ce-id", .value = "\"a \\\"b\""},
                                        {.name = "ce-source", .value = "/caf%C3%A9%20%22x%22"},
                                        {.name = "ce-subject", .value = "100%"},
                                        {.name = "ce-team", .value = "42"}});
  ASSERT_TRUE(document.is_object());
  EXPECT_EQ(document["event"]["id"], "a \"b");
  EXPECT_EQ(document["event"]["source"], "/café \"x\"");
  EXPECT_EQ(document["event"]["subject"], "100%");
  EXPECT_EQ(document["event"]["team"], "42");
  EXPECT_FALSE(document["event"].contains("specversion"));
  EXPECT_EQ(document["data"]["search"]["term"], "x");
}

TEST(Ingest, BinaryModeNeedsNoData) {
  TestWorld world;
  EXPECT_TRUE(world.document("", {{.name = "ce-type", .value = "menu.opened"}}).is_object());
}

TEST(Ingest, StructuredModeDoesNotReadBinaryHeaders) {
  TestWorld world;
  const Json document =
      world.document(R"({"type":"menu.opened"})",
                     {{.name = "Content-Type", .value = "application/cloudevents+json"},
                      {.name = "ce-type", .value = "menu.searched"}});
  EXPECT_EQ(document["event"]["type"], "menu.opened");
}

TEST(Ingest, BinaryDataCannotReachOutOfItsPlace) {
  TestWorld world;
  const auto taken =
      world.take(R"({},"id":"forged")", {{.name = "ce-type", .value = "menu.opened"}});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().status, 400);
}

TEST(Ingest, TheKeyMayStandInHeaderOrQuery) {
  TestWorld world;
  http::Request request = TestWorld::post(R"({"type":"menu.opened"})");
  request.headers.clear();
  request.target = "/v1/events?x=1&key=src_any";
  ASSERT_TRUE(world.take(request));
  EXPECT_EQ(world.take(request)->source->id, SourceId{1});
  request.headers = {{.name = "authorization", .value = "bearer   src_server "}};
  ASSERT_TRUE(world.take(request)) << "the scheme is of any case";
  EXPECT_EQ(world.take(request)->source->id, SourceId{2}) << "the header counts";
}

TEST(Ingest, StampsTheEnvironmentOverWhateverTheClientSays) {
  TestWorld world;
  for (const std::string_view data :
       {R"({"wm":{"env":9,"envName":"x"}})", R"({"wm.env":9,"wm.envName":"x"})", R"({"wm":null})",
        R"({"wm":{"env":"wrong type","envName":{}}})", R"({"wm":{"env":1},"wm.env":2})", "{}",
        "null"}) {
    const Json document =
        world.document(R"({"type":"menu.opened","data":)" + std::string(data) + "}");
    EXPECT_EQ(document["data"], Json::parse(R"({"wm":{"env":3,"envName":"test"}})")) << data;
  }
}

struct UserCase {
  std::string_view members;  // behind the type
  std::string_view user;
  std::string_view data;
};

TEST(Ingest, SubjectAndEndUserFillEachOther) {
  const UserCase cases[] = {
      {R"("subject":"s")", "s", R"({"wm":{"euId":"s","env":3,"envName":"test"}})"},
      {R"("data":{"wm":{"euId":"e"}})", "e", R"({"wm":{"euId":"e","env":3,"envName":"test"}})"},
      {R"("subject":"s","data":{"wm":{"a":1,"euId":"e","b":2}})", "e",
       R"({"wm":{"a":1,"euId":"e","b":2,"env":3,"envName":"test"}})"},
      {R"("subject":"s","data":{"wm.euId":"lit","wm":{"euId":"e"},"x":1})", "lit",
       R"({"wm":{"euId":"lit","env":3,"envName":"test"},"x":1})"},
      {R"("subject":"s","data":{"wm.euId":"lit"})", "lit",
       R"({"wm":{"euId":"lit","env":3,"envName":"test"}})"},
      {R"("subject":"s","data":{"wm.euId":null,"wm":{"euId":"e"}})", "e",
       R"({"wm":{"euId":"e","env":3,"envName":"test"}})"},
      {R"("subject":"s","data":{"wm":{"euId":null}})", "s",
       R"({"wm":{"euId":"s","env":3,"envName":"test"}})"},
      {R"("subject":"s","data":{"wm":{"euId":""}})", "s",
       R"({"wm":{"euId":"s","env":3,"envName":"test"}})"},
  };
  for (const UserCase& c : cases) {
    TestWorld world;
    const auto taken = world.take(R"({"type":"menu.opened",)" + std::string(c.members) + "}");
    ASSERT_TRUE(taken) << c.members << ": " << taken.error().detail;
    EXPECT_EQ(taken->events.at(0).user, c.user) << c.members;
    const Json document = parse_json(taken->events.at(0).document).value();
    EXPECT_EQ(document["event"]["subject"], c.user) << c.members;
    EXPECT_EQ(to_text(document["data"]), c.data) << c.members;
  }
}

TEST(Ingest, TheServersOwnAttributesCannotBeSent) {
  TestWorld world;
  const Json document = world.document(
      R"({"type":"menu.opened","name":"x","received_at":"y","client_time":"z","dataschema":"d"})");
  EXPECT_EQ(document["event"]["name"], "Menu opened");
  EXPECT_EQ(document["event"]["received_at"], "2026-11-24T09:00:10.000Z");
  EXPECT_FALSE(document["event"].contains("client_time"));
  EXPECT_EQ(document["event"]["dataschema"], "d");
}

TEST(Ingest, KeepsUnknownPropertiesDottedKeysAndDataThatEventShadows) {
  TestWorld world;
  constexpr std::string_view kData =
      R"({"b":1,"a":{"deep.key":[{"x":null}]},"event":{"id":5},"created_at":"text","":0,)"
      R"("element.name":7,"wm":{"userVars":{"a.b":1},"env":3,"envName":"test"}})";
  const Json document =
      world.document(R"({"type":"menu.opened","data":)" + std::string(kData) + "}");
  EXPECT_EQ(to_text(document["data"]), kData);
}

TEST(Ingest, NumbersKeepTheirDigits) {
  TestWorld world;
  const auto taken = world.take(
      R"({"type":"menu.opened","data":{"a":18446744073709551615,"b":-9223372036854775808,)"
      R"("c":9007199254740993,"d":0.1,"e":1e300,"f":9.0,"g":-0.5}})");
  ASSERT_TRUE(taken);
  EXPECT_TRUE(taken->events.at(0).document.contains(
      R"("a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993,"d":0.1,)"
      R"("e":1e+300,"f":9,"g":-0.5)"))
      << taken->events.at(0).document;
}

struct TypeCase {
  std::string_view type;
  std::string_view data;
};

TEST(Ingest, AcceptsTheDeclaredTypesAndNull) {
  const TypeCase cases[] = {
      {"survey.submitted", R"({"nps":9.0})"},
      {"survey.submitted", R"({"nps":null,"answers":null,"oId":null})"},
      {"launcher.clicked", R"({"oId":"text"})"},
      {"launcher.clicked", R"({"oId":18446744073709551615})"},
      {"launcher.clicked", R"({"oId":7.0})"},
      {"onboarding.task_completed", R"({"progress":1})"},
      {"onboarding.task_completed", R"({"progress":0.25})"},
      {"survey.question_answered", R"({"value":[1,"x"]})"},
      {"survey.question_answered", R"({"value":{"a":1}})"},
      {"menu.opened", R"({"oId":{"undeclared":"here"}})"},
      {"menu.opened", R"({"wm":{"userVars":{"a":"x","b":1,"c":true,"d":1.5}}})"},
      {"menu.opened", R"({"env.mobile":true,"env":{"screen.width":5}})"},
      {"menu.opened", R"({"ctx":"text","env":[1]})"},
      {"menu.searched", R"({"search":5})"},
  };
  for (const TypeCase& c : cases) {
    TestWorld world;
    const auto taken = world.take(R"({"type":")" + std::string(c.type) + R"(","data":)" +
                                  std::string(c.data) + "}");
    EXPECT_TRUE(taken) << c.data << ": " << taken.error().detail;
  }
}

TEST(Ingest, CustomTypesAreChecked) {
  TestWorld world;
  EventType type;
  type.code = "custom.order";
  type.label = {.en = "Order \"placed\"", .de = "Bestellung"};
  type.properties = {{.path = "items.0.price", .type = PropertyType::number, .description = {}},
                     {.path = "tags.*", .type = PropertyType::string, .description = {}}};
  world.catalog = Catalog({type});
  EXPECT_TRUE(world.take(R"({"type":"custom.order","data":{"items":[{"price":1},{"price":"x"}],)"
                         R"("tags":["a"],"free":{}}})"));
  const auto bad = world.take(
      R"({"type":"custom.order","data":{"items":[{"price":"x"}],"tags":["a",2],"tags.y":3}})");
  ASSERT_FALSE(bad);
  ASSERT_EQ(bad.error().errors.size(), 3U);
  EXPECT_EQ(bad.error().errors[0].pointer, "/data/items/0/price");
  EXPECT_EQ(bad.error().errors[1].pointer, "/data/tags/1");
  EXPECT_EQ(bad.error().errors[2].pointer, "/data/tags.y");
  EXPECT_EQ(world.document(R"({"type":"custom.order"})")["event"]["name"], "Order \"placed\"");
  EXPECT_TRUE(world.take(world.catalog.types().back().sample));
}

struct TimeCase {
  std::string_view time;     // empty: none
  std::string_view sent_at;  // empty: none
  std::string_view result;
  std::string_view client_time;
};

// The server's clock says 09:00:10.
TEST(Ingest, CorrectsAndClampsTimes) {
  const TimeCase cases[] = {
      {"", "", "2026-11-24T09:00:10.000Z", ""},
      {"", "2026-11-24T08:00:10Z", "2026-11-24T09:00:10.000Z", ""},
      {"2026-11-24T09:00:00Z", "", "2026-11-24T09:00:00.000Z", ""},
      {"2026-11-24T10:00:00.1239+01:00", "", "2026-11-24T09:00:00.123Z", ""},
      {"2020-01-01T00:00:00Z", "", "2020-01-01T00:00:00.000Z", ""},
      {"2026-11-24T10:00:10Z", "", "2026-11-24T10:00:10.000Z", ""},
      {"2026-11-24T10:00:10.001Z", "", "2026-11-24T09:00:10.000Z", "2026-11-24T10:00:10.001Z"},
      {"9999-12-31T23:59:59Z", "", "2026-11-24T09:00:10.000Z", "9999-12-31T23:59:59Z"},
      // The client's clock is two hours ahead, one hour behind.
      {"2026-11-24T11:00:00Z", "2026-11-24T11:00:10Z", "2026-11-24T09:00:00.000Z", ""},
      {"2026-11-24T08:00:00Z", "2026-11-24T08:00:10Z", "2026-11-24T09:00:00.000Z", ""},
      {"2026-11-24T08:00:00Z", "1795507210000", "2026-11-24T09:00:00.000Z", ""},
      {"2026-11-24T12:30:00Z", "2026-11-24T11:00:10Z", "2026-11-24T09:00:10.000Z",
       "2026-11-24T12:30:00Z"},
      {"0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00.000Z", ""},
  };
  for (const TimeCase& c : cases) {
    TestWorld world;
    http::Headers headers;
    if (!c.sent_at.empty()) {
      headers.push_back({.name = "Eilpost-Sent-At", .value = std::string(c.sent_at)});
    }
    std::string body = R"({"type":"menu.opened")";
    if (!c.time.empty()) body += R"(,"time":")" + std::string(c.time) + '"';
    const auto taken = world.take(body + "}", headers);
    ASSERT_TRUE(taken) << c.time << ": " << taken.error().detail;
    const Json document = parse_json(taken->events.at(0).document).value();
    const Json& event = document["event"];
    EXPECT_EQ(event["time"], c.result) << c.time << " " << c.sent_at;
    EXPECT_EQ(event.value("client_time", ""), c.client_time) << c.time;
    EXPECT_EQ(document["created_at"], parse_iso_time(c.result)->time_since_epoch().count());
    EXPECT_EQ(taken->events.at(0).time, parse_iso_time(c.result));
    EXPECT_EQ(event["received_at"], "2026-11-24T09:00:10.000Z");
  }
}

TEST(Ingest, SentAtMayStandInOneOfSeveralHeadersOrInTheQuery) {
  TestWorld world;
  const auto time_of = [&](http::Request request) {
    const auto taken = world.take(request);
    return taken ? format_iso_time(taken->events.at(0).time) : taken.error().code;
  };
  constexpr std::string_view kBody = R"({"type":"menu.opened","time":"2026-11-24T08:00:00Z"})";
  for (const std::string_view name : {"eilpost-sent-at", "sent_at", "Sent-At"}) {
    EXPECT_EQ(time_of(TestWorld::post(
                  kBody, {{.name = std::string(name), .value = "2026-11-24T08:00:10Z"}})),
              "2026-11-24T09:00:00.000Z");
  }
  for (const std::string_view value :
       {"2026-11-24T08:00:10Z", "2026-11-24T09:00:10%2B01:00", "2026-11-24T09:00:10+01:00"}) {
    http::Request request = TestWorld::post(kBody);
    request.target = "/v1/events?sent_at=" + std::string(value);
    EXPECT_EQ(time_of(request), "2026-11-24T09:00:00.000Z") << value;
  }
}

}  // namespace
}  // namespace eilpost::ingest
