#include "settings/settings.h"

#include <gtest/gtest.h>
#include <set>

#include "crypto/token.h"
#include "env/sim/sim_env.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

using std::chrono::hours;

struct Simulated {
  explicit Simulated(std::uint64_t seed) : env(seed) {}
  env::SimEnv env;
};

struct Machine : Simulated, Desk {
  explicit Machine(std::uint64_t seed = 1) : Simulated(seed), Desk(Simulated::env) {}
};

// Everything that can be asked for, as one text.
std::string all_of(Settings& settings) {
  Json all = Json::array();
  for (const Environment& item : settings.environments()) all.push_back(to_json(item));
  for (const Source& item : settings.sources()) {
    all.push_back(to_json(item));
    all.push_back(item.key_hash);
    all.push_back(static_cast<std::uint32_t>(item.environment));
  }
  for (const EventType& item : settings.catalog()->types()) all.push_back(to_json(item));
  for (const Webhook& item : settings.webhooks()) all.push_back(to_json(item));
  for (const Destination& item : settings.destinations()) {
    all.push_back(to_json(item, /*show_secrets=*/true));
    all.push_back(item.signing.previous_secret);
  }
  for (const ApiKey& item : settings.api_keys()) {
    all.push_back(to_json(item));
    all.push_back(item.key_hash);
  }
  for (const AuditRow& row : settings.audit_log(UINT64_MAX, 1000)) {
    all.push_back({row.number, row.author, row.action, row.kind, row.id, row.name});
  }
  return to_text(all);
}

const Json kCustomType = {{"code", "custom.paid"},
                          {"label", {{"en", "Paid"}, {"de", "Bezahlt"}}},
                          {"properties", {{{"path", "amount"}, {"type", "integer"}}}}};

TEST(Settings, FirstStartMakesSourceInboxWebhookAndKey) {
  Machine machine;
  Settings& settings = *machine.settings;
  ASSERT_TRUE(settings.is_new());
  const auto source =
      settings.create_source({{"name", "My application"}, {"environment", "production"}}, kAuthor);
  ASSERT_TRUE(source.has_value());
  EXPECT_FALSE(settings.is_new());
  const auto inbox =
      settings.create_destination({{"name", "Inbox"}, {"platform", "inbox"}}, kAuthor);
  ASSERT_TRUE(inbox.has_value()) << inbox.error().detail;
  EXPECT_EQ(inbox->inbox_token.size(), 32U);
  const auto renamed = settings.change_destination(inbox->id, {{"name", "Box"}}, {}, kAuthor);
  EXPECT_EQ(renamed->inbox_token, inbox->inbox_token);
  EXPECT_TRUE(crypto::decode_webhook_secret(inbox->signing.secret).has_value());
  const Json webhook = {{"name", "Survey submitted to the inbox"},
                        {"event", "survey.submitted"},
                        {"environments", {"production"}},
                        {"destination", to_string(inbox->id)}};
  ASSERT_TRUE(settings.create_webhook(webhook, kAuthor).has_value());
  const auto key = settings.create_api_key({{"name", "First start"}, {"role", "admin"}}, kAuthor);
  ASSERT_TRUE(key.has_value());
  EXPECT_TRUE(key->secret.starts_with("eil_"));
  EXPECT_EQ(settings.find_api_key(crypto::hash_token(key->secret))->id, key->key.id);

  const auto snapshot = settings.snapshot();
  EXPECT_EQ(snapshot->webhooks.size(), 1U);
  EXPECT_NE(snapshot->destinations.at(inbox->id)->compiled, nullptr);
  const Source* found = snapshot->sources->find_by_key_hash(crypto::hash_token(source->key));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->environment, EnvironmentId::production);
  const std::vector<Owed> owed = owed_by(*snapshot, "survey.submitted");
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].destination, inbox->id);
  EXPECT_FALSE(machine.is_on_disk(source->key));
  EXPECT_FALSE(machine.is_on_disk(key->secret));
}

