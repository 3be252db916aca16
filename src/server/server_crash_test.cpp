// Goal:   a 202 is a promise: whatever stops the machine, the event is delivered; nothing is
//         delivered twice but under the same webhook-id.
// Method: 200 seeds, each a small workload with misbehaving receivers and crashes at random moments
//         of the simulated machine; senders repeat what was not confirmed.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;

std::string event(std::string_view id) {
  return fmt::format(R"({{"id":"{}","type":"survey.submitted","data":{{"nps":9}}}})", id);
}

Json many_retries() {
  Json delays = Json::array();
  for (int i = 0; i < 30; ++i) delays.push_back(i < 10 ? 200 : 5000);
  return {{"delivery", {{"retry", {{"delays_ms", delays}}}}}};
}

// One run of the workload.
class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed), server_(seed, {.lanes = 1 + seed % 2}) {
    for (const char* name : {"first", "second"}) {
      Receiver& receiver = server_.receiver(name);
      receiver.answers(
          [this](const http::Request&, std::size_t) { return is_calm_ ? Reply{} : any_reply(); });
      (void)server_.add_webhook("survey.submitted",
                                server_.add_destination(receiver.url(), many_retries()));
    }
  }

  void run() {
    const std::uint64_t crashes = 1 + random_.below(3);
    for (std::uint64_t i = 0; i < crashes; ++i) {
      send_some();
      server_.wait(Duration(random_.below(60'000'000)));
      server_.crash(random_.below(2) == 0 ? env::Crash::power_loss : env::Crash::process_killed);
      note_answers();
      server_.wait(Duration(random_.below(1'000'000'000)));
      server_.restart();
      if (random_.below(4) == 0) server_.stop(), server_.restart();
    }
    is_calm_ = true;
    send_some();
    server_.wait(1s);
    note_answers();
    for (const std::string& id : unconfirmed()) {
      EXPECT_EQ(server_.post_event(event(id)).status, 202) << id;
    }
    EXPECT_TRUE(server_.drain(24h));
  }

  void check() {
    for (const char* name : {"first", "second"}) {
      std::map<std::string, std::set<std::string>> ids;  // event id → webhook-ids
      for (const SeenRequest& seen : server_.receiver(name).seen()) {
        ids[seen.json().at("event.id")].insert(seen.header("webhook-id"));
      }
      EXPECT_EQ(ids.size(), sent_.size()) << name;
      for (const auto& [event_id, webhook_ids] : ids) {
        EXPECT_EQ(webhook_ids.size(), 1U) << name << " " << event_id;
      }
    }
    const std::vector<Json> deliveries = server_.list("deliveries");
    EXPECT_EQ(deliveries.size(), 2 * sent_.size());
    for (const Json& each : deliveries) EXPECT_EQ(each.at("state"), "delivered") << each;
    EXPECT_EQ(server_.log().count_of(env::LogLevel::error), 0U)
        << server_.log().lines().front().second;
  }

 private:
  Reply any_reply() {
    switch (random_.below(6)) {
      case 0:
        return {.status = 500};
      case 1:
        return {.breaks = true};
      case 2:
        return {.delay = Duration(random_.below(100'000'000))};
      case 3:
        return {.hangs = true};
      default:
        return {};
    }
  }

  void send_some() {
    const std::uint64_t count = 1 + random_.below(8);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string id = fmt::format("e{}", sent_.size());
      sent_[id] = server_.begin_event(event(id));
      server_.wait(Duration(random_.below(5'000'000)));
    }
  }

  void note_answers() {
    for (const auto& [id, exchange] : sent_) {
      if (exchange->answer && exchange->answer->status == 202) confirmed_.insert(id);
    }
  }

  [[nodiscard]] std::vector<std::string> unconfirmed() const {
    std::vector<std::string> ids;
    for (const auto& [id, exchange] : sent_) {
      if (!confirmed_.contains(id)) ids.push_back(id);
    }
    return ids;
  }

  Random random_;
  bool is_calm_ = false;
  std::map<std::string, std::shared_ptr<Exchange>> sent_;
  std::set<std::string> confirmed_;
  TestServer server_;
};

TEST(ServerCrash, WhatWasConfirmedIsDeliveredWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Story story(seed);
    story.run();
    story.check();
    if (testing::Test::HasFailure()) return;
  }
}

