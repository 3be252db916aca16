// Goal:   what a webhook's receiver sees of accepted events: once, right, on time.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include "server/server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string event(std::string_view id, int nps = 9) {
  return fmt::format(
      R"({{"id":"{}","type":"survey.submitted","data":{{"nps":{},"wm":{{"euId":"jane"}}}}}})", id,
      nps);
}

class ServerTest : public testing::Test {
 protected:
  // A webhook for submitted surveys that goes to `receiver`.
  std::string connect(Receiver& receiver, const Json& destination = Json::object()) {
    destination_ = server_.add_destination(receiver.url(), destination);
    webhook_ = server_.add_webhook("survey.submitted", destination_);
    return webhook_;
  }
  Json only_delivery() {
    const std::vector<Json> all = server_.list("deliveries");
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Json() : all.front();
  }
  std::string state() { return only_delivery().value("state", ""); }

  TestServer server_{/*seed=*/1};
  Receiver& receiver_ = server_.receiver("crm");
  std::string destination_;
  std::string webhook_;
};

TEST_F(ServerTest, AnAcceptedEventArrivesOnceWithTheRightBody) {
  connect(receiver_);
  const Answer answer = server_.post_event(event("e1"));
  EXPECT_EQ(answer.status, 202);
  EXPECT_EQ(answer.json(), Json({{"accepted", 1}, {"duplicates", 0}}));
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 1U);
  const SeenRequest& seen = receiver_.seen().front();
  EXPECT_EQ(seen.request.method, http::Method::post);
  EXPECT_EQ(seen.request.target, "/in");
  EXPECT_EQ(seen.header("content-type"), "application/json");
  EXPECT_FALSE(seen.header("webhook-signature").empty());
  const Json body = seen.json();
  EXPECT_EQ(body.at("event.id"), "e1");
  EXPECT_EQ(body.at("event.type"), "survey.submitted");
  EXPECT_EQ(body.at("nps"), 9);
  EXPECT_EQ(body.at("wm.euId"), "jane");

  server_.wait(24h);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  const Json delivery = only_delivery();
  EXPECT_EQ(delivery.at("state"), "delivered");
  EXPECT_EQ(delivery.at("attempts_count"), 1);
  EXPECT_EQ(delivery.at("id"), Json(seen.header("webhook-id")));
  EXPECT_FALSE(delivery.at("settled_at").is_null());
  EXPECT_EQ(server_.metric("eilpost_deliveries_delivered_total"), 1);
}

TEST_F(ServerTest, TheFirstAttemptStartsAsSoonAsTheEventIsDurable) {
  connect(receiver_);
  const Instant sent = server_.env().clock().now();
  (void)server_.post_event(event("e1"));
  ASSERT_TRUE(server_.wait_until([&] { return receiver_.seen().size() == 1; }, 1s));
  EXPECT_LT(server_.env().clock().now() - sent, 30ms);
}

TEST_F(ServerTest, AnEventThatNoWebhookWantsGoesNowhere) {
  const std::string destination = server_.add_destination(receiver_.url());
  (void)server_.add_webhook(
      "survey.submitted", destination,
      {{"conditions",
        {{"all", {{{"property", "nps"}, {"operator", "greater_than"}, {"value", 8}}}}}}});
  EXPECT_EQ(server_.post_event(event("e1", 8)).status, 202);
  EXPECT_EQ(server_.post_event(event("e2", 9)).status, 202);
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(receiver_.seen().front().json().at("event.id"), "e2");
  EXPECT_EQ(server_.list("events").size(), 2U);
}

TEST_F(ServerTest, ARepeatIsAcknowledgedAndNotDeliveredAgain) {
  connect(receiver_);
  (void)server_.post_event(event("e1"));
  EXPECT_EQ(server_.post_event(event("e1")).json(), Json({{"accepted", 0}, {"duplicates", 1}}));
  server_.wait(1min);
  EXPECT_EQ(receiver_.seen().size(), 1U);
}

