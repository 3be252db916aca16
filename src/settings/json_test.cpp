// Goal: the API's JSON of webhooks and destinations, both ways: what is taken, what is refused and
// where, what comes back.

#include <gtest/gtest.h>

#include "settings/merge_patch.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

constexpr std::string_view kWebhook = R"({
  "name":"NPS promoters to Slack","enabled":false,"event":["survey.submitted","launcher.*"],
  "environments":["production","test"],
  "conditions":{"all":[{"property":"nps","operator":"greater_or_equal","value":9},
    {"any":[{"property":"wm.language","operator":"is","value":"de","ignore_case":true},
            {"not":{"property":"ctx.title","operator":"exists"}}]}]},
  "properties":[{"property":"wm.euId","as":"user_id"},{"property":"nps","missing":"null"}],
  "static_properties":[{"name":"text","value":"{{wm.euId}} gave us {{nps}}"},
    {"name":"n","value":3}],
  "missing":"null","body":{"format":"template","template":{"a":null,"b":["{{nps}}"]}},
  "destination":"dst_0000000000001"})";

Json without(Json json, std::initializer_list<const char*> keys) {
  for (const char* key : keys) json.erase(key);
  return json;
}

std::vector<std::string> webhook_errors(const Json& json) {
  Problems problems;
  (void)webhook_from_json(json, problems);
  return errors_of(problems.errors);
}

std::vector<std::string> destination_errors(const Json& json) {
  Problems problems;
  (void)destination_from_json(json, /*kept=*/nullptr, problems);
  return errors_of(problems.errors);
}

TEST(WebhookJson, WhatIsReadIsWrittenAgain) {
  Problems problems;
  const Json json = json_of(kWebhook);
  const Webhook webhook = webhook_from_json(json, problems);
  EXPECT_TRUE(problems.ok()) << problems.errors.front().detail;
  EXPECT_EQ(to_text(without(to_json(webhook), {"id", "version", "created_at", "updated_at"})),
            to_text(json));
  Problems again;
  EXPECT_EQ(to_json(webhook_from_json(to_json(webhook), again)), to_json(webhook));
  EXPECT_TRUE(again.ok());
}

TEST(WebhookJson, DefaultsAreThoseOfTheSpecification) {
  Problems problems;
  const Json input = {
      {"name", "A"}, {"event", "survey.submitted"}, {"destination", "dst_0000000000001"}};
  const Json json = to_json(webhook_from_json(input, problems));
  EXPECT_TRUE(problems.ok());
  EXPECT_EQ(json["enabled"], true);
  EXPECT_EQ(json["event"], "survey.submitted");
  EXPECT_EQ(json["environments"], Json::array({"production"}));
  EXPECT_EQ(json["conditions"], nullptr);
  EXPECT_EQ(json["missing"], "leave_out");
  EXPECT_EQ(json["body"], json_of(R"({"format":"destination"})"));
}