TEST(Settings, ReopeningGivesTheSame) {
  Machine machine;
  Settings& settings = *machine.settings;
  ASSERT_TRUE(settings.create_environment("staging", kAuthor));
  const auto source = settings.create_source(
      {{"name", "S"}, {"environment", "staging"}, {"allowed_origins", Json::array()}}, kAuthor);
  ASSERT_TRUE(source.has_value());
  ASSERT_TRUE(settings.create_event_type(kCustomType, kAuthor));
  const Destination destination = machine.make_destination();
  ASSERT_TRUE(settings.change_destination(
      destination.id,
      json_of(R"({"authentication":{"type":"basic","username":"u","password":"p"}})"), {},
      kAuthor));
  ASSERT_TRUE(settings.rotate_signing_secret(destination.id, hours(1), kAuthor));
  ASSERT_TRUE(
      settings.set_destination_state(destination.id, DestinationState::paused, "failing", kAuthor));
  const Webhook webhook = machine.make_webhook(destination.id, "custom.*");
  ASSERT_TRUE(settings.change_webhook(webhook.id, {{"environments", {"staging"}}}, 1, kAuthor));
  ASSERT_TRUE(settings.create_api_key(
      {{"name", "K"}, {"role", "viewer"}, {"expires_at", "2099-01-01T00:00:00Z"}}, kAuthor));
  ASSERT_TRUE(settings.ensure_bootstrap_key("eil_bootstrap"));
  const std::string before = all_of(settings);
  const std::uint64_t revision = settings.snapshot()->revision;
  machine.reopen();
  EXPECT_EQ(all_of(*machine.settings), before);
  EXPECT_EQ(machine.settings->snapshot()->revision, revision);
  EXPECT_FALSE(machine.settings->is_new());
  ASSERT_TRUE(machine.settings->ensure_bootstrap_key("eil_bootstrap"));
  EXPECT_EQ(all_of(*machine.settings), before);
}

TEST(Settings, SecretsAreNeitherOnDiskNorInTheApi) {
  Machine machine;
  Settings& settings = *machine.settings;
  Json input = {
      {"name", "A"}, {"platform", "custom"}, {"request", {{"url", "https://example.com"}}}};
  input["authentication"] = {{"type", "bearer"}, {"token", "sup3r-s3cret-token"}};
  const auto made = settings.create_destination(input, kAuthor);
  ASSERT_TRUE(made.has_value());
  const auto rotated = settings.rotate_signing_secret(made->id, hours(1), kAuthor);
  ASSERT_TRUE(rotated.has_value());
  EXPECT_NE(rotated->signing.secret, made->signing.secret);
  EXPECT_EQ(rotated->signing.previous_secret, made->signing.secret);
  EXPECT_EQ(rotated->signing.previous_until, machine.env.clock().wall_now() + hours(1));

  std::string shown = to_text(to_json(*rotated, /*show_secrets=*/false));
  for (const VersionRow& row : settings.destination_versions(made->id)) {
    shown += to_text(row.object);
  }
  EXPECT_NE(shown.find(R"("token":{"set":true})"), std::string::npos);
  for (const std::string& secret :
       {std::string("sup3r-s3cret-token"), made->signing.secret, rotated->signing.secret}) {
    EXPECT_FALSE(machine.is_on_disk(secret));
    EXPECT_FALSE(machine.is_on_disk(secret.substr(8)));
    EXPECT_EQ(shown.find(secret), std::string::npos);
  }
  // A change of something else leaves the overlap as it is.
  const auto renamed = settings.change_destination(made->id, {{"name", "B"}}, {}, kAuthor);
  EXPECT_EQ(renamed->signing.previous_secret, made->signing.secret);
  EXPECT_EQ(shown.find("sealed"), std::string::npos);
  EXPECT_EQ(shown.find("previous_secret"), std::string::npos);
}

