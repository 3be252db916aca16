// Method: ETags and If-Match, and what else guards a change, as a client of a whole server sees it.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using namespace std::chrono_literals;
using http::Method;
using testing::HasSubstr;

class VersionsTest : public testing::Test {
 protected:
  Answer with(Method method, const std::string& path, std::string_view tag,
              const Json& body = nullptr) {
    return server_.api(method, path, body, {{"If-Match", std::string(tag)}});
  }
  static Json type(std::string_view label) {
    return {{"code", "custom.paid"},
            {"label", {{"en", label}, {"de", label}}},
            {"properties", Json::array()}};
  }

  TestServer server_{/*seed=*/1};
};

TEST_F(VersionsTest, AnEventTypeHasAnETag) {
  const std::string path = "event-types/custom.paid";
  EXPECT_EQ(server_.post("event-types", type("Paid")).header("etag"), "\"1\"");
  EXPECT_EQ(server_.get(path).header("etag"), "\"1\"");
  const Json patch = {{"label", {{"en", "Bought"}}}};
  EXPECT_EQ(with(Method::patch, path, "\"1\"", patch).header("etag"), "\"2\"");
  EXPECT_EQ(with(Method::patch, path, "\"1\"", patch).status, 412);
  EXPECT_EQ(server_.get(path).json().at("version"), 2);
  EXPECT_EQ(with(Method::delete_, path, "\"1\"").status, 412);
  server_.stop();
  server_.restart();
  EXPECT_EQ(server_.get(path).header("etag"), "\"2\"");
  EXPECT_EQ(with(Method::delete_, path, "\"2\"").status, 204);
  // The old tags do not fit one that is made anew.
  EXPECT_EQ(server_.post("event-types", type("Paid")).header("etag"), "\"3\"");
  EXPECT_EQ(with(Method::delete_, path, "\"1\"").status, 412);
  EXPECT_EQ(server_.get("event-types/menu.opened").header("etag"), "\"1\"");
}

TEST_F(VersionsTest, AnEnvironmentHasAnETagThatNoneOfTheSameNameHasAgain) {
  const std::string path = "environments/staging";
  const std::string first = server_.post("environments", {{"name", "staging"}}).header("etag");
  EXPECT_EQ(server_.get(path).header("etag"), first);
  EXPECT_EQ(server_.get(path).json().at("name"), "staging");
  EXPECT_EQ(with(Method::delete_, path, "\"0\"").status, 412);
  EXPECT_EQ(with(Method::delete_, path, first).status, 204);
  EXPECT_EQ(server_.get(path).status, 404);
  EXPECT_EQ(server_.post("environments", {{"name", "staging"}}).status, 201);
  EXPECT_EQ(with(Method::delete_, path, first).status, 412);
  EXPECT_EQ(server_.get("environments/production").json().at("built_in"), true);
}

TEST_F(VersionsTest, ASourceIsDeletedOnlyAsItWasSeen) {
  const Answer made = server_.post("sources", {{"name", "a"}});
  const std::string path = "sources/" + made.json().at("id").get<std::string>();
  EXPECT_EQ(server_.patch(path, {{"name", "b"}}).status, 200);
  EXPECT_EQ(with(Method::delete_, path, made.header("etag")).status, 412);
  EXPECT_EQ(server_.get(path).status, 200);
  EXPECT_EQ(with(Method::delete_, path, "\"2\"").status, 204);
}

TEST_F(VersionsTest, AnActionHappensOnlyToWhatWasSeen) {
  const Answer source = server_.post("sources", {{"name", "a"}});
  const std::string of_source = "sources/" + source.json().at("id").get<std::string>();
  EXPECT_EQ(server_.patch(of_source, {{"name", "b"}}).status, 200);
  EXPECT_EQ(with(Method::post, of_source + "/rotate-key", source.header("etag")).status, 412);
  EXPECT_EQ(server_.get(of_source).header("etag"), "\"2\"");
  EXPECT_EQ(with(Method::post, of_source + "/rotate-key", "\"2\"").header("etag"), "\"3\"");

  const std::string destination =
      "destinations/" + server_.add_destination(server_.receiver("crm").url());
  EXPECT_EQ(server_.patch(destination, {{"name", "b"}}).status, 200);
  for (const char* action : {"/disable", "/resume", "/rotate-secret"}) {
    const std::string tag = server_.get(destination).header("etag");
    EXPECT_EQ(with(Method::post, destination + action, "\"1\"").code(), "stale_version") << action;
    EXPECT_EQ(server_.get(destination).header("etag"), tag) << action;
    EXPECT_EQ(with(Method::post, destination + action, tag).status, 200) << action;
    EXPECT_NE(server_.get(destination).header("etag"), tag) << action;
  }
}

TEST_F(VersionsTest, AWeakTagMatchesNothingAndIsTold) {
  EXPECT_EQ(server_.post("event-types", type("Paid")).status, 201);
  const Answer weak = with(Method::delete_, "event-types/custom.paid", "W/\"1\"");
  EXPECT_EQ(weak.status, 412);
  EXPECT_EQ(weak.code(), "stale_version");
  EXPECT_THAT(weak.json().at("detail").get<std::string>(), HasSubstr("weak tags never match"));
  const Answer bare = with(Method::delete_, "event-types/custom.paid", "1");
  EXPECT_EQ(bare.status, 412);
  EXPECT_THAT(bare.json().at("detail").get<std::string>(), HasSubstr("quotation marks"));
  EXPECT_EQ(with(Method::delete_, "environments/production", "x").status, 412);
  EXPECT_EQ(with(Method::delete_, "event-types/custom.paid", "*").status, 204);
}

