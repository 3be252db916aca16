// Goal:   deliveries to a destination behind OAuth 2.0, and connecting one by a browser.
// Method: the whole server on a simulated machine; a Receiver is the token end point, another one
//         the API that wants its tokens.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "http/percent.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

std::string event(int number) {
  return fmt::format(R"({{"id":"e{}","type":"survey.submitted","data":{{"nps":9}}}})", number);
}

// A field of a form.
std::string field(const std::string& form, std::string_view name) {
  return http::find_query_parameter(form, name).value_or("");
}

class OAuthTest : public testing::Test {
 protected:
  OAuthTest() {
    id_.answers([this](const http::Request& request, std::size_t) { return answer(request); });
    api_.answers([this](const http::Request& request, std::size_t) {
      const std::string given(http::find_header(request.headers, "authorization").value_or(""));
      return Reply{.status = good_.contains(given) ? 200 : 401};
    });
  }

  static TestServerOptions options() {
    TestServerOptions options{.lanes = 2};
    options.config.public_url = "https://hooks.example/";
    return options;
  }

  // The token end point: token-1, token-2 …, each with a new refresh token.
  Reply answer(const http::Request& request) {
    if (id_status_ != 200) return {.status = id_status_, .body = "broken", .delay = id_delay_};
    const std::string refresh = field(request.body, "refresh_token");
    if (!refresh.empty() && refresh != refresh_) {
      return {.status = 400, .body = R"({"error":"invalid_grant"})"};
    }
    const std::string token = fmt::format("acc3ss-t0ken-{}", ++tokens_count_);
    good_.insert("Bearer " + token);
    refresh_ = fmt::format("refr3sh-t0ken-{}", tokens_count_);
    return {.body = fmt::format(R"({{"access_token":"{}","token_type":"Bearer","expires_in":3600,)"
                                R"("refresh_token":"{}"}})",
                                token, refresh_),
            .delay = id_delay_};
  }

  Json authentication(std::string_view grant = "client_credentials") {
    Json json = {{"type", "oauth2"},
                 {"grant", grant},
                 {"token_url", id_.url()},
                 {"client_id", "shop"},
                 {"client_secret", "cl1ent-s3cret"}};
    if (grant == "refresh_token") json["refresh_token"] = refresh_;
    if (grant == "authorization_code") json["authorize_url"] = "https://id.example/authorize";
    return json;
  }
  void connect(std::string_view grant = "client_credentials") {
    destination_ = server_.add_destination(api_.url(), {{"authentication", authentication(grant)}});
    (void)server_.add_webhook("survey.submitted", destination_);
  }

  // "outcome: detail" of the first attempt of the only delivery.
  std::string first_attempt() {
    const std::vector<Json> all = server_.list("deliveries");
    EXPECT_EQ(all.size(), 1U);
    if (all.empty()) return "";
    const auto attempts =
        server_.list("deliveries/" + all.front().at("id").get<std::string>() + "/attempts");
    EXPECT_FALSE(attempts.empty());
    if (attempts.empty()) return "";
    return attempts.front().at("outcome").get<std::string>() + ": " +
           attempts.front().at("detail").get<std::string>();
  }

  Answer authorize() { return server_.post("destinations/" + destination_ + "/authorize"); }
  std::string state_of(const Answer& answer) {
    return field(std::string(http::query_of(answer.json().at("url").get<std::string>())), "state");
  }
  Answer come_back(const std::string& query) {
    return server_.call(http::Method::get, "/oauth/callback?" + query);
  }

  void expect_no_secret_was_said() {
    const std::string said = server_.everything_said();
    for (const char* secret : {"cl1ent-s3cret", "acc3ss-t0ken", "refr3sh-t0ken"}) {
      EXPECT_FALSE(said.contains(secret)) << secret;
    }
  }

  TestServer server_{/*seed=*/1, options()};
  Receiver& id_ = server_.receiver("id");
  Receiver& api_ = server_.receiver("api");
  int id_status_ = 200;
  Duration id_delay_{};
  int tokens_count_ = 0;
  std::string refresh_ = "refr3sh-t0ken-0";
  std::set<std::string> good_;
  std::string destination_;
};

