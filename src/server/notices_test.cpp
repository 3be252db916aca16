// Goal:   what happens to destinations reaches people as events that webhooks send anywhere, but
// never
//         where they are about, and without notices about notices.
// Method: the whole server on a simulated machine (tests/support/test_server.h).

#include "server/notices.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/certificates.h"
#include "model/limits.h"
#include "support/certificates.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

class NoticesTest : public testing::Test {
 protected:
  void SetUp() override {
    crm_ = server_.add_destination(crm_receiver_.url(),
                                   {{"name", "CRM"}, {"delivery", {{"concurrency", 1}}}});
    (void)server_.add_webhook("survey.submitted", crm_);
    ops_ = server_.add_destination(ops_receiver_.url(), {{"name", "Operations"}});
    (void)server_.add_webhook("operations.*", ops_);
  }
  void post(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string event =
          fmt::format(R"({{"id":"e{}","type":"survey.submitted"}})", ++posted_);
      ASSERT_EQ(server_.post_event(event).status, 202);
    }
  }
  // What the receiver for notices was sent.
  std::vector<std::string> told() {
    std::vector<std::string> types;
    for (const SeenRequest& seen : ops_receiver_.seen()) {
      types.push_back(seen.json().at("event.type"));
    }
    return types;
  }

  TestServer server_{/*seed=*/1};
  Receiver& crm_receiver_ = server_.receiver("crm");
  Receiver& ops_receiver_ = server_.receiver("ops");
  std::string crm_;
  std::string ops_;
  int posted_ = 0;
};

TEST_F(NoticesTest, APauseAndItsEndAreTold) {
  crm_receiver_.answers(500);
  post(12);
  server_.wait(1s);
  ASSERT_THAT(told(), ElementsAre("destination.paused"));
  const Json paused = ops_receiver_.seen().front().json();
  EXPECT_EQ(paused.at("destination.id"), crm_);
  EXPECT_EQ(paused.at("destination.name"), "CRM");
  EXPECT_EQ(paused.at("reason"), "failing");
  EXPECT_FALSE(paused.at("error").get<std::string>().empty());
  EXPECT_LT(paused.at("since").get<std::string>(), paused.at("until").get<std::string>());
  EXPECT_FALSE(paused.contains("wm.envName"));

  server_.wait(10min);
  EXPECT_EQ(told().size(), 1U);
  crm_receiver_.answers(200);
  server_.wait(1h);
  ASSERT_THAT(told(), ElementsAre("destination.paused", "destination.recovered"));
  EXPECT_EQ(ops_receiver_.seen().back().json().at("since"), paused.at("since"));
}

TEST_F(NoticesTest, APauseThatAPersonEndedDoesNotRecover) {
  crm_receiver_.answers(500);
  post(12);
  server_.wait(1s);
  crm_receiver_.answers(200);
  ASSERT_EQ(server_.post("destinations/" + crm_ + "/resume").status, 200);
  server_.wait(1h);
  EXPECT_THAT(told(), ElementsAre("destination.paused"));
}

TEST_F(NoticesTest, ADestinationIsNotToldOfItself) {
  (void)server_.add_webhook("operations.*", crm_);
  crm_receiver_.answers(500);
  post(12);
  server_.wait(1s);
  EXPECT_EQ(told().size(), 1U);
  EXPECT_THAT(server_.list("deliveries?event_type=destination.paused&destination=" + crm_),
              IsEmpty());
  EXPECT_EQ(server_.list("deliveries?event_type=destination.paused").size(), 1U);
}

TEST_F(NoticesTest, TheyMatchInEveryEnvironment) {
  Receiver& other = server_.receiver("other");
  (void)server_.add_webhook("destination.paused", server_.add_destination(other.url()),
                            {{"environments", {"editor", "test"}}});
  crm_receiver_.answers(500);
  post(12);
  server_.wait(1s);
  EXPECT_EQ(other.seen().size(), 1U);
}

TEST_F(NoticesTest, HowTheirOwnDeliveriesFareIsNotTold) {
  Receiver& watcher = server_.receiver("watcher");
  (void)server_.add_webhook("operations.*", server_.add_destination(watcher.url()));
  ops_receiver_.answers(500);
  crm_receiver_.answers(500);
  post(12);
  server_.wait(24h * 4);  // All ten tries of the notice failed.
  EXPECT_EQ(server_.get("destinations/" + ops_).json().at("state"), "paused");
  std::vector<std::string> about;
  for (const SeenRequest& seen : watcher.seen()) about.push_back(seen.json().at("destination.id"));
  EXPECT_THAT(about, ElementsAre(crm_));
}

TEST_F(NoticesTest, WhatIsDisabledIsTold) {
  crm_receiver_.answers(410);
  post(1);
  server_.wait(1s);
  ASSERT_THAT(told(), ElementsAre("destination.disabled"));
  const Json disabled = ops_receiver_.seen().front().json();
  EXPECT_EQ(disabled.at("reason"), "answered_410");
  EXPECT_EQ(disabled.at("since"), server_.get("destinations/" + crm_).json().at("state_since"));
}