TEST_F(VersionsTest, ARotationSaysHowLongTheOldSecretSignsToo) {
  const std::string path =
      "destinations/" + server_.add_destination(server_.receiver("crm").url()) + "/rotate-secret";
  const std::string webhook =
      server_.add_webhook("survey.submitted", path.substr(13, path.rfind('/') - 13));
  const auto signatures = [&] {
    EXPECT_EQ(server_.post("webhooks/" + webhook + "/test").status, 200);
    const std::string header = server_.receiver("crm").seen().back().header("webhook-signature");
    return std::ranges::count(header, ',');
  };
  EXPECT_EQ(signatures(), 1);
  EXPECT_EQ(server_.post(path, {{"overlap_ms", 60'000}}).status, 200);
  EXPECT_EQ(signatures(), 2);
  server_.wait(61s);
  EXPECT_EQ(signatures(), 1);
  EXPECT_EQ(server_.post(path, {{"overlap_ms", 0}}).status, 200);
  EXPECT_EQ(signatures(), 1);
  EXPECT_EQ(server_.post(path).status, 200);
  server_.wait(23h);
  EXPECT_EQ(signatures(), 2);
  for (const Json& wrong : {Json(-1), Json(2'592'000'001), Json("1"), Json(1.5), Json()}) {
    const Answer refused = server_.post(path, {{"overlap_ms", wrong}});
    EXPECT_EQ(refused.status, 422) << to_text(wrong);
    EXPECT_THAT(refused.body, HasSubstr("/overlap_ms"));
  }
}

TEST_F(VersionsTest, WhatADeletedWebhookOwesIsCountedAsItIsAtThatMoment) {
  server_.receiver("slow").answers(
      [](const http::Request&, std::size_t) { return Reply{.delay = 5s}; });
  Receiver& receiver = server_.receiver("crm");
  const std::string quick =
      server_.add_webhook("survey.submitted", server_.add_destination(receiver.url()));
  const std::string slow = server_.add_webhook(
      "survey.submitted", server_.add_destination(server_.receiver("slow").url()));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(server_.post_event(R"({"type":"survey.submitted"})").status, 202);
  }
  // Delivered, and recorded no moment ago: the log has not heard of it yet.
  ASSERT_TRUE(server_.wait_until([&] { return receiver.seen().size() == 3; }, 1s));
  server_.wait(3ms);
  EXPECT_EQ(server_.api(Method::delete_, "webhooks/" + quick).status, 204);

  const std::string path = "webhooks/" + slow;
  for (const char* owed : {"x", "-1", "", "3x"}) {
    EXPECT_EQ(server_.api(Method::delete_, path + "?owed=" + owed).code(), "bad_parameter") << owed;
  }
  const Answer refused = server_.api(Method::delete_, path + "?owed=2");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("3 deliveries"));
  EXPECT_EQ(server_.api(Method::delete_, path + "?owed=3").status, 204);
}

TEST_F(VersionsTest, AConditionWithoutOperatorIsToldThatItIsMissing) {
  const std::string destination = server_.add_destination(server_.receiver("crm").url());
  const Answer refused = server_.post("webhooks", {{"name", "w"},
                                                   {"event", "survey.submitted"},
                                                   {"destination", destination},
                                                   {"conditions", {{"property", "nps"}}}});
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("The operator is missing"));
}

TEST_F(VersionsTest, APlaceholderOfAReservedNameThatDoesNotExistIsRefused) {
  const std::string destination = server_.add_destination(server_.receiver("crm").url());
  const auto save = [&](std::string_view text) {
    return server_.post("webhooks",
                        {{"name", "w"},
                         {"event", "survey.submitted"},
                         {"destination", destination},
                         {"body", {{"format", "template"}, {"template", {{"text", text}}}}}});
  };
  for (const char* name : {"webhook.url", "webhook", "delivery.number", "delivery", "webhook.*"}) {
    const Answer refused = save(fmt::format("{{{{{}}}}}", name));
    EXPECT_EQ(refused.status, 422) << name;
    EXPECT_THAT(refused.body, HasSubstr("delivery.id, webhook.id and webhook.name")) << name;
  }
  for (const char* name : {"webhook.id", "webhook.name", "delivery.id", "webhooks.id"}) {
    EXPECT_EQ(save(fmt::format("{{{{{}}}}}", name)).status, 201) << name;
  }
  const auto point = [&](std::string_view url) {
    return server_.post("destinations",
                        {{"name", "d"}, {"platform", "custom"}, {"request", {{"url", url}}}});
  };
  const Answer refused = point("https://crm.example/a/{{properties}}");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("whole object"));
  const Answer taken = point("https://crm.example/a?data={{properties | base64}}");
  EXPECT_EQ(taken.status, 201) << taken.body;
}

}  // namespace
}  // namespace eilpost::test
