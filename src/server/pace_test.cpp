// Goal:   a destination that fails is left alone, is tried now and then, and is sent everything
//         once it answers again; one of its webhooks never waits for another's backlog.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/iso_time.h"
#include "model/limits.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;

std::string event(std::string_view id, std::string_view type = "survey.submitted") {
  return fmt::format(R"({{"id":"{}","type":"{}"}})", id, type);
}

class PaceTest : public testing::Test {
 protected:
  void SetUp() override {
    destination_ = server_.add_destination(receiver_.url(), {{"delivery", {{"concurrency", 1}}}});
    (void)server_.add_webhook("survey.submitted", destination_);
  }
  void post(int count, std::string_view type = "survey.submitted") {
    for (int i = 0; i < count; ++i) {
      ASSERT_EQ(server_.post_event(event(fmt::format("e{}", ++posted_), type)).status, 202);
    }
  }
  void post_daily(int days) {
    for (int i = 0; i < days; ++i) {
      post(12);
      server_.wait(24h);
    }
  }
  struct Limit {
    int concurrency = 1;
    int requests = 1;
    std::chrono::milliseconds per;
  };
  void limit(const Limit& limit) {
    const Json rate = {{"requests", limit.requests}, {"per_ms", limit.per.count()}};
    const Json delivery = {{"concurrency", limit.concurrency}, {"rate_limit", rate}};
    const Answer answer = server_.patch("destinations/" + destination_, {{"delivery", delivery}});
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  Json destination() { return server_.get("destinations/" + destination_).json(); }
  std::size_t seen_count() const { return receiver_.seen().size(); }

  TestServer server_{/*seed=*/1};
  Receiver& receiver_ = server_.receiver("crm");
  std::string destination_;
  int posted_ = 0;
};

TEST_F(PaceTest, TenFailuresInARowPauseADestinationForAMinute) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  EXPECT_EQ(seen_count(), limits::kBreakerFailures);
  const Json paused = destination();
  EXPECT_EQ(paused.at("state"), "paused");
  EXPECT_EQ(paused.at("state_reason"), "failing");
  EXPECT_FALSE(paused.at("health").at("paused_until").is_null());
  EXPECT_EQ(server_.metric("eilpost_destinations_paused"), 1);
  EXPECT_TRUE(server_.log().contains("is paused: 10 attempts in a row failed"));

  server_.wait(58s);
  EXPECT_EQ(seen_count(), limits::kBreakerFailures);
  server_.wait(2s);
  EXPECT_EQ(seen_count(), limits::kBreakerFailures + 1);  // the probe
  server_.wait(118s);
  EXPECT_EQ(seen_count(), limits::kBreakerFailures + 1);
  server_.wait(4s);
  EXPECT_EQ(seen_count(), limits::kBreakerFailures + 2);
}

TEST_F(PaceTest, APauseLastsOverARestart) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  ASSERT_EQ(seen_count(), 10U);
  server_.crash(env::Crash::power_loss);
  server_.restart();
  EXPECT_EQ(destination().at("state"), "paused");
  EXPECT_EQ(server_.metric("eilpost_destinations_paused"), 1);
  server_.wait(1s);
  EXPECT_EQ(seen_count(), 11U);  // The probe.
  server_.wait(2min);
  EXPECT_EQ(seen_count(), 12U);
  receiver_.answers(200);
  server_.wait(10min);
  EXPECT_EQ(destination().at("state"), "active");
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 30U);
  EXPECT_EQ(server_.metric("eilpost_destinations_paused"), 0);
}

TEST_F(PaceTest, WhatWaitsForAPauseUsesUpNoAttempts) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  for (const Json& delivery : server_.list("deliveries?state=pending")) {
    EXPECT_EQ(delivery.at("attempts_count"), 0);
  }
  EXPECT_EQ(server_.list("deliveries?state=pending").size(), 20U);
}

TEST_F(PaceTest, AProbeThatIsAnsweredLetsEverythingGoOn) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  receiver_.answers(200);
  server_.wait(62s);
  EXPECT_EQ(destination().at("state"), "active");
  EXPECT_EQ(server_.metric("eilpost_destinations_paused"), 0);
  server_.wait(10min);
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 30U);
  EXPECT_TRUE(server_.log().contains("answers again"));
}

TEST_F(PaceTest, ResumingEndsAPauseAtOnce) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  receiver_.answers(200);
  ASSERT_EQ(server_.post("destinations/" + destination_ + "/resume").status, 200);
  server_.wait(1s);
  EXPECT_EQ(destination().at("state"), "active");
  EXPECT_EQ(server_.list("deliveries?state=delivered").size(), 20U);
}

TEST_F(PaceTest, AChangedDestinationIsTriedAtOnce) {
  receiver_.answers(500);
  post(30);
  server_.wait(1s);
  Receiver& other = server_.receiver("other");
  ASSERT_EQ(
      server_.patch("destinations/" + destination_, {{"request", {{"url", other.url()}}}}).status,
      200);
  server_.wait(1s);
  EXPECT_EQ(other.seen().size(), 20U);
}

TEST_F(PaceTest, WhatTheContentCausesPausesNobody) {
  receiver_.answers(400);
  post(30);
  server_.wait(1s);
  EXPECT_EQ(seen_count(), 30U);
  EXPECT_EQ(destination().at("state"), "active");
}

TEST_F(PaceTest, OneWebhooksBacklogDelaysNoOther) {
  (void)server_.add_webhook("survey.dismissed", destination_);
  receiver_.answers([](const http::Request&, std::size_t) { return Reply{.delay = 100ms}; });
  post(100);
  post(1, "survey.dismissed");
  const Instant posted = server_.env().clock().now();
  ASSERT_TRUE(server_.wait_until(
      [&] {
        return !receiver_.seen().empty() &&
               receiver_.seen().back().json().at("event.type") == "survey.dismissed";
      },
      20s));
  EXPECT_LT(server_.env().clock().now() - posted, 1s);
}

