// Method: the management API as a client of a whole server sees it.

#include "admin/admin.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "admin/api.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using http::Method;
using testing::HasSubstr;

class AdminTest : public testing::Test {
 protected:
  Answer with_key(std::string_view key, Method method, std::string_view path,
                  const Json& body = nullptr) {
    return server_.call(method, "/api/v1/" + std::string(path),
                        {{"Authorization", "Bearer " + std::string(key)}},
                        body.is_null() ? "" : to_text(body));
  }
  std::string make_key(std::string_view role, const Json& more = Json::object()) {
    Json json = {{"name", role}, {"role", role}};
    json.merge_patch(more);
    const Answer made = server_.post("api-keys", json);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.json().value("key", "");
  }
  std::string make_destination(std::string_view name = "crm") {
    return server_.add_destination(server_.receiver(name).url(), {{"name", name}});
  }

  TestServer server_{/*seed=*/1};
};

TEST_F(AdminTest, WithoutAKnownKeyNothingIsAnswered) {
  const Answer none = server_.call(Method::get, "/api/v1/webhooks");
  EXPECT_EQ(none.status, 401);
  EXPECT_EQ(none.code(), "unauthenticated");
  EXPECT_EQ(none.header("www-authenticate"), "Bearer");
  EXPECT_EQ(none.header("content-type"), "application/problem+json");
  EXPECT_EQ(with_key("eil_unknown", Method::get, "webhooks").status, 401);
  EXPECT_EQ(with_key(server_.source_key(), Method::get, "webhooks").status, 401);
  EXPECT_EQ(server_
                .call(Method::get, "/api/v1/webhooks",
                      {{"Authorization", "Basic " + std::string(TestServer::kApiKey)}})
                .status,
            401);
  EXPECT_EQ(server_.call(Method::get, "/api/v1/nothing").status, 401);
}

TEST_F(AdminTest, AKeyEndsWhenItExpiresOrIsDeleted) {
  const std::string short_lived =
      make_key("viewer", {{"expires_at", "2026-11-24T10:00:00Z"}});  // In an hour.
  EXPECT_EQ(with_key(short_lived, Method::get, "webhooks").status, 200);
  server_.wait(1h);
  EXPECT_EQ(with_key(short_lived, Method::get, "webhooks").status, 401);

  const std::string key = make_key("admin");
  const std::vector<Json> keys = server_.list("api-keys");
  for (const Json& each : keys) {
    if (each.at("name") != "admin") continue;
    EXPECT_EQ(server_.api(Method::delete_, "api-keys/" + each.at("id").get<std::string>()).status,
              204);
  }
  EXPECT_EQ(with_key(key, Method::get, "webhooks").status, 401);
}

TEST_F(AdminTest, UnknownPathsAndMethods) {
  for (const char* path : {"", "nothing", "webhooks/x/y/z", "webhooks/", "../v1/webhooks"}) {
    const Answer answer = server_.get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(answer.code(), "not_found") << path;
  }
  const Answer refused = server_.api(Method::delete_, "webhooks");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.code(), "method_not_allowed");
  EXPECT_EQ(refused.header("allow"), "GET, POST");
  EXPECT_EQ(server_.api(Method::put, "stats").header("allow"), "GET");
}

TEST_F(AdminTest, EveryRouteAsksForItsRoleAndKnowsItsObjects) {
  const std::string viewer = make_key("viewer");
  const std::string editor = make_key("editor");
  for (const admin::Route& route : admin::routes()) {
    std::string path(route.path);
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "wh_0000000000000");
    }
    const std::string name = fmt::format("{} {}", http::to_string(route.method), route.path);
    const Answer as_viewer = with_key(viewer, route.method, path, Json::object());
    const Answer as_editor = with_key(editor, route.method, path, Json::object());
    EXPECT_EQ(as_viewer.status == 403, route.role > admin::Role::viewer) << name;
    EXPECT_EQ(as_editor.status == 403, route.role > admin::Role::editor) << name;
    const Answer as_admin = server_.api(route.method, path, Json::object());
    EXPECT_NE(as_admin.status, 403) << name;
    EXPECT_LT(as_admin.status, 500) << name << as_admin.body;
    EXPECT_NE(as_admin.status, 0) << name;
    if (as_admin.status < 400) continue;
    const Json problem = as_admin.json();
    EXPECT_EQ(problem.at("status"), as_admin.status) << name;
    for (const char* member : {"type", "title", "code", "detail"}) {
      EXPECT_TRUE(problem.contains(member)) << name << " " << member;
    }
  }
}