TEST(Settings, AnotherKeyOpensNothingAndARotatedOneSealsAllAgain) {
  Machine machine;
  const Destination destination = machine.make_destination();
  ASSERT_TRUE(machine.settings->rotate_signing_secret(destination.id, hours(1), kAuthor));
  const std::string before = all_of(*machine.settings);
  machine.settings.reset();
  crypto::SecretBox other({box_key(2)});
  const auto refused = Settings::open(machine.env, other);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::crypto_failed);
  crypto::SecretBox both({box_key(2), box_key(1)});
  ASSERT_TRUE(Settings::open(machine.env, both).has_value());
  const auto with_new = Settings::open(machine.env, other);
  ASSERT_TRUE(with_new.has_value()) << with_new.error().detail;
  EXPECT_EQ(all_of(**with_new), before);
  EXPECT_NE((*with_new)->destination_at(destination.id, 1), nullptr);
}

TEST(Settings, PatchKeepsSecretsAndChangesTheRest) {
  Machine machine;
  const Destination made = machine.make_destination();
  const auto changed = machine.settings->change_destination(
      made.id, json_of(R"({"name":"B","signing":{"secret":{"set":true}},
                           "request":{"headers":[{"name":"X-Team","value":"a"}]}})"),
      1, kAuthor);
  ASSERT_TRUE(changed.has_value()) << changed.error().detail;
  EXPECT_EQ(changed->name, "B");
  EXPECT_EQ(changed->version, 2U);
  EXPECT_EQ(changed->signing.secret, made.signing.secret);
  EXPECT_EQ(changed->request.url, made.request.url);
  EXPECT_EQ(changed->request.headers.size(), 1U);
  EXPECT_EQ(changed->created_at, made.created_at);
  const auto remade = machine.settings->change_destination(
      made.id, json_of(R"({"signing":{"secret":null}})"), 2, kAuthor);
  ASSERT_TRUE(remade.has_value());
  EXPECT_NE(remade->signing.secret, made.signing.secret);
  const auto unsigned_one = machine.settings->change_destination(
      made.id, json_of(R"({"signing":{"scheme":"none"}})"), {}, kAuthor);
  ASSERT_TRUE(unsigned_one.has_value());
  EXPECT_EQ(unsigned_one->signing.secret, "");
  EXPECT_EQ(machine.settings->rotate_signing_secret(made.id, hours(1), kAuthor).error().status,
            409);
}

TEST(Settings, EverythingWrongIsReportedAtOnceAndNothingSaved) {
  Machine machine;
  const auto refused = machine.settings->create_webhook(
      json_of(R"({"name":"","event":"survey.submited","environments":["production","moon"],
        "conditions":{"all":[{"property":"nps","operator":"greater_than","value":"x"},7]},
        "properties":[{"property":"nps","as":"a b"},{"property":"oId","as":"c"},
                      {"property":"sId","as":"c"}],
        "destination":"dst_0000000000009"})"),
      kAuthor);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 422);
  EXPECT_EQ(refused.error().code, "invalid");
  const std::vector<std::string> errors = errors_of(refused.error().errors);
  const std::set<std::string> found(errors.begin(), errors.end());
  EXPECT_EQ(found.size(), errors.size());
  for (const char* wanted :
       {"/name name_missing", "/event unknown_event_type", "/conditions/all/1 wrong_type",
        "/environments/1 unknown_environment", "/destination unknown_destination"}) {
    EXPECT_TRUE(found.contains(wanted)) << wanted << " in " << ::testing::PrintToString(errors);
  }
  EXPECT_TRUE(std::ranges::any_of(
      errors, [](const std::string& error) { return error.starts_with("/properties/0"); }));
  EXPECT_TRUE(machine.settings->webhooks().empty());
  EXPECT_TRUE(machine.settings->audit_log(UINT64_MAX, 10).empty());
}

TEST(Settings, WarningsDoNotKeepAWebhookFromBeingSaved) {
  Machine machine;
  Json json = machine.webhook_json(machine.make_destination().id);
  json["conditions"] = {{"property", "plan"}, {"operator", "is"}, {"value", "pro"}};
  const auto made = machine.settings->create_webhook(json, kAuthor);
  ASSERT_TRUE(made.has_value());
  EXPECT_FALSE(made->warnings.empty());
}