TEST_F(ServerTest, AFailingDeliveryFollowsTheScheduleAndEndsFailed) {
  connect(receiver_);
  receiver_.answers(500);
  (void)server_.post_event(event("e1"));
  server_.wait(24h * 5);
  const std::vector<Duration> delays = {5s,  5min, 30min, 2h, 5h,
                                        10h, 14h,  20h,   24h};  // SPEC "Delivery".
  ASSERT_EQ(receiver_.seen().size(), delays.size() + 1);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < delays.size(); ++i) {
    const Duration waited = receiver_.seen()[i + 1].at - receiver_.seen()[i].at;
    EXPECT_GE(waited, delays[i] * 8 / 10 - 1s) << i;
    EXPECT_LE(waited, delays[i] * 12 / 10 + 1s) << i;
    ids.insert(receiver_.seen()[i].header("webhook-id"));
  }
  EXPECT_EQ(ids.size(), 1U);
  const Json delivery = only_delivery();
  EXPECT_EQ(delivery.at("state"), "failed");
  EXPECT_EQ(delivery.at("reason"), "attempts_used_up");
  EXPECT_EQ(delivery.at("attempts_count"), 10);
  EXPECT_EQ(server_.metric("eilpost_deliveries_unsettled"), 0);
  const auto attempts =
      server_.list(fmt::format("deliveries/{}/attempts", delivery.at("id").get<std::string>()));
  ASSERT_EQ(attempts.size(), 10U);
  EXPECT_EQ(attempts[0].at("status"), 500);
  EXPECT_EQ(attempts[0].at("request_is_exact"), true);
  EXPECT_EQ(attempts[0].at("request").at("body"), Json(receiver_.seen()[0].request.body));
}

TEST_F(ServerTest, RetryAfterIsAFloor) {
  connect(receiver_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    if (index > 0) return Reply{};
    return Reply{.status = 429, .headers = {{"Retry-After", "600"}}};
  });
  (void)server_.post_event(event("e1"));
  server_.wait(599s);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(state(), "retrying");
  server_.wait(10s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(state(), "delivered");
}

TEST_F(ServerTest, OutcomesAreOnRecord) {
  connect(receiver_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    if (index == 0) return Reply{.hangs = true};
    return Reply{.breaks = true};
  });
  (void)server_.post_event(event("e1"));
  server_.wait(6s);
  Json delivery = only_delivery();
  EXPECT_EQ(delivery.at("last_outcome"), "timeout");
  server_.wait(10s);
  delivery = only_delivery();
  EXPECT_EQ(delivery.at("last_outcome"), "reset");
  const auto attempts =
      server_.list(fmt::format("deliveries/{}/attempts", delivery.at("id").get<std::string>()));
  ASSERT_EQ(attempts.size(), 2U);
  for (const Json& attempt : attempts) EXPECT_EQ(attempt.at("perhaps_delivered"), true);
}

TEST_F(ServerTest, GoneDisablesTheDestinationAndHoldsTheRestUntilItIsResumed) {
  connect(receiver_);
  receiver_.answers(410);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  (void)server_.post_event(event("e2"));
  server_.wait(24h);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  const Json destination = server_.get("destinations/" + destination_).json();
  EXPECT_EQ(destination.at("state"), "disabled");
  EXPECT_EQ(destination.at("health").at("held"), 1);
  EXPECT_TRUE(server_.log().contains(destination_));
  const auto held = server_.list("deliveries?state=held");
  ASSERT_EQ(held.size(), 1U);
  EXPECT_EQ(held[0].at("event_id"), "e2");
  EXPECT_EQ(server_.list("deliveries?state=failed").at(0).at("reason"), "final_status");

  receiver_.answers(200);
  EXPECT_EQ(server_.post("destinations/" + destination_ + "/resume").status, 200);
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(receiver_.seen()[1].json().at("event.id"), "e2");
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 1U);
}