TEST_F(AdminTest, ABodyMustBeAJsonObject) {
  for (const char* body : {"{", "[]", "7", "{\"a\":1}x", "\xff"}) {
    const Answer answer =
        server_.call(Method::post, "/api/v1/webhooks",
                     {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}}, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.code(), "malformed_json") << body;
  }
}

TEST_F(AdminTest, AProblemPointsAtWhatIsWrong) {
  const Answer answer = server_.post("webhooks", {{"name", "x"}, {"event", "nothing.happened"}});
  EXPECT_EQ(answer.status, 422);
  ASSERT_TRUE(answer.json().contains("errors"));
  std::set<std::string> pointers;
  for (const Json& error : answer.json().at("errors")) {
    EXPECT_FALSE(error.at("detail").get<std::string>().empty());
    pointers.insert(error.at("pointer"));
  }
  EXPECT_TRUE(pointers.contains("/event"));
  EXPECT_TRUE(pointers.contains("/destination"));
}

TEST_F(AdminTest, ListsComeInPages) {
  std::set<std::string> made;
  for (int i = 0; i < 7; ++i) made.insert(make_destination(fmt::format("d{}", i)));
  std::set<std::string> seen;
  std::string cursor;
  std::size_t pages = 0;
  do {
    const Answer page = server_.get("destinations?limit=3&cursor=" + cursor);
    ASSERT_EQ(page.status, 200);
    EXPECT_LE(page.json().at("data").size(), 3U);
    for (const Json& each : page.json().at("data")) {
      EXPECT_TRUE(seen.insert(each.at("id")).second);
    }
    const Json next = page.json().at("next_cursor");
    cursor = next.is_null() ? "" : next.get<std::string>();
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(pages, 3U);
  EXPECT_EQ(seen.size(), 8U);  // The first start made one too.
  for (const std::string& id : made) EXPECT_TRUE(seen.contains(id));
  for (const char* limit : {"0", "201", "x", "-1"}) {
    EXPECT_EQ(server_.get(std::string("destinations?limit=") + limit).code(), "bad_parameter");
  }
}

TEST_F(AdminTest, DeliveriesComeInPagesNewestFirst) {
  (void)server_.add_webhook("survey.submitted", make_destination());
  for (int i = 0; i < 7; ++i) {
    (void)server_.post_event(fmt::format(
        R"({{"id":"e{}","type":"survey.submitted","data":{{"wm":{{"euId":"u{}"}}}}}})", i, i % 2));
    server_.wait(10ms);
  }
  std::vector<std::string> order;
  std::string cursor;
  do {
    const Json page = server_.get("deliveries?limit=2&cursor=" + cursor).json();
    for (const Json& each : page.at("data")) order.push_back(each.at("event_id"));
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty());
  ASSERT_EQ(order.size(), 7U);
  EXPECT_EQ(order.front(), "e6");
  EXPECT_EQ(order.back(), "e0");
  EXPECT_EQ(server_.list("deliveries?user=u1").size(), 3U);
  EXPECT_EQ(server_.list("deliveries?event_id=e3").size(), 1U);
  EXPECT_EQ(server_.list("events").size(), 7U);
  EXPECT_EQ(server_.list("deliveries?from=2026-11-24T10:00:00Z").size(), 0U);
  EXPECT_EQ(server_.get("deliveries?state=lost").code(), "bad_parameter");
  EXPECT_EQ(server_.get("deliveries?from=yesterday").code(), "bad_parameter");
  EXPECT_EQ(server_.get("deliveries?cursor=nonsense").status, 400);
  const Json event = server_.list("events").front();
  const Answer shown = server_.get("events/" + event.at("sequence").get<std::string>());
  EXPECT_EQ(shown.json().at("document").at("event").at("id"), "e6");
}

TEST_F(AdminTest, AChangeMayDependOnTheVersionThatWasSeen) {
  const std::string path =
      "webhooks/" + server_.add_webhook("survey.submitted", make_destination());
  const Answer shown = server_.get(path);
  EXPECT_EQ(shown.header("etag"), "\"1\"");
  const auto change = [&](std::string_view name, std::string_view version) {
    return server_.api(Method::patch, path, {{"name", name}}, {{"If-Match", std::string(version)}});
  };
  const Answer first = change("a", "\"1\"");
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("etag"), "\"2\"");
  const Answer stale = change("b", "\"1\"");
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(change("b", "2").status, 412);
  EXPECT_EQ(change("b", "\"x\"").status, 412);
  EXPECT_EQ(change("c", "*").status, 200);
  EXPECT_EQ(server_.get(path).json().at("name"), "c");
  EXPECT_EQ(server_.api(Method::delete_, path, nullptr, {{"If-Match", "\"1\""}}).status, 412);
  EXPECT_EQ(server_.api(Method::delete_, path, nullptr, {{"If-Match", "\"3\""}}).status, 204);
  EXPECT_EQ(server_.get(path).status, 404);
}