TEST(Settings, StaleVersionsAndAbsentObjectsAreRefused) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination destination = machine.make_destination();
  const Webhook webhook = machine.make_webhook(destination.id);
  const auto source = settings.create_source({{"name", "S"}}, kAuthor);
  const Json patch = {{"name", "B"}};
  EXPECT_EQ(settings.change_webhook(webhook.id, patch, 2, kAuthor).error().status, 412);
  EXPECT_EQ(settings.replace_webhook(webhook.id, patch, 2, kAuthor).error().status, 412);
  EXPECT_EQ(settings.delete_webhook(webhook.id, 2, kAuthor).error().status, 412);
  EXPECT_EQ(settings.change_destination(destination.id, patch, 2, kAuthor).error().status, 412);
  EXPECT_EQ(settings.delete_destination(destination.id, 2, kAuthor).error().status, 412);
  EXPECT_EQ(settings.change_source(source->source.id, patch, 2, kAuthor).error().status, 412);

  EXPECT_EQ(settings.change_webhook(WebhookId{9}, patch, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.replace_webhook(WebhookId{9}, patch, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_webhook(WebhookId{9}, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.change_destination(DestinationId{9}, patch, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_destination(DestinationId{9}, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.rotate_signing_secret(DestinationId{9}, hours(1), kAuthor).error().status,
            404);
  EXPECT_EQ(settings.change_source(SourceId{9}, patch, {}, kAuthor).error().status, 404);
  EXPECT_EQ(settings.rotate_source_key(SourceId{9}, kAny, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_source(SourceId{9}, kAny, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_environment("moon", kAny, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_event_type("custom.moon", kAny, kAuthor).error().status, 404);
  EXPECT_EQ(settings.delete_api_key(ApiKeyId{9}, kAuthor).error().status, 404);

  const auto changed = settings.change_webhook(webhook.id, patch, 1, kAuthor);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(changed->webhook.version, 2U);
  EXPECT_EQ(changed->webhook.events, webhook.events);
}

TEST(Settings, WhatIsInUseIsNotDeleted) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination destination = machine.make_destination();
  ASSERT_TRUE(settings.create_environment("staging", kAuthor));
  ASSERT_TRUE(settings.create_event_type(kCustomType, kAuthor));
  Json json = machine.webhook_json(destination.id, "custom.paid");
  json["environments"] = {"staging"};
  const auto webhook = settings.create_webhook(json, kAuthor);
  ASSERT_TRUE(webhook.has_value());

  const auto refused = settings.delete_destination(destination.id, {}, kAuthor);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 409);
  EXPECT_NE(refused.error().detail.find(to_string(webhook->webhook.id)), std::string::npos);
  EXPECT_EQ(settings.delete_environment("staging", kAny, kAuthor).error().status, 409);
  EXPECT_EQ(settings.delete_event_type("custom.paid", kAny, kAuthor).error().status, 409);
  const Json retype = {{"properties", {{{"path", "amount"}, {"type", "string"}}}}};
  EXPECT_EQ(settings.change_event_type("custom.paid", retype, kAny, kAuthor).error().status, 409);
  // Two steps, of which each looks harmless, would be one retyping.
  const Json none = {{"properties", Json::array()}};
  EXPECT_EQ(settings.change_event_type("custom.paid", none, kAny, kAuthor).error().status, 409);
  const Json more = {
      {"properties",
       {{{"path", "amount"}, {"type", "integer"}}, {{"path", "currency"}, {"type", "string"}}}}};
  EXPECT_TRUE(settings.change_event_type("custom.paid", more, kAny, kAuthor).has_value());

  ASSERT_TRUE(settings.delete_webhook(webhook->webhook.id, {}, kAuthor));
  EXPECT_TRUE(settings.change_event_type("custom.paid", retype, kAny, kAuthor).has_value());
  EXPECT_TRUE(settings.delete_event_type("custom.paid", kAny, kAuthor).has_value());
  EXPECT_TRUE(settings.delete_environment("staging", kAny, kAuthor).has_value());
  EXPECT_TRUE(settings.delete_destination(destination.id, {}, kAuthor).has_value());
}

TEST(Settings, NewDeclarationThatBreaksAConditionIsRefused) {
  Machine machine;
  Settings& settings = *machine.settings;
  ASSERT_TRUE(settings.create_event_type(kCustomType, kAuthor));
  Json json = machine.webhook_json(machine.make_destination().id, "custom.paid");
  json["conditions"] = {{"property", "currency"}, {"operator", "starts_with"}, {"value", "EU"}};
  ASSERT_TRUE(settings.create_webhook(json, kAuthor));
  const Json clash = {
      {"properties",
       {{{"path", "amount"}, {"type", "integer"}}, {{"path", "currency"}, {"type", "boolean"}}}}};
  const auto refused = settings.change_event_type("custom.paid", clash, kAny, kAuthor);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, 409);
  EXPECT_FALSE(settings.catalog()
                   ->declared_type(*settings.catalog()->find("custom.paid"), "currency")
                   .has_value());
}

TEST(Settings, EventTypesAreCheckedAndHaveASample) {
  Machine machine;
  Settings& settings = *machine.settings;
  const auto made = settings.create_event_type(kCustomType, kAuthor);
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(json_of(made->sample)["data"]["amount"], 7);
  EXPECT_EQ(settings.create_event_type(kCustomType, kAuthor).error().status, 409);
  EXPECT_EQ(
      settings.change_event_type("survey.submitted", Json::object(), kAny, kAuthor).error().code,
      "built_in");
  EXPECT_EQ(settings.delete_event_type("survey.submitted", kAny, kAuthor).error().code, "built_in");
  EXPECT_EQ(errors_of(settings.create_event_type({{"code", "paid"}}, kAuthor).error().errors),
            (std::vector<std::string>{"/code invalid_code", "/label/en label_missing",
                                      "/label/de label_missing"}));
  EXPECT_EQ(
      errors_of(settings.change_event_type("custom.paid", {{"code", "custom.x"}}, kAny, kAuthor)
                    .error()
                    .errors),
      std::vector<std::string>{"/code code_fixed"});
  // The group is another one now: webhooks on it are asked again.
  const Webhook webhook = machine.make_webhook(machine.make_destination().id, "custom.*");
  Json second = kCustomType;
  second["code"] = "custom.returned";
  ASSERT_TRUE(settings.create_event_type(second, kAuthor));
  const auto snapshot = settings.snapshot();
  const std::vector<Owed> owed = owed_by(*snapshot, "custom.returned");
  ASSERT_EQ(owed.size(), 1U);
  EXPECT_EQ(owed[0].webhook, webhook.id);
  EXPECT_TRUE(settings.delete_event_type("custom.returned", kAny, kAuthor).has_value());
  EXPECT_EQ(settings.delete_event_type("custom.paid", kAny, kAuthor).error().status, 409);
}

TEST(Settings, EnvironmentsAreWordsWithNumbersOfTheirOwn) {
  Machine machine;
  Settings& settings = *machine.settings;
  ASSERT_EQ(settings.environments().size(), 3U);
  for (const std::string& name :
       {std::string(), std::string("two words"), std::string("tab\t"), std::string(101, 'a')}) {
    EXPECT_EQ(settings.create_environment(name, kAuthor).error().status, 422) << name;
  }
  EXPECT_EQ(settings.create_environment("Production", kAuthor).error().status, 409);
  EXPECT_EQ(settings.delete_environment("production", kAny, kAuthor).error().code, "built_in");
  EXPECT_EQ(settings.create_environment(std::string(100, 'a'), kAuthor)->id, EnvironmentId{100});
  EXPECT_EQ(settings.create_environment("b", kAuthor)->id, EnvironmentId{101});
  ASSERT_TRUE(settings.delete_environment("b", kAny, kAuthor));
  machine.reopen();
  EXPECT_EQ(machine.settings->create_environment("c", kAuthor)->id, EnvironmentId{102});
}

TEST(Settings, SourcesChangeAndTheirKeysRotate) {
  Machine machine;
  Settings& settings = *machine.settings;
  const auto made = settings.create_source(
      {{"name", "S"}, {"allowed_origins", {"https://app.example.com"}}}, kAuthor);
  ASSERT_TRUE(made.has_value());
  EXPECT_TRUE(made->key.starts_with("src_"));
  EXPECT_EQ(made->source.key_hint, made->key.substr(made->key.size() - 4));
  const auto rotated = settings.rotate_source_key(made->source.id, kAny, kAuthor);
  ASSERT_TRUE(rotated.has_value());
  const auto find = [&](std::string_view key) {
    return settings.snapshot()->sources->find_by_key_hash(crypto::hash_token(key));
  };
  EXPECT_EQ(find(made->key), nullptr);
  ASSERT_NE(find(rotated->key), nullptr);
  const auto changed = settings.change_source(
      made->source.id, {{"environment", "test"}, {"allowed_origins", nullptr}}, 2, kAuthor);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ(find(rotated->key)->environment, EnvironmentId::test);
  EXPECT_FALSE(changed->allowed_origins.has_value());
  EXPECT_EQ(
      errors_of(settings
                    .create_source({{"environment", "moon"},
                                    {"allowed_origins", {"app.example.com", "https://a/b"}}},
                                   kAuthor)
                    .error()
                    .errors),
      (std::vector<std::string>{"/name name_missing", "/environment unknown_environment",
                                "/allowed_origins/0 bad_origin", "/allowed_origins/1 bad_origin"}));
  ASSERT_TRUE(settings.delete_source(made->source.id, kAny, kAuthor));
  EXPECT_EQ(find(rotated->key), nullptr);
  EXPECT_FALSE(settings.is_new());
}

TEST(Settings, SnapshotsShareWhatDidNotChange) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination destination = machine.make_destination();
  const Webhook first = machine.make_webhook(destination.id);
  const Webhook second = machine.make_webhook(destination.id, "launcher.clicked");
  const auto before = settings.snapshot();
  EXPECT_EQ(settings.snapshot(), before);
  ASSERT_TRUE(settings.change_webhook(second.id, {{"enabled", false}}, {}, kAuthor));
  const auto after = settings.snapshot();
  EXPECT_GT(after->revision, before->revision);
  EXPECT_EQ(after->webhooks.at(first.id), before->webhooks.at(first.id));
  EXPECT_NE(after->webhooks.at(second.id), before->webhooks.at(second.id));
  EXPECT_FALSE(after->webhooks.at(second.id)->webhook.enabled);
  EXPECT_EQ(after->destinations.at(destination.id), before->destinations.at(destination.id));
  EXPECT_EQ(after->sources, before->sources);
  EXPECT_EQ(after->catalog, before->catalog);
  EXPECT_GE(after->matcher->shared_count(*before->matcher), 1U);
  EXPECT_EQ(owed_by(*before, "launcher.clicked").size(), 1U);
  EXPECT_TRUE(owed_by(*after, "launcher.clicked").empty());
}

TEST(Settings, OldVersionsStayAndCompile) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination destination = machine.make_destination();
  const Webhook webhook = machine.make_webhook(destination.id);
  ASSERT_TRUE(settings.change_webhook(webhook.id, {{"name", "B"}}, {}, {.name = "jane"}));
  ASSERT_TRUE(settings.change_destination(
      destination.id, {{"request", {{"url", "https://b.example.com"}}}}, {}, kAuthor));
  machine.reopen();
  Settings& again = *machine.settings;
  const std::vector<VersionRow> rows = again.webhook_versions(webhook.id);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].version, 2U);
  EXPECT_EQ(rows[0].author, "jane");
  EXPECT_EQ(rows[0].object["name"], "B");
  EXPECT_EQ(rows[1].object["name"], "Hook");
  EXPECT_EQ(again.webhook_at(webhook.id, 1)->webhook.name, "Hook");
  EXPECT_EQ(again.webhook_at(webhook.id, 2), again.snapshot()->webhooks.at(webhook.id));
  EXPECT_EQ(again.webhook_at(webhook.id, 3), nullptr);
  const auto old = again.destination_at(destination.id, 1);
  ASSERT_NE(old, nullptr);
  EXPECT_EQ(old->destination.request.url, "https://api.example.com/v1");
  EXPECT_EQ(old->destination.signing.secret, destination.signing.secret);
  ASSERT_TRUE(again.delete_webhook(webhook.id, {}, kAuthor));
  EXPECT_EQ(again.webhook_versions(webhook.id).size(), 2U);
  EXPECT_NE(again.webhook_at(webhook.id, 1), nullptr);
}