TEST_F(ServerTest, GoneIsSaidOfTheVersionThatAnswered) {
  connect(receiver_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    return index == 0 ? Reply{.status = 410, .delay = 3s} : Reply{.status = 200};
  });
  (void)server_.begin_event(event("e1"));
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(server_.patch("destinations/" + destination_, {{"name", "New"}}).status, 200);
  server_.wait(10s);
  EXPECT_EQ(server_.list("deliveries?state=failed").at(0).at("reason"), "final_status");
  EXPECT_EQ(server_.get("destinations/" + destination_).json().at("state"), "active");
  (void)server_.post_event(event("e2"));
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 1U);
}

// Between the 410 and the destination's being disabled, other changes do not let anything through.
TEST_F(ServerTest, AnotherChangeDoesNotReleaseWhatA410Holds) {
  connect(receiver_, {{"delivery", {{"concurrency", 1}}}});
  receiver_.answers(410);
  for (int i = 0; i < 5; ++i) (void)server_.begin_event(event(fmt::format("e{}", i)));
  for (int i = 0; i < 40; ++i) {
    (void)server_.begin(http::Method::patch, "/api/v1/webhooks/" + webhook_,
                        {{"Authorization", "Bearer " + std::string(TestServer::kApiKey)}},
                        fmt::format(R"({{"name":"n{}"}})", i));
    server_.wait(1ms);
  }
  server_.wait(1min);
  EXPECT_EQ(receiver_.seen().size(), 1U);
}

TEST_F(ServerTest, ADisabledWebhookHoldsAndDeliversWhenItIsEnabled) {
  connect(receiver_);
  receiver_.answers(500);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  EXPECT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", false}}).status, 200);
  receiver_.answers(200);
  server_.wait(24h);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(state(), "held");
  // What comes while it is disabled is not owed.
  (void)server_.post_event(event("e2"));
  EXPECT_EQ(server_.patch("webhooks/" + webhook_, {{"enabled", true}}).status, 200);
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 2U);
  EXPECT_EQ(state(), "delivered");
}

TEST_F(ServerTest, DeletingAWebhookFailsWhatItOwes) {
  connect(receiver_);
  receiver_.answers(500);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  const Answer refused = server_.api(http::Method::delete_, "webhooks/" + webhook_);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.code(), "deliveries_owed");
  EXPECT_EQ(server_.api(http::Method::delete_, "webhooks/" + webhook_ + "?owed=1").status, 204);
  server_.wait(1s);
  EXPECT_EQ(only_delivery().at("reason"), "webhook_deleted");
  server_.wait(24h);
  EXPECT_EQ(receiver_.seen().size(), 1U);
  EXPECT_EQ(server_.metric("eilpost_deliveries_unsettled"), 0);
}

TEST_F(ServerTest, AChangeIsSeenByTheNextEventAndTheNextAttempt) {
  connect(receiver_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index == 0 ? 500 : 200};
  });
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  const Json properties = {{{"property", "nps"}, {"as", "score"}}};
  EXPECT_EQ(server_.patch("webhooks/" + webhook_, {{"properties", properties}}).status, 200);
  (void)server_.post_event(event("e2"));
  server_.wait(10s);
  ASSERT_EQ(receiver_.seen().size(), 3U);
  EXPECT_EQ(receiver_.seen()[0].json().at("nps"), 9);
  for (const std::size_t i : {1U, 2U}) {
    EXPECT_EQ(receiver_.seen()[i].json(), Json({{"score", 9}})) << i;
  }
}

TEST_F(ServerTest, AHangingDestinationDelaysNoOther) {
  constexpr int kOthers = 99;
  Receiver& hanging = server_.receiver("hanging");
  hanging.answers([](const http::Request&, std::size_t) { return Reply{.hangs = true}; });
  (void)server_.add_webhook("survey.submitted", server_.add_destination(hanging.url()));
  std::vector<Receiver*> others;
  for (int i = 0; i < kOthers; ++i) {
    others.push_back(&server_.receiver(fmt::format("other{}", i)));
    (void)server_.add_webhook("survey.submitted", server_.add_destination(others.back()->url()));
  }
  for (std::size_t i = 0; i < 30; ++i) {
    const Instant sent = server_.env().clock().now();
    (void)server_.post_event(event(fmt::format("e{}", i)));
    const auto have_it = [&] {
      return std::ranges::all_of(
          others, [&](const Receiver* other) { return other->seen().size() == i + 1; });
    };
    ASSERT_TRUE(server_.wait_until(have_it, 1s)) << i;
    EXPECT_LT(server_.env().clock().now() - sent, 60ms) << i;
  }
  EXPECT_EQ(hanging.seen().size(), 16U);  // Its concurrency.
  EXPECT_EQ(server_.metric("eilpost_attempts_in_flight"), 16);
}