TEST_F(NoticesTest, ABacklogIsToldOnceUntilAGoodPartOfItIsGone) {
  const auto limit = [&](Json rate) {
    const Json delivery = {{"backlog_max", 20}, {"rate_limit", std::move(rate)}};
    ASSERT_EQ(server_.patch("destinations/" + crm_, {{"delivery", delivery}}).status, 200);
  };
  limit({{"requests", 1}, {"per_ms", 86'400'000}});
  post(16);  // One of them is sent.
  server_.wait(1s);
  EXPECT_THAT(told(), IsEmpty());
  post(4);
  server_.wait(1s);
  ASSERT_THAT(told(), ElementsAre("backlog.high"));
  EXPECT_EQ(ops_receiver_.seen().front().json().at("waiting"), 16);
  EXPECT_EQ(ops_receiver_.seen().front().json().at("backlog_max"), 20);

  limit(nullptr);
  server_.wait(1s);
  limit({{"requests", 1}, {"per_ms", 86'400'000}});
  post(20);
  server_.wait(1s);
  EXPECT_THAT(told(), ElementsAre("backlog.high", "backlog.high"));
}

TEST_F(NoticesTest, ANoticeOutlivesACrash) {
  ops_receiver_.answers(500);
  crm_receiver_.answers(500);
  post(12);
  server_.wait(1s);
  ASSERT_EQ(ops_receiver_.seen().size(), 1U);
  server_.crash(env::Crash::power_loss);
  crm_receiver_.answers(200);
  ops_receiver_.answers(200);
  server_.restart();
  server_.wait(10s);
  // Its end is told, too, though the pause began before the crash.
  EXPECT_THAT(told(), testing::UnorderedElementsAre("destination.paused", "destination.paused",
                                                    "destination.recovered"));
  const std::string id = ops_receiver_.seen().front().header("webhook-id");
  EXPECT_EQ(ops_receiver_.webhook_ids().at(id), 2U);
  const std::vector<Json> events = server_.list("events?event_type=destination.paused");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_TRUE(events.front().at("source").is_null());
}

TEST_F(NoticesTest, TheirWebhooksArePreviewedWithASample) {
  const std::string webhook = server_.add_webhook("certificate.expiring", ops_);
  const Answer shown = server_.post("webhooks/" + webhook + "/preview");
  ASSERT_EQ(shown.status, 200) << shown.body;
  EXPECT_THAT(shown.body, testing::HasSubstr("CN=Example CA"));
}

// Its certificate is good for 40 days more.
TEST(CertificateNotices, ReachAWebhookThatWantsThem) {
  const support::Authority root = support::make_ca("Bank root");
  const support::Identity client =
      root.issue({.common_name = "client.example", .valid_until = 24h * 40});
  const WallTime begin = crypto::read_certificates(client.certificate_pem).front().not_before;
  TestServer server(/*seed=*/1, {.world = {.wall_start = begin + 24h}});
  Receiver& receiver = server.receiver("ops");
  (void)server.add_webhook("certificate.expiring", server.add_destination(receiver.url()));
  const std::string bank =
      server.add_destination(server.receiver("bank").url(),
                             {{"name", "Bank"},
                              {"tls",
                               {{"client_certificate", client.chain_pem + root.certificate_pem()},
                                {"client_key", client.key_pem}}}});
  server.wait(24h * 9);
  EXPECT_THAT(receiver.seen(), IsEmpty());
  server.wait(24h * 2);
  ASSERT_FALSE(receiver.seen().empty());
  const Json told = receiver.seen().front().json();
  EXPECT_EQ(told.at("event.type"), "certificate.expiring");
  EXPECT_EQ(told.at("destination.id"), bank);
  EXPECT_EQ(told.at("reason"), "expiring");
  EXPECT_EQ(told.at("certificate.subject"), "CN=client.example");
  EXPECT_EQ(told.at("days_left"), 29) << "Looked at once an hour: whole days are left.";
  EXPECT_LE(receiver.seen().size(), 2U) << "At most once a day.";
}

TEST(CertificateNotices, AreRaisedThirtyDaysAheadOnceADay) {
  const WallTime end = WallTime(24h * 20'000);
  Destination destination{.id = DestinationId{7}, .name = "Bank"};
  destination.tls.certificates = {{.field = "client_certificate",
                                   .subject = "CN=client",
                                   .issuer = "CN=CA",
                                   .not_before = {},
                                   .not_after = end}};
  const auto at = [&](WallTime now) { return server::certificate_notices(destination, now); };
  EXPECT_TRUE(at(end - 24h * 30 - 1ms).empty());
  ASSERT_EQ(at(end - 24h * 30).size(), 1U);
  const Notice first = at(end - 24h * 30).front();
  EXPECT_EQ(first.about, destination.id);
  EXPECT_EQ(first.data.at("days_left"), 30);
  EXPECT_EQ(first.data.at("certificate").at("field"), "tls.client_certificate");
  EXPECT_EQ(at(end - 24h * 30 + 23h).front().id, first.id);
  EXPECT_NE(at(end - 24h * 29).front().id, first.id);
  EXPECT_EQ(at(end - 24h * 29).front().data.at("reason"), "expiring");
  EXPECT_EQ(at(end + 1h).front().data.at("reason"), "expired");
  destination.tls.certificates.push_back(destination.tls.certificates.front());
  destination.tls.certificates.back().subject = "CN=other";
  EXPECT_NE(at(end).front().id, at(end).back().id);
}

}  // namespace
}  // namespace eilpost::test