TEST(Settings, StatesHaveReasonAndSince) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination made = machine.make_destination();
  machine.env.advance(hours(1));
  const auto off = settings.set_destination_state(made.id, DestinationState::disabled,
                                                  "answered_410", {.name = "Eilpost"});
  ASSERT_TRUE(off.has_value());
  EXPECT_EQ(off->state_since, made.created_at + hours(1));
  const Json json = to_json(*off, /*show_secrets=*/false);
  EXPECT_EQ(json["state"], "disabled");
  EXPECT_EQ(json["state_reason"], "answered_410");
  // Said twice it is one change.
  ASSERT_TRUE(
      settings.set_destination_state(made.id, DestinationState::disabled, "person", kAuthor));
  EXPECT_EQ(settings.destination(made.id)->state_reason, "answered_410");
  EXPECT_EQ(settings.destination(made.id)->version, 2U);
  // A change of something else leaves it as it is.
  ASSERT_TRUE(settings.change_destination(made.id, {{"name", "B"}}, {}, kAuthor));
  EXPECT_EQ(settings.destination(made.id)->state, DestinationState::disabled);
  ASSERT_TRUE(settings.set_destination_state(made.id, DestinationState::active, "", kAuthor));
  EXPECT_EQ(to_json(*settings.destination(made.id), false)["state_reason"], nullptr);
}