TEST_F(AdminTest, VersionsAreKept) {
  const std::string path =
      "webhooks/" + server_.add_webhook("survey.submitted", make_destination());
  EXPECT_EQ(server_.patch(path, {{"name", "Second"}}).status, 200);
  const Json versions = server_.get(path + "/versions").json().at("data");
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].at("version"), 2);
  EXPECT_EQ(versions[0].at("webhook").at("name"), "Second");
  EXPECT_EQ(versions[1].at("webhook").at("name"), "Webhook");
  EXPECT_THAT(versions[0].at("author").get<std::string>(), HasSubstr("API key"));
}

TEST_F(AdminTest, AnIdempotencyKeyMakesAPostHappenOnce) {
  const auto create = [&](std::string_view key, std::string_view name) {
    return server_.api(Method::post, "sources", {{"name", name}, {"environment", "production"}},
                       {{"Idempotency-Key", std::string(key)}});
  };
  const std::size_t before = server_.list("sources").size();
  const Answer first = create("k1", "a");
  const Answer again = create("k1", "a");
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.body, first.body);
  EXPECT_EQ(server_.list("sources").size(), before + 1);
  const Answer reused = create("k1", "b");
  EXPECT_EQ(reused.status, 422);
  EXPECT_EQ(reused.code(), "idempotency_key_reused");
  EXPECT_EQ(create("k2", "a").status, 201);
  EXPECT_EQ(server_.list("sources").size(), before + 2);
}

TEST_F(AdminTest, AnIdempotencyKeyHoldsForRequestsAtOnce) {
  const std::size_t before = server_.list("sources").size();
  std::vector<std::shared_ptr<Exchange>> requests;
  for (int i = 0; i < 5; ++i) {
    requests.push_back(server_.begin(
        Method::post, "/api/v1/sources",
        {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}, {"Idempotency-Key", "k"}},
        R"({"name":"a","environment":"production"})"));
  }
  server_.wait(1s);
  EXPECT_EQ(server_.list("sources").size(), before + 1);
  for (const auto& each : requests) {
    ASSERT_TRUE(each->answer);
    EXPECT_TRUE(each->answer->status == 201 || each->answer->status == 409) << each->answer->status;
  }
}

TEST_F(AdminTest, AnIdempotencyKeyIsLetGoByARequestThatEndsWithoutAnswer) {
  Receiver& receiver = server_.receiver("crm");
  receiver.answers(
      [](const http::Request&, std::size_t index) { return Reply{.hangs = index == 0}; });
  const std::string path = "destinations/" + make_destination() + "/test";
  const http::Headers headers = {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)},
                                 {"Idempotency-Key", "k"}};
  (void)server_.begin(Method::post, "/api/v1/" + path, headers);
  server_.wait(100ms);
  EXPECT_EQ(server_.call(Method::post, "/api/v1/" + path, headers).code(),
            "idempotency_key_in_use");
  server_.env().internet().break_connections(env::Address{.bytes = {10, 0, 0, 1}});
  server_.wait(100ms);
  EXPECT_EQ(server_.call(Method::post, "/api/v1/" + path, headers).status, 200);
}

