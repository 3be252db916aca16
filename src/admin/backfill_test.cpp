// Method: backfills as a client of a whole server sees them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

constexpr std::string_view kLongAgo = "2020-01-01T00:00:00Z";

class BackfillTest : public testing::Test {
 protected:
  std::string make_webhook(std::string_view name, const Json& more = Json::object()) {
    return server_.add_webhook(
        "survey.submitted", server_.add_destination(server_.receiver(name).url(), {{"name", name}}),
        more);
  }
  void post(std::string_view id, int nps = 5) {
    const Json event = {{"id", id}, {"type", "survey.submitted"}, {"data", {{"nps", nps}}}};
    ASSERT_EQ(server_.post_event(to_text(event)).status, 202);
    server_.wait(100ms);
  }
  Answer ask(const std::string& webhook, Json body) {
    if (!body.contains("from")) body["from"] = kLongAgo;
    return server_.post("webhooks/" + webhook + "/backfill", body);
  }
  std::uint64_t count(const std::string& webhook) {
    return ask(webhook, Json::object()).json().at("count").get<std::uint64_t>();
  }
  std::vector<std::string> seen(std::string_view name) {
    std::vector<std::string> ids;
    for (const auto& request : server_.receiver(name).seen()) {
      ids.push_back(request.json().at("event.id").get<std::string>());
    }
    return ids;
  }

  TestServer server_{/*seed=*/1};
};

TEST_F(BackfillTest, ANewWebhookGetsStoredEventsOnce) {
  make_webhook("first");
  for (const char* id : {"e1", "e2", "e3"}) post(id);
  const std::string webhook = make_webhook("second");
  post("e4");
  ASSERT_EQ(count(webhook), 3U);
  EXPECT_THAT(seen("second"), ElementsAre("e4"));
  const Answer done = ask(webhook, {{"expected_count", 3}});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.json(), (Json{{"count", 3}, {"backfilled", 3}}));
  server_.wait(1s);
  EXPECT_THAT(seen("second"), UnorderedElementsAre("e4", "e1", "e2", "e3"));
  EXPECT_EQ(seen("first").size(), 4U);
  // Nothing comes twice: neither what was backfilled nor the copies that it stored.
  EXPECT_EQ(count(webhook), 0U);
  EXPECT_EQ(count(make_webhook("third")), 4U);
}

TEST_F(BackfillTest, ItsDeliveriesSayWhichEventTheySend) {
  make_webhook("first");
  post("e1");
  const std::string webhook = make_webhook("second");
  ASSERT_EQ(ask(webhook, {{"expected_count", 1}}).status, 200);
  server_.wait(1s);
  const auto found = server_.list("deliveries?webhook=" + webhook);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at("state"), "delivered");
  EXPECT_EQ(found[0].at("replay_of"), Json());
  const std::string sequence = found[0].at("backfill_of");
  EXPECT_EQ(server_.get("events/" + sequence).json().at("id"), "e1");
  // A replay of it sends the same webhook-id.
  const std::string id = found[0].at("id");
  ASSERT_EQ(server_.post("deliveries/" + id + "/replay").status, 201);
  server_.wait(1s);
  EXPECT_EQ(server_.receiver("second").webhook_ids().size(), 1U);
  EXPECT_EQ(count(webhook), 0U);
}

TEST_F(BackfillTest, OnlyWhatTheWebhookWantsNowIsSent) {
  make_webhook("first");
  post("low", 3);
  post("high", 9);
  const Json promoters = {
      {"conditions", {{"property", "nps"}, {"operator", "greater_or_equal"}, {"value", 9}}}};
  const std::string webhook = make_webhook("second", promoters);
  EXPECT_EQ(count(webhook), 1U);
  EXPECT_EQ(count(make_webhook("other", {{"environments", {"test"}}})), 0U);
  // Mended so that it wants more, it gets the rest.
  ASSERT_EQ(ask(webhook, {{"expected_count", 1}}).status, 200);
  server_.wait(1s);
  ASSERT_EQ(server_.patch("webhooks/" + webhook, {{"conditions", nullptr}}).status, 200);
  ASSERT_EQ(ask(webhook, {{"expected_count", 1}}).status, 200);
  server_.wait(1s);
  EXPECT_THAT(seen("second"), ElementsAre("high", "low"));
}

TEST_F(BackfillTest, TheRangeCounts) {
  make_webhook("first");
  post("e1");
  const std::string e1_at = server_.list("events").front().at("received_at");
  server_.wait(1h);
  post("e2");
  const std::string webhook = make_webhook("second");
  const std::string e2_at = server_.list("events").front().at("received_at");
  const auto counted = [&](const Json& range) { return ask(webhook, range).json().at("count"); };
  EXPECT_EQ(counted({{"from", e2_at}}), 1);
  EXPECT_EQ(counted({{"from", e1_at}, {"until", e2_at}}), 1);
  EXPECT_EQ(counted({{"from", e1_at}}), 2);
}

TEST_F(BackfillTest, WhatNoWebhookWantedIsThereToo) {
  post("e1");
  EXPECT_EQ(count(make_webhook("first")), 1U);
}

TEST_F(BackfillTest, WrongBodiesAreRefusedInSentences) {
  make_webhook("first");
  post("e1");
  const std::string webhook = make_webhook("second");
  EXPECT_EQ(server_.post("webhooks/wh_0000000000001/backfill", {{"from", kLongAgo}}).status, 404);
  const Answer none = server_.post("webhooks/" + webhook + "/backfill");
  EXPECT_EQ(none.status, 422);
  EXPECT_EQ(ask(webhook, {{"from", "yesterday"}}).json().at("errors")[0].at("pointer"), "/from");
  const Answer changed = ask(webhook, {{"expected_count", 7}});
  EXPECT_EQ(changed.status, 409);
  EXPECT_EQ(changed.code(), "count_changed");
  EXPECT_THAT(changed.json().at("detail").get<std::string>(), HasSubstr("1 events are wanted now"));
  EXPECT_TRUE(server_.receiver("second").seen().empty());
}

}  // namespace
}  // namespace eilpost::test