TEST_F(ServerTest, AnUnreachableAddressIsRefusedUnlessTheOperatorAllowsIt) {
  destination_ = server_.add_destination("http://10.0.0.1:8080/inbox/none");
  (void)server_.add_webhook("survey.submitted", destination_);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  EXPECT_EQ(only_delivery().at("last_outcome"), "blocked_address");

  server_.stop();
  server_.config().allow_destinations = *http::parse_cidr_list("10.0.0.0/8");
  server_.restart();
  server_.wait(10s);
  EXPECT_EQ(only_delivery().at("last_outcome"), "answered");
  EXPECT_EQ(only_delivery().at("last_status"), 404);
}

TEST_F(ServerTest, WhatExceedsTheBacklogEndsFailed) {
  connect(receiver_, {{"delivery", {{"backlog_max", 2}}}});
  receiver_.answers(500);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(server_.post_event(event(fmt::format("e{}", i))).status, 202);
    server_.wait(100ms);
  }
  EXPECT_EQ(server_.list("deliveries?state=retrying").size(), 2U);
  const auto failed = server_.list("deliveries?state=failed");
  ASSERT_EQ(failed.size(), 2U);
  for (const Json& each : failed) EXPECT_EQ(each.at("reason"), "backlog_full");
  receiver_.answers(200);
  ASSERT_TRUE(server_.drain(1h));
  (void)server_.post_event(event("e9"));
  server_.wait(1s);
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 3U);
}

TEST_F(ServerTest, WhatIsHeldForFiveDaysExpires) {
  connect(receiver_);
  EXPECT_EQ(server_.post("destinations/" + destination_ + "/disable").status, 200);
  (void)server_.post_event(event("e1"));
  server_.wait(24h * 5 - 1h);
  EXPECT_EQ(state(), "held");
  server_.wait(3h);
  EXPECT_EQ(only_delivery().at("state"), "failed");
  EXPECT_EQ(only_delivery().at("reason"), "expired");
  EXPECT_TRUE(receiver_.seen().empty());
}

TEST_F(ServerTest, AReplaySendsTheSameWebhookIdUnlessItIsToBeNew) {
  connect(receiver_);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  const std::string id = only_delivery().at("id");
  const Answer replayed = server_.post("deliveries/" + id + "/replay");
  ASSERT_EQ(replayed.status, 201);
  EXPECT_EQ(replayed.json().at("replay_of"), Json(id));
  const Answer as_new = server_.post("deliveries/" + id + "/replay", {{"as_new", true}});
  ASSERT_EQ(as_new.status, 201);
  server_.wait(1s);
  ASSERT_EQ(receiver_.seen().size(), 3U);
  EXPECT_EQ(receiver_.seen()[1].header("webhook-id"), id);
  EXPECT_EQ(receiver_.seen()[1].request.body, receiver_.seen()[0].request.body);
  EXPECT_EQ(Json(receiver_.seen()[2].header("webhook-id")), as_new.json().at("id"));
  const Json row = server_.get("deliveries/" + as_new.json().at("id").get<std::string>()).json();
  EXPECT_EQ(row.at("replay_of"), Json(id));
  EXPECT_EQ(row.at("state"), "delivered");

  server_.wait(24h * 6);  // The age of a replay counts from when it was asked for.
  EXPECT_EQ(server_.post("deliveries/" + id + "/replay").status, 201);
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 4U);
}