TEST_F(PaceTest, ADestinationThatSaysTooManyGetsFewerAtOnce) {
  ASSERT_EQ(
      server_.patch("destinations/" + destination_, {{"delivery", {{"concurrency", 8}}}}).status,
      200);
  bool complains = true;
  receiver_.answers([&](const http::Request&, std::size_t) {
    return Reply{.status = complains ? 429 : 200, .delay = 1s};
  });
  post(8);
  server_.wait(2s);
  complains = false;
  const std::size_t before = seen_count();
  post(20);
  server_.wait(500ms);  // None of them is answered yet.
  EXPECT_EQ(seen_count() - before, 4U);
}

TEST_F(PaceTest, NoMoreRequestsThanItsRateComeToADestination) {
  limit({.concurrency = 16, .requests = 5, .per = 10s});
  (void)server_.add_webhook("survey.dismissed", destination_);
  receiver_.answers([](const http::Request&, std::size_t index) {
    return Reply{.status = index % 7 == 3 ? 500 : 200, .delay = 50ms};
  });
  post(20);
  post(20, "survey.dismissed");
  ASSERT_TRUE(server_.drain(1h));
  const std::vector<SeenRequest>& seen = receiver_.seen();
  ASSERT_GE(seen.size(), 45U);  // What is tried again counts, too.
  for (std::size_t i = 5; i < seen.size(); ++i) {
    // Begun ten seconds apart; the way to the receiver is not always equally long.
    EXPECT_GE(seen[i].at - seen[i - 5].at, 10s - 20ms) << i;
  }
  EXPECT_LE(seen[39].at - seen.front().at, 10s * 8);  // Nor are they fewer.
}

TEST_F(PaceTest, AChangedRateHoldsAtOnce) {
  limit({.concurrency = 16, .requests = 1, .per = 1h});
  post(10);
  server_.wait(10min);
  EXPECT_EQ(seen_count(), 1U);
  limit({.concurrency = 16, .requests = 2, .per = 1h});
  server_.wait(10min);
  EXPECT_EQ(seen_count(), 2U);
  EXPECT_EQ(destination().at("health").at("waiting"), 8);
  EXPECT_EQ(destination().at("state"), "active");
  ASSERT_EQ(server_.patch("destinations/" + destination_, {{"delivery", {{"rate_limit", nullptr}}}})
                .status,
            200);
  server_.wait(1s);
  EXPECT_EQ(seen_count(), 10U);
}

TEST_F(PaceTest, ADestinationThatWaitsForItsRateStopsNoIngest) {
  limit({.concurrency = 1, .requests = 1, .per = 24h});
  post(20);
  server_.wait(1h);
  post(20);
  EXPECT_EQ(server_.list("deliveries?state=pending").size(), 39U);
}

TEST_F(PaceTest, AfterFiveDaysOfFailureADestinationIsDisabled) {
  receiver_.answers(500);
  const WallTime begun = server_.env().clock().wall_now();
  post_daily(4);
  EXPECT_EQ(destination().at("state"), "paused");
  const auto since =
      parse_iso_time(destination().at("health").at("failing_since").get<std::string>());
  ASSERT_TRUE(since.has_value());
  EXPECT_LT(*since - begun, 1s);
  post_daily(2);
  EXPECT_EQ(destination().at("state"), "disabled");
  EXPECT_EQ(destination().at("state_reason"), "failing");
  EXPECT_EQ(server_.metric("eilpost_destinations_paused"), 0);
  EXPECT_TRUE(server_.log().contains("failed for five days and was disabled"));
  const std::size_t before = seen_count();
  post(3);
  server_.wait(1h);
  EXPECT_EQ(seen_count(), before);
  EXPECT_GE(server_.list("deliveries?state=held").size(), 3U);

  receiver_.answers(200);
  ASSERT_EQ(server_.post("destinations/" + destination_ + "/resume").status, 200);
  server_.wait(1h);
  EXPECT_EQ(destination().at("state"), "active");
  EXPECT_TRUE(destination().at("health").at("failing_since").is_null());
  EXPECT_EQ(server_.list("deliveries?state=held").size(), 0U);
}

TEST_F(PaceTest, TheDaysOfFailureAreCountedOverACrash) {
  receiver_.answers(500);
  post_daily(3);
  server_.crash(env::Crash::process_killed);
  server_.restart();
  EXPECT_FALSE(destination().at("health").at("failing_since").is_null());
  post_daily(1);
  EXPECT_NE(destination().at("state"), "disabled");
  post_daily(2);
  EXPECT_EQ(destination().at("state"), "disabled");
}

TEST_F(PaceTest, ASuccessBetweenBeginsTheFiveDaysAnew) {
  receiver_.answers(500);
  post_daily(3);
  receiver_.answers(200);
  post_daily(1);
  server_.crash(env::Crash::process_killed);
  server_.restart();
  EXPECT_TRUE(destination().at("health").at("failing_since").is_null());
  receiver_.answers(500);
  post_daily(4);
  EXPECT_EQ(destination().at("state"), "paused");
}

TEST_F(PaceTest, ResumingBeginsTheFiveDaysAnew) {
  receiver_.answers(500);
  post_daily(3);
  ASSERT_EQ(server_.post("destinations/" + destination_ + "/resume").status, 200);
  server_.wait(1s);
  server_.crash(env::Crash::process_killed);
  server_.restart();
  post_daily(4);
  EXPECT_NE(destination().at("state"), "disabled");
}

}  // namespace
}  // namespace eilpost::test