TEST_F(AdminTest, ADestinationInUseIsNotDeleted) {
  const std::string destination = make_destination();
  const std::string webhook = server_.add_webhook("survey.submitted", destination);
  const Answer refused = server_.api(Method::delete_, "destinations/" + destination);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr(webhook));
  EXPECT_EQ(server_.get("destinations/" + destination).json().at("webhooks"), Json({webhook}));
  EXPECT_EQ(server_.api(Method::delete_, "webhooks/" + webhook).status, 204);
  EXPECT_EQ(server_.api(Method::delete_, "destinations/" + destination).status, 204);
}

TEST_F(AdminTest, APreviewShowsTheRequestAndSendsNothing) {
  const std::string destination = make_destination();
  const Json webhook = {
      {"name", "Draft"},
      {"event", "survey.submitted"},
      {"destination", destination},
      {"properties", {{{"property", "nps"}, {"as", "score"}}, {{"property", "missing.one"}}}},
      {"conditions",
       {{"all", {{{"property", "nps"}, {"operator", "greater_than"}, {"value", 5}}}}}}};
  const Json event = {{"type", "survey.submitted"}, {"data", {{"nps", 3}}}};
  const Answer answer = server_.post("webhooks/preview", {{"webhook", webhook}, {"event", event}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json shown = answer.json();
  EXPECT_EQ(shown.at("wanted"), false);
  EXPECT_EQ(shown.at("request").at("body"), R"({"score":3})");
  EXPECT_EQ(shown.at("request").at("url"), Json(server_.receiver("crm").url()));
  const Json origins = {{{"name", "missing.one"}, {"property", "missing.one"}, {"missing", true}},
                        {{"name", "score"}, {"property", "nps"}, {"missing", false}}};
  EXPECT_EQ(shown.at("properties"), origins);
  EXPECT_FALSE(shown.at("conditions").empty());
  server_.wait(1min);
  EXPECT_TRUE(server_.receiver("crm").seen().empty());
  EXPECT_TRUE(server_.list("deliveries").empty());
}

TEST_F(AdminTest, ATestSendsOnceAndIsMarked) {
  Receiver& receiver = server_.receiver("crm");
  receiver.answers(
      [](const http::Request&, std::size_t) { return Reply{.status = 418, .body = "tea"}; });
  const std::string webhook = server_.add_webhook("survey.submitted", make_destination());
  const Answer answer = server_.post("webhooks/" + webhook + "/test");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().at("outcome"), "answered");
  EXPECT_EQ(answer.json().at("status"), 418);
  EXPECT_EQ(answer.json().at("success"), false);
  EXPECT_EQ(answer.json().at("answer"), "tea");
  server_.wait(24h);
  ASSERT_EQ(receiver.seen().size(), 1U);
  EXPECT_EQ(receiver.seen()[0].header("webhook-test"), "true");
  EXPECT_EQ(receiver.seen()[0].request.body,
            answer.json().at("request").at("body").get<std::string>());
  EXPECT_TRUE(server_.list("deliveries").empty());

  const std::string destination = make_destination("other");
  EXPECT_EQ(server_.post("destinations/" + destination + "/test").json().at("success"), true);
  EXPECT_EQ(server_.receiver("other").seen().size(), 1U);
}

TEST_F(AdminTest, ATestOfAHangingReceiverAnswersATimeout) {
  Receiver& receiver = server_.receiver("crm");
  receiver.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  const std::string destination = make_destination();
  const Answer answer = server_.post("destinations/" + destination + "/test");
  EXPECT_EQ(answer.json().at("outcome"), "timeout");
  EXPECT_EQ(answer.json().at("duration_ms"), 5000);
}

TEST_F(AdminTest, ASigningSecretThatAChangeMakesIsShownInItsAnswerAlone) {
  const std::string path = "destinations/" + make_destination();
  const auto secret_after = [&](const Json& patch) {
    const Answer answer = server_.patch(path, patch);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(server_.get(path).json().at("signing").at("secret"), Json({{"set", true}}));
    return answer.json().at("signing").at("secret");
  };
  const Json masked = {{"set", true}};
  EXPECT_EQ(secret_after({{"name", "Other"}}), masked);
  const Json made = secret_after({{"signing", {{"scheme", "hmac"}, {"header", "X-Signature"}}}});
  ASSERT_TRUE(made.is_string());
  const Json made_again = secret_after({{"signing", {{"secret", nullptr}}}});
  ASSERT_TRUE(made_again.is_string());
  EXPECT_NE(made_again, made);
  EXPECT_EQ(secret_after({{"signing", {{"secret", "known to who gave it"}}}}), masked);
  EXPECT_EQ(secret_after({{"name", "Another"}}), masked);
  EXPECT_TRUE(secret_after({{"signing", {{"scheme", "standard-webhooks"}}}}).is_string());
}

TEST_F(AdminTest, SecretsAreNeverSaidAgain) {
  const Json more = {{"authentication", {{"type", "bearer"}, {"token", "s3cret-of-the-bearer"}}}};
  Receiver& receiver = server_.receiver("crm");
  receiver.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index % 2 == 0 ? 500 : 200, .breaks = index == 2};
  });
  const std::string destination = server_.add_destination(receiver.url(), more);
  const Answer rotated = server_.post("destinations/" + destination + "/rotate-secret");
  const std::string signing = rotated.json().at("signing").at("secret");
  const std::string webhook = server_.add_webhook("survey.submitted", destination);
  const std::size_t said = server_.everything_said().size();

  (void)server_.post_event(R"({"id":"e1","type":"survey.submitted","data":{"nps":1}})");
  (void)server_.post("webhooks/" + webhook + "/test");
  (void)server_.post("webhooks/" + webhook + "/preview");
  server_.wait(24h);
  EXPECT_EQ(server_.patch("destinations/" + destination, {{"name", "Other"}}).status, 200);
  server_.stop();
  server_.restart();
  (void)server_.post_event(R"({"id":"e2","type":"survey.submitted","data":{"nps":1}})");
  server_.wait(1h);
  ASSERT_GE(receiver.seen().size(), 4U);
  for (const SeenRequest& seen : receiver.seen()) {
    EXPECT_EQ(seen.header("authorization"), "Bearer s3cret-of-the-bearer");
  }
  for (const Json& delivery : server_.list("deliveries")) {
    const std::string path = "deliveries/" + delivery.at("id").get<std::string>();
    EXPECT_EQ(server_.get(path).status, 200);
    EXPECT_FALSE(server_.list(path + "/attempts").empty());
  }
  for (const char* path :
       {"destinations", "webhooks", "sources", "api-keys", "audit-log", "stats", "event-types"}) {
    EXPECT_EQ(server_.get(path).status, 200) << path;
  }
  for (const std::string& path :
       {"destinations/" + destination, "destinations/" + destination + "/versions",
        "webhooks/" + webhook + "/versions"}) {
    EXPECT_EQ(server_.get(path).status, 200) << path;
  }
  const std::string text = server_.everything_said().substr(said);
  for (const std::string& secret :
       {std::string("s3cret"), signing, server_.source_key(), std::string(TestServer::kApiKey)}) {
    EXPECT_EQ(text.find(secret), std::string::npos) << text.substr(text.find(secret) - 200, 400);
  }
  // Nor does the disk show what is sealed.
  for (const auto& [path, bytes] : server_.env().directory().image()) {
    EXPECT_EQ(as_text(bytes).find("s3cret"), std::string::npos) << path;
    EXPECT_EQ(as_text(bytes).find(signing), std::string::npos) << path;
  }
}