TEST_F(ServerTest, AReplayByFilterCountsFirst) {
  connect(receiver_, {{"delivery", {{"retry", {{"delays_ms", Json::array()}}}}}});
  receiver_.answers(500);
  for (int i = 0; i < 3; ++i) (void)server_.post_event(event(fmt::format("e{}", i)));
  server_.wait(1s);
  receiver_.answers(200);
  (void)server_.post_event(event("good"));
  server_.wait(1s);
  const Json filter = {{"state", "failed"}};
  EXPECT_EQ(server_.post("deliveries/replay", {{"filter", filter}}).json(), Json({{"count", 3}}));
  EXPECT_EQ(receiver_.seen().size(), 4U);
  const Answer changed =
      server_.post("deliveries/replay", {{"filter", filter}, {"expected_count", 2}});
  EXPECT_EQ(changed.status, 409);
  EXPECT_EQ(changed.code(), "count_changed");
  const Answer replayed =
      server_.post("deliveries/replay", {{"filter", filter}, {"expected_count", 3}});
  EXPECT_EQ(replayed.json(), Json({{"count", 3}, {"replayed", 3}}));
  server_.wait(1s);
  EXPECT_EQ(receiver_.seen().size(), 7U);
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 4U);
}

TEST_F(ServerTest, AnInboxShowsWhatWebhooksSendAndWhatComesFromOutside) {
  const Answer made = server_.post("destinations", {{"name", "In"}, {"platform", "inbox"}});
  ASSERT_EQ(made.status, 201);
  const std::string id = made.json().at("id");
  (void)server_.add_webhook("survey.submitted", id);
  (void)server_.post_event(event("e1"));
  server_.wait(1s);
  const Json inside = server_.get("destinations/" + id + "/inbox").json();
  ASSERT_EQ(inside.at("data").size(), 1U);
  EXPECT_EQ(inside.at("data")[0].at("from_outside"), false);
  EXPECT_THAT(inside.at("data")[0].at("body").get<std::string>(), HasSubstr("\"e1\""));
  EXPECT_EQ(state(), "delivered");

  const std::string path = "/inbox/" + server_.first_start()->inbox_token;
  EXPECT_EQ(server_.call(http::Method::put, path + "/x?y=1", {}, "hello").body, "ok");
  const Answer json = server_.call(http::Method::get, path);
  EXPECT_EQ(json.json().at("data")[0].at("body"), "hello");
  EXPECT_EQ(json.json().at("data")[0].at("target"), Json(path + "/x?y=1"));
  EXPECT_EQ(json.json().at("data")[0].at("from_outside"), true);
  EXPECT_EQ(server_.call(http::Method::get, "/inbox/unknown").status, 404);

  EXPECT_EQ(
      server_.api(http::Method::put, "destinations/" + id + "/inbox-answer", {{"status", 503}})
          .status,
      200);
  (void)server_.post_event(event("e2"));
  server_.wait(1s);
  EXPECT_EQ(server_.list("deliveries?state=retrying").size(), 1U);
  EXPECT_EQ(server_.api(http::Method::delete_, "destinations/" + id + "/inbox").status, 204);
  EXPECT_EQ(server_.get("destinations/" + id + "/inbox").json().at("data").size(), 0U);
}

TEST_F(ServerTest, AnInboxIsNoPlaceForScriptsNorForFloods) {
  const std::string path = "/inbox/" + server_.first_start()->inbox_token;
  EXPECT_EQ(server_
                .call(http::Method::post, path + "?<script>alert(1)</script>", {},
                      "<script>alert(2)</script>")
                .status,
            200);
  const Answer page = server_.call(http::Method::get, path, {{"Accept", "text/html"}});
  EXPECT_THAT(page.header("content-type"), HasSubstr("text/html"));
  EXPECT_EQ(page.body.find("<script"), std::string::npos);
  EXPECT_THAT(page.header("content-security-policy"), HasSubstr("default-src 'none'"));

  EXPECT_EQ(server_.call(http::Method::post, path, {}, std::string(64 * 1024 + 1, 'x')).status,
            413);
  std::vector<std::shared_ptr<Exchange>> flood;
  for (int i = 0; i < 30; ++i) flood.push_back(server_.begin(http::Method::post, path));
  server_.wait(900ms);
  const auto refused = std::ranges::count_if(
      flood, [](const auto& each) { return each->answer && each->answer->status == 429; });
  EXPECT_GE(refused, 10);
  EXPECT_LE(refused, 11);
  server_.wait(1s);
  EXPECT_EQ(server_.call(http::Method::post, path).status, 200);
}