TEST(Settings, DraftsAreCompiledAndNotSaved) {
  Machine machine;
  Settings& settings = *machine.settings;
  const Destination destination = machine.make_destination();
  const Webhook webhook = machine.make_webhook(destination.id);
  const std::string before = all_of(settings);

  const auto plain = settings.compile_draft({{"id", to_string(webhook.id)}}, nullptr);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->webhook->webhook.id, webhook.id);
  EXPECT_EQ(plain->destination, settings.snapshot()->destinations.at(destination.id));
  EXPECT_TRUE(settings.compile_draft(to_string(webhook.id), nullptr).has_value());

  // New, without a name, to a destination that keeps its secrets.
  const auto draft = settings.compile_draft(
      {{"event", "launcher.clicked"}},
      {{"id", to_string(destination.id)}, {"request", {{"url", "https://b.example.com"}}}});
  ASSERT_TRUE(draft.has_value()) << draft.error().detail;
  EXPECT_EQ(draft->destination->destination.signing.secret, destination.signing.secret);
  EXPECT_EQ(draft->destination->destination.request.url, "https://b.example.com");
  EXPECT_EQ(draft->webhook->webhook.destination, destination.id);
  EXPECT_NE(draft->conditions, nullptr);

  const auto wrong = settings.compile_draft({{"event", "launcher.clickd"}},
                                            {{"platform", "custom"}, {"request", {{"url", "x"}}}});
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(errors_of(wrong.error().errors),
            (std::vector<std::string>{"/destination/request/url bad_url",
                                      "/webhook/event unknown_event_type"}));
  EXPECT_EQ(settings.compile_draft({{"event", "launcher.clicked"}}, nullptr).error().status, 422);
  EXPECT_EQ(settings.compile_draft("wh_0000000000009", nullptr).error().status, 404);
  EXPECT_EQ(settings.compile_draft(nullptr, nullptr).error().status, 422);
  EXPECT_EQ(all_of(settings), before);
}