TEST(WebhookJson, EveryWrongFieldIsReportedAtItsPlace) {
  struct Row {
    const char* patch;
    std::vector<std::string> errors;
  };
  const Row rows[] = {
      {R"({"name":null})", {"/name name_missing"}},
      {R"({"name":7})", {"/name wrong_type"}},
      {R"({"enabled":"yes"})", {"/enabled wrong_type"}},
      {R"({"event":7})", {"/event wrong_type"}},
      {R"({"event":["survey.submitted",7]})", {"/event wrong_type"}},
      {R"({"environments":"production"})", {"/environments wrong_type"}},
      {R"({"destination":null})", {"/destination destination_missing"}},
      {R"({"destination":"x"})", {"/destination unknown_destination"}},
      {R"({"destination":{}})", {"/destination wrong_type"}},
      {R"({"nmae":"A"})", {"/nmae unknown_field"}},
      {R"({"a/b~":1})", {"/a~1b~0 unknown_field"}},
      {R"({"missing":"zero"})", {"/missing unknown_value"}},
      {R"({"properties":{}})", {"/properties wrong_type"}},
      {R"({"properties":[{"as":"a"},{"property":"nps","x":1}]})",
       {"/properties/0/property property_missing", "/properties/1/x unknown_field"}},
      {R"({"static_properties":[{"name":"a"},{"value":[]}]})",
       {"/static_properties/0/value wrong_type", "/static_properties/1/name name_missing",
        "/static_properties/1/value wrong_type"}},
      {R"({"body":{"format":"xml"}})", {"/body/format unknown_format"}},
      {R"({"body":{"format":"template"}})", {"/body/template template_missing"}},
      {R"({"body":{"format":"flat","template":{}}})", {"/body/template template_not_used"}},
      {R"({"body":{"format":"nested","keys":"underscores"}})", {"/body/keys keys_not_flat"}},
      {R"({"body":{"keys":"dashes"}})", {"/body/keys unknown_value"}},
      {R"({"body":[]})", {"/body wrong_type"}},
      {R"({"conditions":[]})", {"/conditions wrong_type"}},
      {R"({"conditions":{}})", {"/conditions unclear_condition"}},
      {R"({"conditions":{"all":[],"any":[]}})", {"/conditions unclear_condition"}},
      {R"({"conditions":{"all":{}}})", {"/conditions/all wrong_type"}},
      {R"({"conditions":{"any":[7,{"not":{"property":"nps","operator":"equals"}}]}})",
       {"/conditions/any/0 wrong_type", "/conditions/any/1/not/operator unknown_operator"}},
      {R"({"conditions":{"property":"nps"}})", {"/conditions/operator operator_missing"}},
      {R"({"conditions":{"operator":"is","value":1}})", {"/conditions/property property_missing"}},
      {R"({"conditions":{"property":"nps","operator":"is","valeu":1}})",
       {"/conditions/valeu unknown_field"}},
      {R"([])", {" wrong_type"}},
  };
  for (const Row& row : rows) {
    Json json = {
        {"name", "A"}, {"event", "survey.submitted"}, {"destination", "dst_0000000000001"}};
    merge_patch(json, json_of(row.patch));
    EXPECT_EQ(webhook_errors(json), row.errors) << row.patch;
  }
}

TEST(WebhookJson, MisspeltFieldIsToldWhatWasMeant) {
  Problems problems;
  Json json = json_of(kWebhook);
  json["enviroments"] = Json::array();
  (void)webhook_from_json(json, problems);
  ASSERT_EQ(problems.errors.size(), 1U);
  EXPECT_NE(problems.errors[0].detail.find("\"environments\""), std::string::npos)
      << problems.errors[0].detail;
}

TEST(WebhookJson, DeepConditionsAreLeftToTheirCompiler) {
  std::string text = R"({"property":"nps","operator":"exists"})";
  for (int i = 0; i < 40; ++i) text = R"({"not":)" + text + "}";
  Json json = json_of(kWebhook);
  json["conditions"] = json_of(text);
  EXPECT_EQ(webhook_errors(json), std::vector<std::string>{});
}

TEST(DestinationJson, HasTheWholeShapeAndTakesItBack) {
  Problems problems;
  const Json input =
      json_of(R"({"name":"A","platform":"custom","request":{"url":"https://api.example.com/v1"}})");
  const Json json = to_json(destination_from_json(input, nullptr, problems), true);
  EXPECT_TRUE(problems.ok());
  const Json wanted = json_of(R"({"name":"A","platform":"custom","fields":{},"secrets":{},
    "request":{"method":"POST","url":"https://api.example.com/v1","headers":[],"timeout_ms":5000},
    "body":null,"success":{"statuses":["2xx"],"body":null},"final_statuses":[],
    "authentication":{"type":"none"},
    "tls":{"ca_certificates":null,"trust":"own","client_certificate":null,"client_key":null,
      "expires_at":null,"certificates":[]},
    "signing":{"scheme":"standard-webhooks","secret":""},
    "delivery":{"concurrency":16,"rate_limit":null,"ordering":"none","backlog_max":1000000,
      "retry":{"delays_ms":[5000,300000,1800000,7200000,18000000,36000000,50400000,72000000,
        86400000],"jitter":0.2},
      "batch":{"events_max":1,"bytes_max":null,"wait_ms":0,"template":null,"join":null}}})");
  EXPECT_EQ(to_text(without(json, {"id", "state", "state_reason", "state_since", "version",
                                   "created_at", "updated_at"})),
            to_text(wanted));
  Problems again;
  EXPECT_EQ(to_json(destination_from_json(json, nullptr, again), true), json);
  EXPECT_TRUE(again.ok());
}