TEST(FirstStart, LeavesAWorkingExample) {
  TestServer server(2, {.keeps_example = true});
  const server::FirstStart& first = *server.first_start();
  const Answer answer =
      server.call(http::Method::post, "/v1/events?key=" + first.source_key,
                  {{"Content-Type", "application/json"}},
                  R"({"type":"survey.submitted","data":{"oName":"NPS","nps":9}})");
  EXPECT_EQ(answer.status, 202);
  server.wait(1s);
  const Answer inbox = server.call(http::Method::get, "/inbox/" + first.inbox_token);
  ASSERT_EQ(inbox.json().at("data").size(), 1U);
  EXPECT_EQ(server
                .call(http::Method::get, "/api/v1/webhooks",
                      {{"Authorization", fmt::format("Bearer {}", TestServer::kApiKey)}})
                .status,
            200);
  const std::string text = server::welcome(first, "http://here");
  for (const std::string& each : {first.source_key, first.inbox_token}) {
    EXPECT_THAT(text, HasSubstr(each));
  }
  EXPECT_THAT(text, testing::Not(HasSubstr("eil_")));  // The key was chosen beforehand.
}

TEST_F(ServerTest, PathsOutsideOfTheApi) {
  EXPECT_EQ(server_.call(http::Method::get, "/healthz").body, "ok\n");
  EXPECT_EQ(server_.call(http::Method::get, "/readyz").status, 200);
  EXPECT_EQ(server_.call(http::Method::get, "/").status, 200);
  const Answer missing = server_.call(http::Method::get, "/nowhere");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.code(), "not_found");
  const Answer refused = server_.call(http::Method::post, "/healthz");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("allow"), "GET, HEAD");
  EXPECT_EQ(server_.call(http::Method::get, "/v1/events").header("allow"), "POST, OPTIONS");
  const Answer metrics = server_.call(http::Method::get, "/metrics");
  EXPECT_THAT(metrics.header("content-type"), HasSubstr("version=0.0.4"));
  EXPECT_THAT(metrics.body, HasSubstr("# TYPE eilpost_events_accepted_total counter"));
}