TEST_F(AdminTest, TheStreamTellsWhatHappens) {
  server_.config().shutdown_delay_ms = 0;
  server_.stop();
  server_.restart();
  (void)server_.add_webhook("survey.submitted", make_destination());
  const auto stream =
      server_.begin(Method::get, "/api/v1/stream",
                    {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}});
  server_.wait(100ms);
  (void)server_.post_event(R"({"id":"e1","type":"survey.submitted","data":{"nps":1}})");
  server_.wait(20s);
  EXPECT_FALSE(stream->answer.has_value());  // It goes on.
  const Instant began = server_.env().clock().now();
  server_.stop();
  EXPECT_LT(server_.env().clock().now() - began, 1s);  // Who follows does not hold it up.
  server_.wait(1s);
  ASSERT_TRUE(stream->answer.has_value());
  EXPECT_THAT(stream->answer->header("content-type"), HasSubstr("text/event-stream"));
  const std::string& text = stream->answer->body;
  const std::size_t event = text.find("event: event\ndata: {\"id\":\"e1\"");
  const std::size_t attempt = text.find("event: attempt\ndata: {\"delivery\":\"dlv_");
  ASSERT_NE(event, std::string::npos) << text;
  ASSERT_NE(attempt, std::string::npos) << text;
  EXPECT_LT(event, attempt);
  EXPECT_THAT(text, HasSubstr(": still here\n\n"));
  server_.restart();
}