TEST_F(OAuthTest, ManyDeliveriesAreSentWithOneToken) {
  connect();
  id_delay_ = 2s;
  for (int i = 0; i < 100; ++i) EXPECT_EQ(server_.post_event(event(i)).status, 202);
  ASSERT_TRUE(server_.drain(1min));
  EXPECT_EQ(id_.seen().size(), 1U);
  ASSERT_EQ(api_.seen().size(), 100U);
  for (const SeenRequest& seen : api_.seen()) {
    EXPECT_EQ(seen.header("authorization"), "Bearer acc3ss-t0ken-1");
  }
  EXPECT_EQ(server_.metric("eilpost_token_requests_total"), 1);
  EXPECT_EQ(server_.metric("eilpost_token_requests_failed_total"), 0);
  expect_no_secret_was_said();
}

TEST_F(OAuthTest, ATokenThatIsRefusedIsRenewedWithinTheAttempt) {
  connect();
  (void)server_.post_event(event(1));
  ASSERT_TRUE(server_.drain(1s));
  good_.clear();
  (void)server_.post_event(event(2));
  ASSERT_TRUE(server_.drain(1s));
  ASSERT_EQ(api_.seen().size(), 3U);
  EXPECT_EQ(api_.seen()[1].header("authorization"), "Bearer acc3ss-t0ken-1");
  EXPECT_EQ(api_.seen()[2].header("authorization"), "Bearer acc3ss-t0ken-2");
  for (const Json& delivery : server_.list("deliveries")) {
    EXPECT_EQ(delivery.at("attempts_count"), 1);
    EXPECT_EQ(delivery.at("state"), "delivered");
  }
}

TEST_F(OAuthTest, AReceiverThatTakesNoTokenGetsTheRequestTwiceAnAttempt) {
  connect();
  api_.answers(401);
  (void)server_.post_event(event(1));
  server_.wait(1s);
  EXPECT_EQ(api_.seen().size(), 2U);
  EXPECT_EQ(id_.seen().size(), 2U);
  EXPECT_EQ(first_attempt(), "answered: The receiver answered 401.");
}

TEST_F(OAuthTest, AFailingTokenEndPointIsAnOutcomeOfItsOwn) {
  connect();
  id_status_ = 503;
  (void)server_.post_event(event(1));
  server_.wait(1s);
  EXPECT_EQ(first_attempt(), "token: The token end point answered 503: \"broken\".");
  EXPECT_EQ(api_.seen().size(), 0U);
  id_status_ = 200;
  ASSERT_TRUE(server_.drain(10s));
  EXPECT_EQ(api_.seen().size(), 1U);
}

TEST_F(OAuthTest, ARestartNeedsNoNewToken) {
  connect();
  (void)server_.post_event(event(1));
  ASSERT_TRUE(server_.drain(1s));
  server_.crash(env::Crash::power_loss);
  server_.restart();
  (void)server_.post_event(event(2));
  ASSERT_TRUE(server_.drain(1s));
  EXPECT_EQ(id_.seen().size(), 1U);
  EXPECT_EQ(api_.seen().back().header("authorization"), "Bearer acc3ss-t0ken-1");
}

// Whatever moment the power fails at: a refresh token that the provider has taken out of use is
// sent again only if the new one never came to be known, and what a receiver saw was durable.
TEST_F(OAuthTest, ARotatedRefreshTokenIsKnownAfterACrashOnceItsAccessTokenWasSent) {
  connect("refresh_token");
  for (int i = 1; i <= 10; ++i) {
    (void)server_.post_event(event(i));
    const std::size_t sent = api_.seen().size();
    ASSERT_TRUE(server_.wait_until([&] { return api_.seen().size() > sent; }, 1min)) << i;
    server_.crash(env::Crash::power_loss);
    server_.restart();
    server_.wait(1h);  // The token ends.
    EXPECT_EQ(api_.seen().back().header("authorization"),
              fmt::format("Bearer acc3ss-t0ken-{}", tokens_count_));
  }
  ASSERT_TRUE(server_.drain(1h));
  EXPECT_GE(tokens_count_, 10);
  expect_no_secret_was_said();
}

TEST_F(OAuthTest, ATestUsesTheTokenOfTheDeliveries) {
  connect();
  const Answer test = server_.post("destinations/" + destination_ + "/test");
  EXPECT_EQ(test.json().at("status"), 200) << test.body;
  EXPECT_EQ(api_.seen().back().header("authorization"), "Bearer acc3ss-t0ken-1");
  EXPECT_THAT(test.body, HasSubstr("Bearer ••••"));
  (void)server_.post_event(event(1));
  ASSERT_TRUE(server_.drain(1s));
  EXPECT_EQ(id_.seen().size(), 1U);
  expect_no_secret_was_said();
}