TEST(DestinationJson, EveryWrongFieldIsReportedAtItsPlace) {
  struct Row {
    const char* patch;
    std::vector<std::string> errors;
  };
  const Row rows[] = {
      {R"({"platform":null})", {"/platform platform_missing"}},
      {R"({"platform":"slak"})", {"/platform unknown_platform"}},
      {R"({"request":null})", {"/request/url url_missing"}},
      {R"({"request":{"url":""}})", {"/request/url url_missing"}},
      {R"({"request":{"url":7}})", {"/request/url wrong_type"}},
      {R"({"platform":"inbox"})", {"/request/url not_used"}},
      {R"({"request":{"method":"FETCH"}})", {"/request/method unknown_value"}},
      {R"({"request":{"timeout_ms":999}})", {"/request/timeout_ms out_of_range"}},
      {R"({"request":{"timeout_ms":30001}})", {"/request/timeout_ms out_of_range"}},
      {R"({"request":{"timeout_ms":1.5}})", {"/request/timeout_ms wrong_type"}},
      {R"({"request":{"headers":[{"name":"A"},7]}})",
       {"/request/headers/0/value missing", "/request/headers/1 wrong_type"}},
      {R"({"authentication":{"type":"magic"}})", {"/authentication/type unknown_value"}},
      {R"({"authentication":{"type":"oauth2","grant":"client_credentials"}})",
       {"/authentication/token_url missing", "/authentication/client_id missing",
        "/authentication/client_secret missing"}},
      {R"({"authentication":{"type":"bearer","token":{"set":true}}})",
       {"/authentication/token secret_missing"}},
      {R"({"authentication":{"type":"bearer","token":7}})", {"/authentication/token wrong_type"}},
      {R"({"authentication":{"type":"none","token":"x"}})", {"/authentication/token not_used"}},
      {R"({"signing":{"scheme":"md5"}})", {"/signing/scheme unknown_value"}},
      {R"({"signing":{"secret":"whsec_AAAA"}})", {"/signing/secret bad_secret"}},
      {R"({"delivery":{"concurrency":0}})", {"/delivery/concurrency out_of_range"}},
      {R"({"delivery":{"concurrency":1001}})", {"/delivery/concurrency out_of_range"}},
      {R"({"delivery":{"backlog_max":0}})", {"/delivery/backlog_max out_of_range"}},
      {R"({"delivery":{"backlog_max":18446744073709551615}})",
       {"/delivery/backlog_max out_of_range"}},
      {R"({"delivery":{"retry":{"jitter":1.5}}})", {"/delivery/retry/jitter out_of_range"}},
      {R"({"delivery":{"retry":{"jitter":"x"}}})", {"/delivery/retry/jitter out_of_range"}},
      {R"({"delivery":{"retry":{"delays_ms":[-1]}}})", {"/delivery/retry/delays_ms out_of_range"}},
      {R"({"delivery":{"retry":{"delays_ms":[604800001]}}})",
       {"/delivery/retry/delays_ms out_of_range"}},
      {R"({"delivery":{"rate_limit":{"requests":0}}})",
       {"/delivery/rate_limit/requests out_of_range", "/delivery/rate_limit/per_ms missing"}},
      {R"({"delivery":{"rate_limit":{"requests":1000001,"per_ms":86400001,"burst":2}}})",
       {"/delivery/rate_limit/requests out_of_range", "/delivery/rate_limit/per_ms out_of_range",
        "/delivery/rate_limit/burst unknown_field"}},
      {R"({"delivery":{"rate_limit":5}})", {"/delivery/rate_limit wrong_type"}},
      {R"({"delivery":{"ordering":"per_webhook"}})", {"/delivery/ordering unknown_value"}},
      {R"({"delivery":{"batch":{"events_max":0,"wait_ms":-1}}})",
       {"/delivery/batch/events_max out_of_range", "/delivery/batch/wait_ms out_of_range"}},
      {R"({"fields":7})", {"/fields wrong_type"}},
      {R"({"fields":{"A b":1,"c":{},"d":[[]]}})",
       {"/fields/A b bad_name", "/fields/c wrong_type", "/fields/d wrong_type"}},
      {R"({"secrets":{"a":7,"B":"x","c":{"set":true}}})",
       {"/secrets/a wrong_type", "/secrets/B bad_name", "/secrets/c secret_missing"}},
      {R"({"body":{"format":"destination"}})", {"/body/format unknown_format"}},
      {R"({"body":{"format":"flat","keys":"underscores"}})", {"/body/keys not_used"}},
      {R"({"body":{"format":"template"}})", {"/body/template template_missing"}},
      {R"({"success":{"statuses":["6xx",99,"300-200"]}})",
       {"/success/statuses/0 bad_status", "/success/statuses/1 bad_status",
        "/success/statuses/2 bad_status", "/success/statuses missing"}},
      {R"({"success":{"body":{"matches":"x"}}})",
       {"/success/body unclear_rule", "/success/body/matches unknown_field"}},
      {R"({"success":{"body":{"equals":""}}})", {"/success/body/equals bad_rule"}},
      {R"({"success":{"body":{"pointer":"ok"}}})",
       {"/success/body/pointer bad_pointer", "/success/body/equals missing"}},
      {R"({"success":{"partial":{"failed":["x"],"rest":"lost","named_by":"id"}}})",
       {"/success/partial/statuses missing", "/success/partial/failed bad_pointer",
        "/success/partial/named_by bad_pointer", "/success/partial/rest unknown_value"}},
      {R"({"final_statuses":[400,"x"]})", {"/final_statuses/1 bad_status"}},
      {R"({"tls":{"client_key":7}})", {"/tls/client_key wrong_type"}},
      {R"({"tls":{"client_kee":"PEM"}})", {"/tls/client_kee unknown_field"}},
      {R"({"retry":{}})", {"/retry unknown_field"}},
      {R"({"delivery":{"cuncurrency":1}})", {"/delivery/cuncurrency unknown_field"}},
  };
  for (const Row& row : rows) {
    Json json = {
        {"name", "A"}, {"platform", "custom"}, {"request", {{"url", "https://example.com"}}}};
    merge_patch(json, json_of(row.patch));
    EXPECT_EQ(destination_errors(json), row.errors) << row.patch;
  }
}