TEST(Settings, ApiKeysExpireAndAreDeleted) {
  Machine machine;
  Settings& settings = *machine.settings;
  const std::string soon = "2030-01-01T00:00:00Z";
  EXPECT_EQ(
      errors_of(settings
                    .create_api_key(
                        {{"name", "K"}, {"role", "owner"}, {"expires_at", "2001-01-01T00:00:00Z"}},
                        kAuthor)
                    .error()
                    .errors),
      (std::vector<std::string>{"/role unknown_value", "/expires_at bad_time"}));
  const auto key =
      settings.create_api_key({{"name", "K"}, {"role", "editor"}, {"expires_at", soon}}, kAuthor);
  ASSERT_TRUE(key.has_value());
  const std::string hash = crypto::hash_token(key->secret);
  EXPECT_TRUE(settings.find_api_key(hash).has_value());
  machine.env.advance(*key->key.expires_at - machine.env.clock().wall_now());
  EXPECT_FALSE(settings.find_api_key(hash).has_value());
  ASSERT_TRUE(settings.delete_api_key(key->key.id, kAuthor));
  EXPECT_TRUE(settings.api_keys().empty());
  EXPECT_FALSE(settings.ensure_bootstrap_key("").has_value());
}

TEST(Settings, AuditLogPagesFromTheNewest) {
  Machine machine;
  const Destination destination = machine.make_destination("A");
  ASSERT_TRUE(machine.settings->rotate_signing_secret(destination.id, hours(1), kAuthor));
  ASSERT_TRUE(machine.settings->delete_destination(destination.id, {}, {.name = "jane"}));
  const std::vector<AuditRow> page = machine.settings->audit_log(UINT64_MAX, 2);
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].action, "deleted");
  EXPECT_EQ(page[0].author, "jane");
  EXPECT_EQ(page[0].kind, "destination");
  EXPECT_EQ(page[0].name, "A");
  EXPECT_EQ(page[1].action, "rotated");
  const std::vector<AuditRow> rest = machine.settings->audit_log(page[1].number, 2);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].action, "created");
}

