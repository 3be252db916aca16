#include "presets/preset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

namespace eilpost::presets {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json.has_value()) << text;
  return *std::move(json);
}

std::vector<std::string> lines_of(const std::vector<Problem>& problems) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    lines.push_back(problem.pointer + " " + problem.code + ": " + problem.detail);
  }
  return lines;
}

TEST(Presets, AreThoseOfTheSpecificationWithTextsInBothLanguages) {
  std::set<std::string> platforms;
  for (const Preset& preset : all()) {
    platforms.insert(preset.platform);
    EXPECT_EQ(find(preset.platform), &preset);
    for (const char* list : {"fields", "secrets"}) {
      for (const Json& field : preset.form.at(list)) {
        for (const char* text : {"label", "help"}) {
          EXPECT_FALSE(field.at(text).at("en").get<std::string>().empty()) << preset.platform;
          EXPECT_FALSE(field.at(text).at("de").get<std::string>().empty()) << preset.platform;
        }
      }
    }
    EXPECT_EQ(preset.destination.at("signing").at("scheme"), "none") << preset.platform;
    for (const Rule& rule : preset.rules) EXPECT_TRUE(rule.why.ends_with('.')) << rule.why;
  }
  EXPECT_THAT(platforms, testing::UnorderedElementsAre("slack", "teams", "mixpanel", "ga4", "heap",
                                                       "amplitude", "segment", "mailchimp",
                                                       "hubspot", "brevo"));
  EXPECT_EQ(find("custom"), nullptr);
  EXPECT_EQ(find("inbox"), nullptr);
}

TEST(Presets, FillWhatIsAbsentAndNothingElse) {
  Json input = json_of(R"({"platform":"mixpanel","fields":{"project_id":"1","user":null},
    "request":{"timeout_ms":2000},"success":{"body":{"equals":"ok"}},"final_statuses":[],
    "authentication":{"type":"none"},"body":null,"delivery":{"batch":null}})");
  fill(*find("mixpanel"), input);
  EXPECT_EQ(input.at("fields"), json_of(R"({"project_id":"1","user":"wm.euId",
    "server":"https://api.mixpanel.com"})"));
  EXPECT_EQ(input.at("request").at("timeout_ms"), 2000);
  EXPECT_EQ(input.at("request").at("method"), "POST");
  EXPECT_EQ(input.at("success").at("body").at("equals"), "ok");
  EXPECT_EQ(input.at("success").at("statuses"), json_of(R"(["200"])"));
  EXPECT_EQ(input.at("final_statuses"), Json::array());
  EXPECT_EQ(input.at("authentication"), json_of(R"({"type":"none"})"));
  EXPECT_EQ(input.at("body"), Json());
  EXPECT_EQ(input.at("delivery").at("batch"), Json());
  EXPECT_EQ(input.at("delivery").at("concurrency"), 8);
}

TEST(Presets, FormsSayWhatIsMissingAndWrong) {
  Destination destination;
  destination.fields = {{.name = "list_ids", .value = json_of("[]")},
                        {.name = "server", .value = "ftp://x"},
                        {.name = "adress", .value = "a"}};
  Problems problems;
  check_form(*find("brevo"), destination, problems);
  EXPECT_THAT(
      lines_of(problems.errors),
      ElementsAre(HasSubstr("/fields/server bad_value"), HasSubstr("/fields/list_ids bad_value"),
                  HasSubstr("/secrets/api_key required: Brevo needs \"api_key\": API key"),
                  HasSubstr("/fields/adress unknown_field: Brevo has no field \"adress\"")));
  destination.fields = {{.name = "list_ids", .value = json_of("[7,\"8\"]")}};
  destination.secrets = {{.name = "api_key", .value = "k"}};
  problems = {};
  check_form(*find("brevo"), destination, problems);
  EXPECT_THAT(lines_of(problems.errors), IsEmpty());
}

TEST(Presets, ChoicesTakeOthersOnlyWhereTheyAreOpen) {
  Destination destination;
  destination.fields = {{.name = "server", .value = "https://us1.api.mailchimp.com"},
                        {.name = "list_id", .value = "abc"},
                        {.name = "status_if_new", .value = "perhaps"}};
  destination.secrets = {{.name = "api_key", .value = "k"}};
  Problems problems;
  check_form(*find("mailchimp"), destination, problems);
  EXPECT_THAT(lines_of(problems.errors), ElementsAre(HasSubstr("/fields/status_if_new bad_value")));
}

TEST(Presets, NamesThatAPlatformRefusesAreRefusedWhenAWebhookIsSaved) {
  Webhook webhook;
  webhook.properties = {{.property = "a.b", .as = "", .missing = {}},
                        {.property = "x", .as = "a_b", .missing = {}},
                        {.property = "y", .as = "google_y", .missing = {}},
                        {.property = "wm.userVars.*", .as = "*", .missing = {}}};
  webhook.static_properties = {{.name = "event_name", .value = "A"}, {.name = "1st", .value = "A"}};
  Problems problems;
  check_webhook(*find("ga4"), webhook, problems);
  EXPECT_THAT(lines_of(problems.errors),
              ElementsAre(HasSubstr("/properties/1/as duplicate_name"),
                          HasSubstr("/properties/2/as bad_name"),
                          HasSubstr("/static_properties/1/name bad_name")));
  // A body of its own is its own business.
  webhook.body.format = Body::Format::flat;
  problems = {};
  check_webhook(*find("ga4"), webhook, problems);
  EXPECT_THAT(problems.errors, IsEmpty());
}

TEST(Presets, AWebhookThatChoosesNothingIsWarnedOf) {
  Problems problems;
  check_webhook(*find("ga4"), Webhook{}, problems);
  EXPECT_TRUE(problems.ok());
  EXPECT_THAT(lines_of(problems.warnings), Contains(HasSubstr("choose_properties")));
  problems = {};
  check_webhook(*find("slack"), Webhook{}, problems);
  EXPECT_THAT(problems.warnings, IsEmpty());
}

}  // namespace
}  // namespace eilpost::presets
