// Method: replays, and what is held, as a client of a whole server sees them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using http::Method;
using testing::HasSubstr;

class ReplayTest : public testing::Test {
 protected:
  std::string make_webhook(std::string_view receiver) {
    return server_.add_webhook(
        "survey.submitted",
        server_.add_destination(server_.receiver(receiver).url(), {{"name", receiver}}));
  }
  void post(std::string_view id, const std::string& text = "") {
    const Json event = {{"id", id}, {"type", "survey.submitted"}, {"data", {{"text", text}}}};
    ASSERT_EQ(server_.post_event(to_text(event)).status, 202);
    server_.wait(100ms);
  }
  std::string delivery_of(std::string_view webhook, std::string_view event) {
    const auto found =
        server_.list(fmt::format("deliveries?webhook={}&event_id={}", webhook, event));
    EXPECT_EQ(found.size(), 1U);
    return found.empty() ? "" : found.front().at("id").get<std::string>();
  }
  Json count(const Json& filter) {
    return server_.post("deliveries/replay", {{"filter", filter}}).json().value("count", Json());
  }
  std::vector<std::string> ids_of(const std::string& query) {
    std::vector<std::string> ids;
    for (const Json& each : server_.list("deliveries?" + query)) ids.push_back(each.at("event_id"));
    return ids;
  }

  TestServer server_{/*seed=*/1};
};

TEST_F(ReplayTest, ADeliveryThatIsStillOwedIsNotReplayed) {
  server_.receiver("crm").answers(500);
  const std::string webhook = make_webhook("crm");
  post("e1");
  const std::string path = "deliveries/" + delivery_of(webhook, "e1");
  ASSERT_EQ(server_.get(path).json().at("state"), "retrying");
  const Answer refused = server_.post(path + "/replay");
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.code(), "still_owed");
  EXPECT_THAT(refused.json().at("detail").get<std::string>(), HasSubstr("still owed (retrying)"));
  EXPECT_EQ(server_.list("deliveries").size(), 1U);

  server_.receiver("crm").answers(200);
  ASSERT_TRUE(server_.drain(1h));
  EXPECT_EQ(server_.post(path + "/replay").status, 201);
  server_.wait(1s);
  EXPECT_EQ(server_.list("deliveries").size(), 2U);
}

TEST_F(ReplayTest, WhatWasDeliveredNoMomentAgoIsReplayed) {
  const std::string webhook = make_webhook("crm");
  ASSERT_EQ(server_.post_event(R"({"id":"e1","type":"survey.submitted"})").status, 202);
  ASSERT_TRUE(server_.wait_until([&] { return !server_.receiver("crm").seen().empty(); }, 1s));
  server_.wait(3ms);  // Recorded; the log has not heard of it yet.
  const std::string path = "deliveries/" + delivery_of(webhook, "e1");
  const Answer replayed = server_.post(path + "/replay");
  EXPECT_EQ(replayed.status, 201) << replayed.body;
}

TEST_F(ReplayTest, ByFilterWhatIsOwedIsLeftOut) {
  const std::string good = make_webhook("good");
  server_.receiver("bad").answers(500);
  (void)make_webhook("bad");
  post("e1");
  EXPECT_EQ(count(Json::object()), 1);
  EXPECT_EQ(count({{"event_id", "e1"}}), 1);
  const Answer replayed =
      server_.post("deliveries/replay", {{"filter", Json::object()}, {"expected_count", 1}});
  EXPECT_EQ(replayed.status, 200) << replayed.body;
  EXPECT_EQ(replayed.json().at("replayed"), 1);
  server_.wait(1s);
  EXPECT_EQ(server_.receiver("good").seen().size(), 2U);
  EXPECT_EQ(server_.receiver("bad").seen().size(), 1U);
  for (const char* state : {"pending", "retrying", "held"}) {
    const Answer refused = server_.post("deliveries/replay", {{"filter", {{"state", state}}}});
    EXPECT_EQ(refused.status, 422) << state;
    EXPECT_THAT(refused.body, HasSubstr("/filter/state")) << state;
  }
  EXPECT_EQ(count({{"webhook", good}, {"state", "delivered"}}), 2);
}

TEST_F(ReplayTest, ByFilterOnlyWebhooksThatExistAreCounted) {
  const std::string gone = make_webhook("gone");
  (void)make_webhook("kept");
  post("e1");
  EXPECT_EQ(count(Json::object()), 2);
  ASSERT_EQ(server_.api(Method::delete_, "webhooks/" + gone).status, 204);
  EXPECT_EQ(count(Json::object()), 1);
  EXPECT_EQ(count({{"webhook", gone}}), 0);
  const Answer replayed =
      server_.post("deliveries/replay", {{"filter", Json::object()}, {"expected_count", 1}});
  EXPECT_EQ(replayed.json().at("replayed"), 1) << replayed.body;
}

