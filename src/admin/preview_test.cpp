// Method: previews and tests as a client of a whole server asks for them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/test_server.h"

namespace eilpost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class PreviewTest : public testing::Test {
 protected:
  TestServer server_{/*seed=*/1};
  const std::string destination_ = server_.add_destination(server_.receiver("crm").url());
};

TEST_F(PreviewTest, AnEventThatIsNotOneEventIsRefused) {
  const std::string webhook = server_.add_webhook("survey.submitted", destination_);
  const Json draft = server_.get("webhooks/" + webhook).json();
  const Json event = {{"type", "survey.submitted"}};
  for (const Json& wrong : {Json::array(), Json::array({event}), Json::array({event, event}),
                            Json(7), Json(true), Json::object(), Json({{"batch", {event}}})}) {
    const Json saved = {{"event", wrong}};
    const Json whole = {{"event", wrong}, {"webhook", draft}};
    for (const Answer& answer :
         {server_.post("webhooks/" + webhook + "/preview", saved),
          server_.post("webhooks/" + webhook + "/test", saved),
          server_.post("webhooks/preview", whole), server_.post("webhooks/test", whole),
          server_.post("destinations/" + destination_ + "/test", saved)}) {
      EXPECT_EQ(answer.status, 422) << to_text(wrong) << answer.body;
      EXPECT_FALSE(answer.json().at("detail").get<std::string>().empty()) << answer.body;
    }
  }
  EXPECT_TRUE(server_.receiver("crm").seen().empty());
}

TEST_F(PreviewTest, AGroupShowsItsFirstTypeThatHasASample) {
  const std::string group = server_.add_webhook("survey.*", destination_);
  const Answer preview = server_.post("webhooks/" + group + "/preview");
  ASSERT_EQ(preview.status, 200) << preview.body;
  const std::string shown = preview.json().at("event").at("event").at("type");
  EXPECT_THAT(shown, testing::StartsWith("survey."));
  const Answer test = server_.post("webhooks/" + group + "/test");
  ASSERT_EQ(test.status, 200) << test.body;
  const Json draft = {{"name", "Draft"},
                      {"event", Json::array({"menu.*", "survey.submitted"})},
                      {"destination", destination_}};
  ASSERT_EQ(server_.post("webhooks/test", {{"webhook", draft}}).status, 200);
  const std::vector<Json> tests = server_.list("tests");
  ASSERT_EQ(tests.size(), 2U);
  EXPECT_EQ(tests[0].at("webhook"), Json());  // Of a draft.
  EXPECT_EQ(tests[0].at("destination"), destination_);
  EXPECT_THAT(tests[0].at("event_type").get<std::string>(), testing::StartsWith("menu."));
  EXPECT_EQ(tests[0].at("event_type").get<std::string>().find('*'), std::string::npos);
  EXPECT_EQ(tests[1].at("webhook"), group);
  EXPECT_EQ(tests[1].at("event_type"), shown);
}

TEST_F(PreviewTest, ATestNamesTheTypeOfTheEventThatWasSent) {
  const std::string group = server_.add_webhook("survey.*", destination_);
  const Json event = {{"type", "survey.submitted"}, {"data", {{"nps", 3}}}};
  ASSERT_EQ(server_.post("webhooks/" + group + "/test", {{"event", event}}).status, 200);
  EXPECT_EQ(server_.list("tests").front().at("event_type"), "survey.submitted");
}

TEST(PreviewLimits, AreThoseOfTheEventsThatAreSent) {
  server::Config config;
  config.event_depth_max = 2;
  config.event_properties_max = 4;
  config.event_bytes_max = 500;
  TestServer server(/*seed=*/1, {.config = config});
  const std::string webhook =
      server.add_webhook("survey.submitted", server.add_destination(server.receiver("crm").url()));
  const auto code_of = [&](const Json& data) {
    const Json event = {{"type", "survey.submitted"}, {"data", data}};
    const Answer preview = server.post("webhooks/" + webhook + "/preview", {{"event", event}});
    const Answer test = server.post("webhooks/" + webhook + "/test", {{"event", event}});
    EXPECT_EQ(preview.status, test.status) << to_text(data);
    if (preview.status == 200) return std::string("taken");
    return preview.json().at("errors").at(0).at("code").get<std::string>();
  };
  EXPECT_EQ(code_of({{"a", {{"b", {{"c", 1}}}}}}), "taken");
  EXPECT_EQ(code_of({{"a", {{"b", {{"c", Json::object()}}}}}}), "too_deep");
  EXPECT_EQ(code_of({{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}}), "too_many_properties");
  EXPECT_EQ(code_of({{"a", std::string(500, 'x')}}), "event_too_large");
}

TEST_F(PreviewTest, WithoutAWebhookThatIsWhatIsAskedFor) {
  for (const Json& body : {Json::object(), Json({{"webhook", 7}}), Json({{"webhook", nullptr}})}) {
    const Answer answer = server_.post("webhooks/preview", body);
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.json().at("errors").size(), 1U) << answer.body;
    EXPECT_EQ(answer.json().at("errors")[0].at("pointer"), "/webhook");
    EXPECT_THAT(answer.body, Not(HasSubstr("dst_0")));
  }
  const Answer bare = server_.post("webhooks/preview", {{"webhook", Json::object()}});
  EXPECT_EQ(bare.status, 422);
  EXPECT_THAT(bare.body, Not(HasSubstr("dst_0")));
}

}  // namespace
}  // namespace eilpost::test