TEST(DestinationJson, WhatItPrescribesIsReadAndShown) {
  const Json input = json_of(R"({"name":"A","platform":"custom",
    "fields":{"region":"eu","lists":[1,2],"on":true},"secrets":{"key":"s3cret"},
    "request":{"url":"https://{{field.region}}.example.com/"},
    "body":{"format":"template","template":{"...":"{{properties}}"}},
    "success":{"statuses":["204",200,"3xx","400-409"],"body":{"pointer":"/ok","equals":true},
      "partial":{"statuses":["400"],"failed":["/failed/*/index"],"named_by":null,"rest":"again"}},
    "final_statuses":[400,"5xx"]})");
  Problems problems;
  const Destination destination = destination_from_json(input, nullptr, problems);
  ASSERT_TRUE(problems.ok()) << problems.errors.front().detail;
  const Json shown = to_json(destination, /*show_secrets=*/false);
  EXPECT_EQ(shown.at("secrets"), json_of(R"({"key":{"set":true}})"));
  EXPECT_EQ(shown.at("fields"), input.at("fields"));
  EXPECT_EQ(shown.at("body"), input.at("body"));
  EXPECT_EQ(shown.at("success").at("statuses"), json_of(R"(["204","200","3xx","400-409"])"));
  EXPECT_EQ(shown.at("success").at("body"), input.at("success").at("body"));
  EXPECT_EQ(shown.at("success").at("partial"), input.at("success").at("partial"));
  EXPECT_EQ(shown.at("final_statuses"), input.at("final_statuses"));
  Problems again;
  const Json whole = to_json(destination, /*show_secrets=*/true);
  EXPECT_EQ(to_json(destination_from_json(whole, nullptr, again), true), whole);
  EXPECT_TRUE(again.ok());
}