TEST_F(OAuthTest, ADraftNeverUsesUpTheRefreshTokenOfWhatIsSaved) {
  connect("refresh_token");
  Json changed = authentication("refresh_token");
  changed["scope"] = "more";
  const Json webhook = {
      {"name", "T"}, {"event", "survey.submitted"}, {"destination", destination_}};
  const Answer test = server_.post(
      "webhooks/test", {{"webhook", webhook},
                        {"destination", {{"id", destination_}, {"authentication", changed}}},
                        {"sample", true}});
  EXPECT_EQ(test.json().at("outcome"), "token") << test.body;
  EXPECT_THAT(test.body, HasSubstr("Save the destination first"));
  EXPECT_EQ(id_.seen().size(), 0U);
}

TEST_F(OAuthTest, APersonConnectsADestination) {
  connect("authorization_code");
  (void)server_.post_event(event(1));
  server_.wait(1s);
  EXPECT_THAT(first_attempt(), HasSubstr("token: Nobody has connected this destination yet"));
  const Answer page = authorize();
  ASSERT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(page.json().at("redirect_uri"), "https://hooks.example/oauth/callback");
  const std::string url = page.json().at("url");
  EXPECT_THAT(url, testing::StartsWith("https://id.example/authorize?response_type=code"));
  EXPECT_THAT(url, HasSubstr("&code_challenge_method=S256"));

  const std::string query = "code=c0de&state=" + state_of(page);
  const Answer back = come_back(query);
  EXPECT_EQ(back.status, 200);
  EXPECT_EQ(back.body, "The destination is connected. You can close this page.\n");
  EXPECT_EQ(back.header("content-type"), "text/plain; charset=utf-8");
  const std::string form = id_.seen().back().request.body;
  EXPECT_EQ(field(form, "grant_type"), "authorization_code");
  EXPECT_EQ(field(form, "code"), "c0de");
  EXPECT_EQ(field(form, "redirect_uri"), "https://hooks.example/oauth/callback");
  EXPECT_EQ(field(form, "code_verifier").size(), 43U);
  ASSERT_TRUE(server_.drain(1min));
  EXPECT_EQ(api_.seen().back().header("authorization"), "Bearer acc3ss-t0ken-1");

  const Answer again = come_back(query);
  EXPECT_EQ(again.status, 400);
  EXPECT_THAT(again.body, HasSubstr("used already"));
  EXPECT_EQ(id_.seen().size(), 1U);
  // Renewed after a crash, with what came of the code.
  server_.crash(env::Crash::power_loss);
  server_.restart();
  server_.wait(1h);
  (void)server_.post_event(event(2));
  ASSERT_TRUE(server_.drain(1s));
  EXPECT_EQ(api_.seen().back().header("authorization"), "Bearer acc3ss-t0ken-2");
  expect_no_secret_was_said();
}

TEST_F(OAuthTest, WhatComesBackWrongIsSaidAndConnectsNothing) {
  connect("authorization_code");
  EXPECT_EQ(come_back("code=c&state=unknown").status, 400);
  EXPECT_EQ(come_back("").status, 400);
  const Answer refused = come_back("error=access_denied&error_description=No%20%3Cb%3E&state=" +
                                   state_of(authorize()));
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body,
            "The destination was not connected. The provider says: access_denied: No <b>\n");
  EXPECT_EQ(come_back("state=" + state_of(authorize())).status, 400);
  const Answer late = authorize();
  server_.wait(10min);
  EXPECT_EQ(come_back("code=c&state=" + state_of(late)).status, 400);
  EXPECT_EQ(id_.seen().size(), 0U);
  id_status_ = 500;
  const Answer failed = come_back("code=c&state=" + state_of(authorize()));
  EXPECT_EQ(failed.status, 502);
  EXPECT_THAT(failed.body, HasSubstr("The token end point answered 500"));
  EXPECT_EQ(server_.call(http::Method::post, "/oauth/callback").status, 405);
}

TEST_F(OAuthTest, OnlyWhatCanBeConnectedIsAndOnlyWithAPublicUrl) {
  connect();
  EXPECT_EQ(authorize().code(), "not_connectable");
  connect("authorization_code");
  server_.stop();
  server_.config().public_url.clear();
  server_.restart();
  const Answer missing = authorize();
  EXPECT_EQ(missing.status, 409);
  EXPECT_EQ(missing.code(), "public_url_missing");
  EXPECT_THAT(missing.body, HasSubstr("EILPOST_PUBLIC_URL"));
  EXPECT_EQ(server_.post("destinations/dst_0000000000001/authorize").status, 404);
}

}  // namespace
}  // namespace eilpost::test