TEST_F(ReplayTest, ManyLargeEventsAreReplayedInPartsThatTheJournalTakes) {
  (void)make_webhook("crm");
  const std::string text(60'000, 'x');
  for (int i = 0; i < 100; ++i) post(fmt::format("e{}", i), text);
  ASSERT_TRUE(server_.drain(1min));
  const Answer replayed =
      server_.post("deliveries/replay", {{"filter", Json::object()}, {"expected_count", 100}});
  EXPECT_EQ(replayed.status, 200) << replayed.body;
  EXPECT_EQ(replayed.json().value("replayed", Json()), 100);
  ASSERT_TRUE(server_.drain(1min));
  EXPECT_EQ(server_.receiver("crm").seen().size(), 200U);
  for (const auto& [id, times] : server_.receiver("crm").webhook_ids()) EXPECT_EQ(times, 2U) << id;
}

TEST_F(ReplayTest, OnAFullDiskItSaysHowManyWereReplayed) {
  const std::string webhook = make_webhook("crm");
  for (const char* id : {"a", "b", "c"}) post(id, std::string(60'000, 'x'));
  ASSERT_TRUE(server_.drain(1min));
  server_.wait(1min);
  const Json filter = {{"until", "2026-11-24T09:00:01Z"}};
  const Json all = {{"filter", filter}, {"expected_count", count(filter)}};
  ASSERT_EQ(all.at("expected_count"), 3);
  env::SimDirectory& disk = server_.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  const std::string filler =
      to_text({{"type", "survey.submitted"}, {"data", {{"text", std::string(60'000, 'x')}}}});
  bool is_full = false;
  for (int i = 0; i < 12'000 && !is_full; ++i) is_full = server_.post_event(filler).status == 503;
  ASSERT_TRUE(is_full);
  const Answer refused = server_.post("deliveries/replay", all);
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.code(), "disk_full");
  EXPECT_THAT(refused.json().at("detail").get<std::string>(), HasSubstr("0 of 3 replayed"));
  const Answer one = server_.post("deliveries/" + delivery_of(webhook, "a") + "/replay");
  EXPECT_EQ(one.code(), "disk_full") << one.body;
}

// A server on a disk that gets full in the middle of a replay.
class FullDisk {
 public:
  FullDisk() {
    (void)server_.add_webhook("survey.submitted",
                              server_.add_destination(server_.receiver("crm").url()));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(post("survey.submitted", 900'000), 202);
    EXPECT_TRUE(server_.drain(1min));
    server_.wait(1min);
    env::SimDirectory& disk = server_.env().directory();
    disk.set_capacity_bytes(disk.used_bytes());
  }

  // How many more events of 60 kB found room, up to `count_max`.
  int fill(int count_max) {
    int count = 0;
    while (count < count_max && post("menu.opened", 60'000) == 202) ++count;
    return count;
  }
  Answer replay() {
    return server_.post("deliveries/replay",
                        {{"filter", {{"until", "2026-11-24T09:00:30Z"}}}, {"expected_count", 3}});
  }
  TestServer& server() { return server_; }

 private:
  int post(std::string_view type, std::size_t bytes) {
    const Json data = {{"text", std::string(bytes, 'x')}};
    const int status = server_.post_event(to_text({{"type", type}, {"data", data}})).status;
    server_.wait(100ms);
    return status;
  }
  static server::Config config() {
    server::Config config;
    config.event_bytes_max = 1U << 20U;
    config.segment_bytes = 8U << 20U;
    return config;
  }

  TestServer server_{/*seed=*/1, {.config = config()}};
};

TEST(ReplayOnAFullDisk, SaysHowManyWereReplayedBeforeItWasFull) {
  const int fillers_count = FullDisk().fill(12'000);
  FullDisk full;
  // Leaves room for one of the events, and not for two.
  ASSERT_EQ(full.fill(fillers_count - 20), fillers_count - 20);
  const Answer refused = full.replay();
  EXPECT_EQ(refused.status, 503) << refused.body;
  EXPECT_EQ(refused.code(), "disk_full");
  EXPECT_THAT(refused.json().at("detail").get<std::string>(), HasSubstr("1 of 3 replayed"));
  full.server().env().directory().set_capacity_bytes(UINT64_MAX);
  ASSERT_TRUE(full.server().drain(1h));
  EXPECT_EQ(full.server().receiver("crm").seen().size(), 4U);
}

TEST_F(ReplayTest, WhatIsHeldIsAStateOfItsOwnInPagesThatAreFull) {
  server_.receiver("bad").answers(500);
  const std::string held = make_webhook("bad");
  server_.receiver("slow").answers(500);
  const std::string retried = make_webhook("slow");
  for (int i = 0; i < 5; ++i) post(fmt::format("e{}", i));
  ASSERT_EQ(server_.patch("webhooks/" + held, {{"enabled", false}}).status, 200);

  const Json page = server_.get("deliveries?state=held&limit=3").json();
  ASSERT_EQ(page.at("data").size(), 3U);
  for (const Json& each : page.at("data")) {
    EXPECT_EQ(each.at("state"), "held");
    EXPECT_EQ(each.at("webhook"), Json(held));
    EXPECT_EQ(server_.get("deliveries/" + each.at("id").get<std::string>()).json().at("state"),
              "held");
  }
  EXPECT_EQ(ids_of("state=held").size(), 5U);
  EXPECT_EQ(ids_of("state=retrying").size(), 5U);  // Those of the other webhook.
  EXPECT_EQ(ids_of("state=retrying&webhook=" + held).size(), 0U);
  EXPECT_EQ(ids_of("webhook=" + retried).size(), 5U);
  const Answer refused = server_.post("deliveries/" + delivery_of(held, "e1") + "/replay");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("still owed"));

  ASSERT_EQ(server_.patch("webhooks/" + held, {{"enabled", true}}).status, 200);
  EXPECT_EQ(ids_of("state=held").size(), 0U);
  const std::string destination = server_.get("webhooks/" + retried).json().at("destination");
  ASSERT_EQ(server_.post("destinations/" + destination + "/disable").status, 200);
  EXPECT_EQ(ids_of("state=held").size(), 5U);
  EXPECT_EQ(ids_of("state=held&webhook=" + retried).size(), 5U);
}

}  // namespace
}  // namespace eilpost::test