TEST(Settings, FullDiskChangesNothing) {
  Machine machine;
  const Destination destination = machine.make_destination();
  const std::string before = all_of(*machine.settings);
  machine.env.directory().set_capacity_bytes(machine.env.directory().used_bytes());
  const auto refused =
      machine.settings->change_destination(destination.id, {{"name", "B"}}, {}, kAuthor);
  ASSERT_FALSE(refused.has_value());
  EXPECT_GE(refused.error().status, 500);
  EXPECT_EQ(all_of(*machine.settings), before);
  machine.env.directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  EXPECT_TRUE(machine.settings->change_destination(destination.id, {{"name", "B"}}, {}, kAuthor));
}

TEST(SettingsCrash, PowerLossKeepsTheOldOrTheNew) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    for (std::uint64_t count = 1;; ++count) {
      Machine machine(seed);
      const Destination destination = machine.make_destination();
      const std::string before = all_of(*machine.settings);
      machine.env.directory().fail_after(count);
      const auto changed =
          machine.settings->change_destination(destination.id, {{"name", "B"}}, {}, kAuthor);
      const std::string after = all_of(*machine.settings);
      EXPECT_EQ(after != before, changed.has_value());
      machine.env.crash(env::Crash::power_loss);
      machine.settings.reset();
      machine.env.restart();
      machine.open();
      const std::string found = all_of(*machine.settings);
      if (changed) {
        EXPECT_EQ(found, after) << "seed " << seed << ", operation " << count;
        break;
      }
      const bool is_old = found == before;
      const bool is_new = machine.settings->destination(destination.id)->name == "B" &&
                          machine.settings->destination(destination.id)->version == 2 &&
                          machine.settings->audit_log(UINT64_MAX, 9).size() == 2 &&
                          machine.settings->destination_versions(destination.id).size() == 2;
      EXPECT_TRUE(is_old || is_new) << "seed " << seed << ", operation " << count;
      ASSERT_LT(count, 1000U);
    }
  }
}

}  // namespace
}  // namespace eilpost::settings
