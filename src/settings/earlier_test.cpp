// Goal: what an earlier version saved opens and works, though it could not be saved now.
// Method: writes it as that version did, past the checks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "env/sim/sim_env.h"
#include "render/batch.h"
#include "render/renderer.h"
#include "settings/object_store.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

using testing::HasSubstr;

constexpr std::string_view kDocument =
    R"({"event":{"id":"e1","type":"survey.submitted"},"created_at":1,)"
    R"("data":{"webhook":{"depth":3},"nps":9}})";

class EarlierTest : public testing::Test {
 protected:
  EarlierTest() {
    destination_ = desk_.make_destination().id;
    batching_ = desk_.make_destination("Batches").id;
    EILPOST_ASSERT(settings().create_event_type(type("custom.a"), kAuthor).has_value());
    webhook_ = desk_.make_webhook(destination_, "custom.a").id;
    desk_.settings.reset();
    {
      auto store = ObjectStore::open(world_);
      EILPOST_ASSERT(store.has_value());
      rewrite(**store, "webhook", to_string(webhook_), [](Json& json) {
        json["static_properties"] = {{{"name", "text"}, {"value", "{{webhook.depth}}"}}};
      });
      rewrite(**store, "destination", to_string(batching_), [](Json& json) {
        json["body"] = {{"format", "form"}};
        json["delivery"]["batch"]["events_max"] = 10;
      });
      rewrite(**store, "destination", to_string(destination_), [](Json& json) {
        json["request"]["url"] = "https://api.example.com/{{properties}}?d={{delivery.tag}}x";
      });
    }
    desk_.open();
  }

  static Json type(std::string_view code) {
    return {{"code", code}, {"label", {{"en", "A"}, {"de", "A"}}}, {"properties", Json::array()}};
  }
  template <class Change>
  static void rewrite(ObjectStore& store, std::string_view kind, const std::string& id,
                      Change change) {
    auto versions = store.versions(kind, id);
    EILPOST_ASSERT(versions.has_value() && versions->size() == 1);
    Json json = json_of(versions->front().json);
    change(json);
    versions->front().json = to_text(json);
    EILPOST_ASSERT(store.rewrite(kind, *versions).has_value());
  }

  std::string rendered() {
    const auto snapshot = settings().snapshot();
    const auto scratch = render::make_scratch();
    const auto request =
        render::render({.webhook = *snapshot->webhooks.at(webhook_)->compiled,
                        .destination = *snapshot->destinations.at(destination_)->compiled,
                        .document = kDocument,
                        .delivery_id = "dlv_1",
                        .attempt_at = {}},
                       *scratch);
    return request ? request->body : request.error().detail;
  }
  Settings& settings() { return *desk_.settings; }

  env::SimEnv world_{/*seed=*/1};
  Desk desk_{world_};
  DestinationId destination_{};
  DestinationId batching_{};
  WebhookId webhook_{};
};

TEST_F(EarlierTest, PlaceholdersThatAreRefusedNowAreStillRead) {
  EXPECT_EQ(owed_by(*settings().snapshot(), "custom.a").size(), 1U);
  EXPECT_NE(settings().webhook_at(webhook_, 1), nullptr);
  EXPECT_NE(settings().destination_at(destination_, 1), nullptr);
  // As ever: of the event there is no delivery.tag.
  EXPECT_THAT(rendered(), HasSubstr("delivery.tag"));
  ASSERT_TRUE(settings().change_destination(
      destination_, {{"request", {{"url", "https://api.example.com"}}}}, kAny, kAuthor));
  EXPECT_THAT(rendered(), HasSubstr(R"("text":3)"));
}

TEST_F(EarlierTest, WhatDoesNotTouchThemCanBeChanged) {
  ASSERT_TRUE(settings().change_webhook(webhook_, {{"enabled", false}}, kAny, kAuthor));
  EXPECT_NE(settings().webhook_at(webhook_, 1), nullptr);
  ASSERT_TRUE(settings().change_destination(destination_, {{"name", "Other"}}, kAny, kAuthor));
  EXPECT_NE(settings().destination_at(destination_, 1), nullptr);
  ASSERT_TRUE(
      settings().set_destination_state(destination_, DestinationState::disabled, "gone", kAuthor));
  ASSERT_TRUE(settings().rotate_signing_secret(destination_, std::chrono::hours(1), kAuthor));
  // It is compiled again with the new catalog.
  ASSERT_TRUE(settings().create_event_type(type("custom.b"), kAuthor));
  EXPECT_TRUE(settings().compile_draft(to_string(webhook_), Json()));
  desk_.reopen();
  EXPECT_EQ(settings().destination(destination_)->name, "Other");
}

TEST_F(EarlierTest, WhatTouchesThemIsHeldToTheRulesOfNow) {
  const auto errors = [](const auto& saved) {
    return saved ? std::vector<std::string>() : errors_of(saved.error().errors);
  };
  const Json texts = settings::to_json(*settings().webhook(webhook_))["static_properties"];
  const std::vector<std::string> of_webhook = {"/static_properties/0/value bad_placeholder"};
  EXPECT_EQ(
      errors(settings().change_webhook(webhook_, {{"static_properties", texts}}, kAny, kAuthor)),
      of_webhook);
  EXPECT_EQ(errors(settings().replace_webhook(
                webhook_, settings::to_json(*settings().webhook(webhook_)), kAny, kAuthor)),
            of_webhook);
  const Json url = {{"url", "https://api.example.com/{{properties}}"}};
  EXPECT_EQ(errors(settings().change_destination(destination_, {{"request", url}}, kAny, kAuthor)),
            std::vector<std::string>{"/request/url placeholder_in_url"});
  EXPECT_EQ(
      errors(settings().compile_draft(settings::to_json(*settings().webhook(webhook_)), Json())),
      std::vector<std::string>{"/webhook/static_properties/0/value bad_placeholder"});
}

TEST_F(EarlierTest, EventsThatCannotBePutTogetherGoOneByOne) {
  const auto& live = *settings().snapshot()->destinations.at(batching_);
  EXPECT_EQ(live.destination.delivery.batch.events_max, 10U);
  EXPECT_EQ(render::batch_of(*live.compiled), nullptr);
  ASSERT_TRUE(settings().change_destination(batching_, {{"name", "Other"}}, kAny, kAuthor));
  const std::vector<std::string> refused = {"/delivery/batch/events_max no_json"};
  for (const Json& patch :
       {Json{{"delivery", {{"batch", {{"wait_ms", 1}}}}}}, Json{{"fields", {{"project", "a"}}}},
        Json{{"request", {{"url", "https://api.example.com/v2"}}}}}) {
    const auto saved = settings().change_destination(batching_, patch, kAny, kAuthor);
    ASSERT_FALSE(saved.has_value()) << to_text(patch);
    EXPECT_EQ(errors_of(saved.error().errors), refused) << to_text(patch);
  }
  ASSERT_TRUE(settings().change_destination(batching_, {{"body", nullptr}}, kAny, kAuthor));
  EXPECT_NE(render::batch_of(*settings().snapshot()->destinations.at(batching_)->compiled),
            nullptr);
}

}  // namespace
}  // namespace eilpost::settings
