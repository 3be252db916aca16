// Goal: what presets bring into destinations, and what happens to it when they change.

#include <gtest/gtest.h>

#include "env/sim/sim_env.h"
#include "settings/settings.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

struct Simulated {
  env::SimEnv env{/*seed=*/1};
};

struct Machine : Simulated, Desk {
  Machine() : Desk(Simulated::env) {}
};

TEST(Platforms, APlatformNeedsItsFieldsAndSecretsAlone) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Json input = json_of(R"({"name":"A","platform":"mixpanel",
    "fields":{"project_id":"1","username":"u"},"secrets":{"service_secret":"s3cret-text"}})");
  const auto made = settings.create_destination(input, kAuthor);
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  EXPECT_EQ(made->delivery.batch.events_max, 2000U);
  EXPECT_EQ(made->signing.scheme, Signing::Scheme::none);
  EXPECT_FALSE(machine.is_on_disk("s3cret-text"));
  // It is there again after a restart, and a change keeps the secret.
  machine.reopen();
  const auto renamed = machine.settings->change_destination(made->id, {{"name", "B"}}, {}, kAuthor);
  ASSERT_TRUE(renamed.has_value()) << renamed.error().detail;
  EXPECT_EQ(renamed->secrets.front().value, "s3cret-text");
  // What is removed is as the preset has it.
  const Json patch = json_of(R"({"fields":{"server":null,"user":"wm.userVars.id"},
    "request":{"timeout_ms":null}})");
  const auto changed = machine.settings->change_destination(made->id, patch, {}, kAuthor);
  ASSERT_TRUE(changed.has_value()) << changed.error().detail;
  const Json shown = to_json(*changed, false);
  EXPECT_EQ(shown.at("fields").at("server"), "https://api.mixpanel.com");
  EXPECT_EQ(shown.at("fields").at("user"), "wm.userVars.id");
  EXPECT_EQ(shown.at("request").at("timeout_ms"), 10000);
}

TEST(Platforms, AnotherPlatformBeginsAnew) {
  Machine machine;
  Settings& settings = *machine.settings;
  const DestinationId id = machine.make_destination().id;
  const Json to_slack =
      json_of(R"({"platform":"slack","secrets":{"webhook_url":"https://hooks.slack.com/x"}})");
  const auto slack = settings.change_destination(id, to_slack, {}, kAuthor);
  ASSERT_TRUE(slack.has_value()) << slack.error().detail;
  EXPECT_EQ(slack->request.url, "{{secret.webhook_url}}");
  EXPECT_EQ(slack->signing.scheme, Signing::Scheme::none);
  const Json to_custom =
      json_of(R"({"platform":"custom","request":{"url":"https://api.example.com"}})");
  const auto custom = settings.change_destination(id, to_custom, {}, kAuthor);
  ASSERT_TRUE(custom.has_value()) << custom.error().detail;
  EXPECT_TRUE(custom->secrets.empty() && custom->fields.empty() && !custom->body);
  EXPECT_TRUE(custom->success.is_plain());
  EXPECT_FALSE(custom->delivery.rate_limit.has_value());
  EXPECT_EQ(custom->signing.scheme, Signing::Scheme::standard_webhooks);
}

TEST(Platforms, ARateIsTakenForAnyDestination) {
  Machine machine;
  const Json input = json_of(R"({"name":"A","platform":"slack",
    "secrets":{"webhook_url":"https://hooks.slack.com/x"},
    "delivery":{"rate_limit":{"requests":3,"per_ms":60000}}})");
  const auto made = machine.settings->create_destination(input, kAuthor);
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  machine.reopen();
  const auto kept = machine.settings->destination(made->id);
  ASSERT_TRUE(kept && kept->delivery.rate_limit);
  EXPECT_EQ(kept->delivery.rate_limit->requests, 3U);
  EXPECT_EQ(kept->delivery.rate_limit->per, std::chrono::minutes(1));
}

}  // namespace
}  // namespace eilpost::settings