TEST_F(ServerTest, EventsThatHttpRefusesAreRefusedInTheFormOfAllRefusals) {
  const std::string target = "/v1/events?key=" + server_.source_key();
  const http::Header origin{"Origin", "https://app.example.com"};
  const std::string much = std::string(1'100'000, ' ');
  const auto expect_refusal = [&](const Answer& answer, int status, std::string_view code) {
    EXPECT_EQ(answer.status, status);
    EXPECT_EQ(answer.code(), code);
    EXPECT_EQ(answer.header("content-type"), "application/problem+json");
    EXPECT_EQ(answer.json().value("errors", Json()), Json::array()) << answer.body;
  };
  const std::vector<std::tuple<http::Method, http::Header, std::string, int, std::string>> cases = {
      {http::Method::post, {"X-Pad", "x"}, much, 413, "request_too_large"},
      {http::Method::post, {"X-Pad", std::string(70'000, 'x')}, "", 431, "headers_too_large"},
      {http::Method::get, {"X-Pad", "x"}, "", 405, "method_not_allowed"},
  };
  for (const auto& [method, header, body, status, code] : cases) {
    const std::string metric =
        fmt::format("eilpost_ingest_requests_refused_total{{status=\"{}\"}}", status);
    const double before = server_.metric(metric);
    const Answer browser = server_.call(method, target, {origin, header}, body);
    expect_refusal(browser, status, code);
    EXPECT_EQ(browser.header("access-control-allow-origin"), origin.value) << code;
    const Answer sender = server_.call(method, target, {header}, body);
    expect_refusal(sender, status, code);
    EXPECT_EQ(sender.header("access-control-allow-origin"), "") << code;
    EXPECT_EQ(server_.metric(metric), before + 2) << code;
  }
  const Answer elsewhere = server_.call(http::Method::post, "/api/v1/webhooks", {origin}, much);
  expect_refusal(elsewhere, 413, "request_too_large");
  EXPECT_EQ(elsewhere.header("access-control-allow-origin"), "");

  // A source that takes nothing from this page lets it read no answer either.
  const std::string closed = server_
                                 .post("sources", {{"name", "Servers"},
                                                   {"environment", "production"},
                                                   {"allowed_origins", Json::array()}})
                                 .json()
                                 .at("key");
  const Answer shut = server_.call(http::Method::post, "/v1/events?key=" + closed, {origin}, much);
  expect_refusal(shut, 413, "request_too_large");
  EXPECT_EQ(shut.header("access-control-allow-origin"), "");
}

TEST(EventLimits, AreWhatTheOperatorChose) {
  server::Config config;
  config.event_depth_max = 2;
  config.event_properties_max = 4;
  TestServer server(3, {.config = config});
  const auto code_of = [&](std::string_view data) {
    return server.post_event(fmt::format(R"({{"type":"menu.opened","data":{}}})", data)).code();
  };
  EXPECT_EQ(code_of(R"({"a":{"b":{}}})"), "");
  EXPECT_EQ(code_of(R"({"a":{"b":{"c":1}}})"), "");
  EXPECT_EQ(code_of(R"({"a":{"b":{"c":{}}}})"), "too_deep");
  EXPECT_EQ(code_of(R"({"a":1,"b":2,"c":3,"d":4})"), "");
  EXPECT_EQ(code_of(R"({"a":1,"b":2,"c":3,"d":4,"e":5})"), "too_many_properties");
}

TEST_F(ServerTest, FiguresTellWhatCameOfAttemptsAndHowLongTheyTook) {
  connect(receiver_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    if (index == 0) return Reply{.status = 503, .delay = 700ms};
    if (index == 1) return Reply{.hangs = true};
    return Reply{.status = 204, .delay = 60ms};
  });
  const auto ended = [&](std::string_view outcome) {
    return server_.metric(fmt::format("eilpost_attempts_ended_total{{outcome=\"{}\"}}", outcome));
  };
  const auto within = [&](std::string_view bound) {
    return server_.metric(
        fmt::format("eilpost_attempt_duration_seconds_bucket{{le=\"{}\"}}", bound));
  };
  const std::string age = "eilpost_deliveries_oldest_owed_age_seconds";
  EXPECT_EQ(server_.metric(age), 0);
  EXPECT_EQ(ended("5xx"), 0);
  (void)server_.post_event(event("e1"));
  server_.wait(2s);
  EXPECT_EQ(ended("5xx"), 1);
  EXPECT_EQ(within("0.5"), 0);
  EXPECT_EQ(within("1"), 1);
  (void)server_.post_event(event("e2"));  // hangs
  server_.wait(3s);
  EXPECT_EQ(ended("timeout"), 0);
  EXPECT_GE(server_.metric(age), 4);
  EXPECT_LE(server_.metric(age), 7);
  server_.stop();
  server_.restart();  // What is owed is older than the process.
  EXPECT_GE(server_.metric(age), 4);
  server_.wait(24h);
  EXPECT_EQ(server_.metric("eilpost_deliveries_unsettled"), 0);
  EXPECT_EQ(server_.metric(age), 0);
  EXPECT_GE(ended("2xx"), 1);  // The other one may have come before the restart.
  EXPECT_EQ(within("0.05"), 0);
  EXPECT_EQ(within("0.1"), ended("2xx"));
  EXPECT_EQ(within("+Inf"), server_.metric("eilpost_attempt_duration_seconds_count"));
  EXPECT_GE(server_.metric("eilpost_attempt_duration_seconds_sum"), 0.06);
}

TEST_F(ServerTest, AHeadRequestHasNoBody) {
  const Answer answer = server_.call(http::Method::head, "/");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
}

}  // namespace
}  // namespace eilpost::test