TEST_F(AdminTest, FiguresAndTheDescription) {
  (void)server_.add_webhook("survey.submitted", make_destination());
  (void)server_.post_event(R"({"id":"e1","type":"survey.submitted","data":{"nps":1}})");
  (void)server_.post_event(R"({"id":"e2","type":"menu.opened"})");
  server_.wait(1s);
  const Json stats = server_.get("stats").json();
  EXPECT_EQ(stats.at("since_start").at("events_accepted"), 2);
  EXPECT_EQ(stats.at("deliveries_unsettled"), 0);
  EXPECT_EQ(stats.at("event_types").size(), 2U);
  const Json document = server_.get("openapi.json").json();
  EXPECT_THAT(document.at("openapi").get<std::string>(), testing::StartsWith("3.1"));
  for (const admin::Route& route : admin::routes()) {
    EXPECT_THAT(document.at("paths").dump(), HasSubstr(std::string(route.path)));
  }
  EXPECT_EQ(server_.list("items").size(), 0U);
  EXPECT_EQ(server_.get("event-types").json().at("data").size(), 32U + 5U);  // and Eilpost's own
}

TEST_F(AdminTest, TheAuditLogNamesWhoDidWhat) {
  const std::string id = make_destination();
  const Json entry = server_.get("audit-log?limit=1").json().at("data")[0];
  EXPECT_EQ(entry.at("action"), "created");
  EXPECT_EQ(entry.at("kind"), "destination");
  EXPECT_EQ(entry.at("id"), Json(id));
  const std::size_t all = server_.list("audit-log").size();
  std::size_t seen = 0;
  std::string cursor;
  do {
    const Json page = server_.get("audit-log?limit=1&cursor=" + cursor).json();
    seen += page.at("data").size();
    cursor = page.at("next_cursor").is_null() ? "" : page.at("next_cursor").get<std::string>();
  } while (!cursor.empty() && seen <= all);
  EXPECT_EQ(seen, all);
}

TEST_F(AdminTest, WhatWasSavedIsLivedByThoughItsClientWentAway) {
  Receiver& receiver = server_.receiver("crm");
  const Json webhook = {{"name", "w"},
                        {"event", "survey.submitted"},
                        {"environments", {"production"}},
                        {"destination", make_destination()}};
  for (int i = 0; i < 60; ++i) {
    (void)server_.begin(Method::post, "/api/v1/webhooks",
                        {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}},
                        to_text(webhook));
    server_.wait(std::chrono::microseconds(50 * i));
    server_.env().internet().break_connections(env::Address{.bytes = {10, 0, 0, 1}});
    server_.wait(1s);
    const std::size_t webhooks_count = server_.list("webhooks").size();
    const std::size_t seen_before = receiver.seen().size();
    EXPECT_EQ(server_.post_event(R"({"type":"survey.submitted"})").status, 202);
    server_.wait(1s);
    ASSERT_EQ(receiver.seen().size() - seen_before, webhooks_count) << "round " << i;
  }
  EXPECT_GT(server_.list("webhooks").size(), 0U);
}

TEST_F(AdminTest, ADestroyedRequestLeavesNothingBehind) {
  // Clients go away while their requests wait for the worker, the history or a receiver.
  Receiver& receiver = server_.receiver("crm");
  receiver.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  const std::string webhook = server_.add_webhook("survey.submitted", make_destination());
  const std::string paths[] = {"webhooks/" + webhook + "/test", "webhooks/" + webhook + "/preview",
                               "deliveries/replay", "sources"};
  for (int i = 0; i < 40; ++i) {
    for (const std::string& path : paths) {
      (void)server_.begin(Method::post, "/api/v1/" + path,
                          {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}},
                          R"({"filter":{},"expected_count":0})");
    }
    server_.wait(std::chrono::microseconds(200 * i));
    server_.env().internet().break_connections(env::Address{.bytes = {10, 0, 0, 1}});
  }
  server_.wait(1min);
  EXPECT_EQ(server_.get("webhooks/" + webhook).status, 200);
}

}  // namespace
}  // namespace eilpost::test