TEST(ServerCrash, ARepeatIsRecognisedAfterARestart) {
  for (const bool is_crash : {false, true}) {
    TestServer server(1);
    Receiver& receiver = server.receiver("crm");
    (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
    EXPECT_EQ(server.post_event(event("e1")).json().at("accepted"), 1);
    server.wait(1s);
    if (is_crash) {
      server.crash(env::Crash::power_loss);
    } else {
      server.stop();
    }
    server.restart();
    EXPECT_EQ(server.post_event(event("e1")).json(), Json({{"accepted", 0}, {"duplicates", 1}}));
    server.wait(20h);
    EXPECT_EQ(server.post_event(event("e1")).json().at("duplicates"), 1);
    EXPECT_EQ(receiver.seen().size(), 1U);
  }
}

TEST(ServerCrash, ARetryKeepsItsTimeAndItsNumberAcrossARestart) {
  for (const bool is_crash : {false, true}) {
    TestServer server(2);
    Receiver& receiver = server.receiver("crm");
    receiver.answers([](const http::Request&, std::size_t index) {
      if (index > 0) return Reply{};
      return Reply{.status = 503, .headers = {{"Retry-After", "600"}}};
    });
    (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
    (void)server.post_event(event("e1"));
    server.wait(5min);
    if (is_crash) {
      server.crash(env::Crash::power_loss);
    } else {
      server.stop();
    }
    server.restart();
    server.wait(5min - 2s);
    EXPECT_EQ(receiver.seen().size(), 1U);
    server.wait(5s);
    EXPECT_EQ(receiver.seen().size(), 2U);
    const std::vector<Json> deliveries = server.list("deliveries");
    ASSERT_EQ(deliveries.size(), 1U);
    EXPECT_EQ(deliveries[0].at("state"), "delivered");
    EXPECT_EQ(deliveries[0].at("attempts_count"), 2);
  }
}

TEST(ServerCrash, AStopLetsRequestsAndAttemptsEnd) {
  TestServer server(3);
  Receiver& receiver = server.receiver("slow");
  receiver.answers([](const http::Request&, std::size_t) { return Reply{.delay = 3s}; });
  (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
  EXPECT_EQ(server.post_event(event("e1")).status, 202);
  server.wait(100ms);
  const auto last = server.begin_event(event("e2"));
  server.wait(2ms);
  server.stop();
  ASSERT_TRUE(last->answer.has_value());
  const bool was_accepted = last->answer->status == 202;
  server.restart();
  server.wait(10s);
  EXPECT_EQ(server.list("deliveries?state=delivered").size(), was_accepted ? 2U : 1U);
  // The attempt under way at the stop was on record: no request was repeated.
  EXPECT_EQ(receiver.seen().size(), was_accepted ? 2U : 1U);
}

TEST(ServerCrash, AStopDoesNotWaitForAHangingReceiverLongerThanTheGrace) {
  TestServer server(4);
  Receiver& receiver = server.receiver("hanging");
  receiver.answers([](const http::Request&, std::size_t index) {
    return index == 0 ? Reply{.hangs = true} : Reply{};
  });
  server.config().shutdown_delay_ms = 0;
  server.config().shutdown_grace_ms = 500;
  server.stop();
  server.restart();
  (void)server.add_webhook(
      "survey.submitted",
      server.add_destination(receiver.url(), {{"request", {{"timeout_ms", 30'000}}}}));
  (void)server.post_event(event("e1"));
  server.wait(100ms);
  const Instant began = server.env().clock().now();
  server.stop();
  EXPECT_LE(server.env().clock().now() - began, 1100ms);
  server.restart();
  server.wait(1s);
  EXPECT_EQ(receiver.seen().size(), 2U);
  EXPECT_EQ(receiver.webhook_ids().size(), 1U);
}

TEST(ServerCrash, AFullDiskRefusesEventsAndIsGotOver) {
  TestServer server(5);
  Receiver& receiver = server.receiver("crm");
  (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
  EXPECT_EQ(server.post_event(event("before")).status, 202);
  server.wait(1s);
  env::SimDirectory& disk = server.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());
  int refused = 0;
  std::set<std::string> accepted = {"before"};
  const std::string filler(30'000, 'x');
  for (int i = 0; i < 12'000 && refused < 5; ++i) {
    const std::string id = fmt::format("e{}", i);
    const Answer answer = server.post_event(fmt::format(
        R"({{"id":"{}","type":"survey.submitted","data":{{"filler":"{}"}}}})", id, filler));
    if (answer.status == 202) {
      accepted.insert(id);
      continue;
    }
    ++refused;
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.code(), "disk_full");
    EXPECT_FALSE(answer.header("retry-after").empty());
  }
  EXPECT_EQ(refused, 5);
  EXPECT_FALSE(server.env().death().has_value());
  EXPECT_EQ(server.metric("eilpost_journal_full"), 1);
  const Answer readiness = server.call(http::Method::get, "/readyz");
  EXPECT_EQ(readiness.status, 503);
  EXPECT_THAT(readiness.body, testing::HasSubstr("the disk is full"));

  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  const auto is_taken = [&] { return server.post_event(event("after")).status == 202; };
  bool was_taken = is_taken();
  for (int i = 0; i < 60 && !was_taken; ++i) {
    server.wait(1s);
    was_taken = is_taken();
  }
  EXPECT_TRUE(was_taken);
  EXPECT_EQ(server.call(http::Method::get, "/readyz").status, 200);
  EXPECT_TRUE(server.drain(1h));
  std::set<std::string> arrived;
  for (const SeenRequest& seen : receiver.seen()) arrived.insert(seen.json().at("event.id"));
  accepted.insert("after");
  EXPECT_EQ(arrived, accepted);
}

TEST(ServerCrash, AFailingDiskEndsTheProcessAndNothingConfirmedIsLost) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    TestServer server(seed);
    Receiver& receiver = server.receiver("crm");
    (void)server.add_webhook("survey.submitted", server.add_destination(receiver.url()));
    server.env().directory().fail_after(seed);
    std::set<std::string> confirmed;
    for (int i = 0; i < 20 && !server.env().death(); ++i) {
      const std::string id = fmt::format("e{}", i);
      if (server.post_event(event(id)).status == 202) confirmed.insert(id);
    }
    server.crash(env::Crash::power_loss);
    server.restart();
    EXPECT_TRUE(server.drain(1h));
    std::set<std::string> arrived;
    for (const SeenRequest& seen : receiver.seen()) arrived.insert(seen.json().at("event.id"));
    for (const std::string& id : confirmed) EXPECT_TRUE(arrived.contains(id)) << id;
  }
}

TEST(ServerCrash, TheSecondServerInOneFolderIsRefused) {
  TestServer server(6);
  env::SimLog log;
  const auto second = server::Server::open(server.env(), log, server.config());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::already_locked);
}

}  // namespace
}  // namespace eilpost::test