TEST(DestinationJson, NamedSecretsAreKeptReplacedAndRemovedByAPatch) {
  Destination kept;
  kept.name = "A";
  kept.request.url = "https://example.com";
  kept.signing.scheme = Signing::Scheme::none;
  kept.secrets = {{.name = "a", .value = "1"}, {.name = "b", .value = "2"}};
  const auto patched = [&](std::string_view patch) {
    Problems problems;
    const Json json = patched_destination(to_json(kept, false), json_of(patch));
    std::string secrets;
    for (const Secret& secret : destination_from_json(json, &kept, problems).secrets) {
      secrets += secret.name + secret.value;
    }
    EXPECT_TRUE(problems.ok()) << patch;
    return secrets;
  };
  EXPECT_EQ(patched("{}"), "a1b2");
  EXPECT_EQ(patched(R"({"secrets":{}})"), "a1b2");
  EXPECT_EQ(patched(R"({"secrets":{"a":{"set":true},"b":"3"}})"), "a1b3");
  EXPECT_EQ(patched(R"({"secrets":{"a":null,"c":"4"}})"), "b2c4");
  EXPECT_EQ(patched(R"({"secrets":null})"), "");
}

TEST(DestinationJson, MaskedAndAbsentSecretsAreKeptAndNullOnesRemoved) {
  Destination kept;
  kept.authentication = {.type = Authentication::Type::bearer, .token = "t0ken"};
  const auto read = [&](std::string_view authentication) {
    Problems problems;
    Json json = {
        {"name", "A"}, {"platform", "custom"}, {"request", {{"url", "https://example.com"}}}};
    json["authentication"] = json_of(authentication);
    Destination destination = destination_from_json(json, &kept, problems);
    EXPECT_TRUE(problems.ok()) << authentication;
    return destination.authentication.token;
  };
  EXPECT_EQ(read(R"({"type":"bearer","token":{"set":true}})"), "t0ken");
  EXPECT_EQ(read(R"({"type":"bearer"})"), "t0ken");
  EXPECT_EQ(read(R"({"type":"bearer","token":"new"})"), "new");
  EXPECT_EQ(read(R"({"type":"bearer","token":null})"), "");
}

TEST(MergePatch, FollowsTheExamplesOfTheRfc) {
  const char* rows[][3] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"(["a"])", R"({"a":1})", R"({"a":1})"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
      {R"({"a":1})", R"([1])", R"([1])"}};
  for (const auto& row : rows) {
    Json target = json_of(row[0]);
    merge_patch(target, json_of(row[1]));
    EXPECT_EQ(to_text(target), row[2]) << row[1];
  }
}

TEST(MergePatch, TreesAreReplacedWholeAndKindsChangeCleanly) {
  const Json webhook = json_of(kWebhook);
  const Json any = patched_webhook(webhook, json_of(R"({"conditions":{"any":[]}})"));
  EXPECT_EQ(to_text(any["conditions"]), R"({"any":[]})");
  const Json body = patched_webhook(webhook, json_of(R"({"body":{"template":{"c":null}}})"));
  EXPECT_EQ(to_text(body["body"]), R"({"format":"template","template":{"c":null}})");
  const Json flat = patched_webhook(webhook, json_of(R"({"body":{"format":"flat"}})"));
  EXPECT_EQ(to_text(flat["body"]), R"({"format":"flat"})");
  const Json destination =
      json_of(R"({"authentication":{"type":"basic","username":"u","password":{"set":true}}})");
  EXPECT_EQ(to_text(patched_destination(
                destination, json_of(R"({"authentication":{"type":"bearer","token":"t"}})"))),
            R"({"authentication":{"type":"bearer","token":"t"}})");
  EXPECT_EQ(
      to_text(patched_destination(destination, json_of(R"({"authentication":{"password":null}})"))),
      R"({"authentication":{"type":"basic","username":"u","password":null}})");
}

}  // namespace
}  // namespace eilpost::settings
