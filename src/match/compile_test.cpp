// Goal:   everything that is wrong with a webhook's event and conditions is told at once, at its
//         place, with a sentence that says what would be right.

#include <gtest/gtest.h>

#include "match/conditions.h"
#include "match/match_test_support.h"
#include "model/limits.h"

namespace eilpost::match {
namespace {

Problems problems_of(const Webhook& webhook) {
  Problems problems;
  const auto compiled = compile(webhook, test_catalog(), problems);
  EXPECT_EQ(compiled != nullptr, problems.ok());
  return problems;
}

Problems problems_of(const std::string& conditions,
                     std::vector<std::string> events = {"survey.submitted"}) {
  return problems_of(webhook_with(conditions, std::move(events)));
}

std::string shown(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += fmt::format("{} {}: {}\n", problem.code, problem.pointer, problem.detail);
  }
  return text;
}

std::string comparison(const std::string& property, const std::string& op,
                       const std::string& value = "") {
  return fmt::format(R"({{"property":"{}","operator":"{}"{}}})", property, op,
                     value.empty() ? "" : ",\"value\":" + value);
}

void expect_error(const std::string& conditions, const std::string& code,
                  const std::string& pointer, const std::string& detail) {
  const Problems problems = problems_of(conditions);
  ASSERT_EQ(problems.errors.size(), 1U) << conditions << "\n" << shown(problems.errors);
  EXPECT_EQ(problems.errors[0].code, code) << conditions;
  EXPECT_EQ(problems.errors[0].pointer, pointer) << conditions;
  EXPECT_NE(problems.errors[0].detail.find(detail), std::string::npos) << conditions << "\n"
                                                                       << problems.errors[0].detail;
}

TEST(Compile, ExampleOfTheSpecificationIsInOrder) {
  const Problems problems = problems_of(
      R"({"all":[{"property":"nps","operator":"greater_or_equal","value":9},
                 {"any":[{"property":"wm.language","operator":"is","value":"de"},
                         {"not":{"property":"ctx.title","operator":"contains",
                                 "value":"Demo"}}]}]})");
  EXPECT_EQ(shown(problems.errors), "");
  EXPECT_EQ(shown(problems.warnings), "");
}

TEST(Compile, ValuesThatFitTheDeclaredTypeAreInOrder) {
  for (const auto& [property, op, value] : std::vector<std::array<std::string, 3>>{
           {"nps", "is", "9"},
           {"nps", "is_not", R"("9")"},
           {"nps", "in", R"([9,10])"},
           {"nps", "between", "[9,10]"},
           {"nps", "exists", ""},
           {"oId", "is", "7"},
           {"oId", "is", R"("seven")"},
           {"oId", "starts_with", R"("sur")"},
           {"wm.language", "is", R"("de")"},
           {"wm.language", "matches", R"("^d")"},
           {"env.browser.version", "greater_than", "100"},
           {"env.mobile", "is", "true"},
           {"env.mobile", "in", "[true,false]"},
           {"answers", "contains", "9"},
           {"answers", "does_not_exist", ""},
           {"answers.*.value", "greater_than", "8"},
           {"answers.0.value", "contains", R"("good")"},
           {"wm.userVars.plan", "is", R"("pro")"},
           {"wm.userVars.seats", "greater_than", "5"},
           {"wm.userVars.*", "is", "true"},
           {"event.time", "less_than", R"("2026-11-24T09:00:00Z")"},
           {"created_at", "greater_than", "1764000000000"},
           {"oName", "is", R"("")"},
       }) {
    const Problems problems = problems_of(comparison(property, op, value));
    EXPECT_EQ(shown(problems.errors), "") << property << " " << op << " " << value;
    EXPECT_EQ(shown(problems.warnings), "") << property << " " << op << " " << value;
  }
}

TEST(Compile, ValuesOfTheWrongTypeAreErrors) {
  const auto refused = [](const std::string& property, const std::string& op,
                          const std::string& value, const std::string& detail,
                          const std::string& below = "/value") {
    expect_error(comparison(property, op, value), "invalid_value", "/conditions" + below, detail);
  };
  refused("nps", "greater_than", R"("high")",
          "`greater_than` needs a number; `nps` is an integer.");
  refused("nps", "greater_than", R"("2026-11-24T09:00:00Z")",
          "`greater_than` needs a number; `nps` is an integer.");
  refused("nps", "is", R"("nine")", "`is` needs a number; `nps` is an integer.");
  refused("nps", "is", "true", "`is` needs a number");
  refused("nps", "in", R"([9,"x"])", "`in` needs a number", "/value/1");
  refused("nps", "between", R"([9,null])", "`between` needs a number", "/value/1");
  refused("env.mobile", "is", R"("yes")",
          "`is` needs true or false; `env.mobile` is true or false");
  refused("env.mobile", "is", "1", "true or false");
  refused("oId", "is", "true", "text or a number; `oId` is an id");
  refused("oId", "greater_than", R"("2026-11-24T09:00:00Z")", "a number; `oId` is an id");
  refused("wm.language", "is", "true", "`is` needs text or a number; `wm.language` is text");
  refused("wm.language", "contains", "5", "`contains` needs text");
  refused("wm.language", "starts_with", R"("")", "text that is not empty");
  refused("wm.language", "matches", "5", "`matches` needs text");
  refused("event.time", "greater_than", R"("tomorrow")", "2026-11-24T09:00:00Z; `event.time` is");
  refused("wm.userVars.plan", "contains", "5", "text");
  refused("wm.userVars.seats", "less_than", "true", "a number or a time");
  refused("foo", "greater_than", R"("high")", "`greater_than` needs a number or a time");
  refused("foo", "is", "null", "use `does_not_exist`");
  refused("foo", "is", R"({"a":1})", "`is` needs text, a number, true or false.");
  refused("foo", "is", "[1]", "`is` needs text, a number, true or false.");
  refused("foo", "is", "", "use `does_not_exist`");
  refused("foo", "contains", R"("")", "not empty");
  refused("foo", "exists", "true", "takes no value");
  refused("foo", "in", "5", "a list");
  refused("foo", "in", "[]", "at least one value");
  refused("foo", "in", "[[1]]", "`in` needs text", "/value/0");
  refused("foo", "between", "[1]", "two values");
  refused("foo", "between", "[10,1]", "lower value first");
  refused("foo", "between", R"([1,"2026-11-24T09:00:00Z"])", "not one of each");
  refused("foo", "between", R"(["2026-11-24T09:00:00Z","2026-11-24T10:00:00+02:00"])",
          "lower value first");
}

TEST(Compile, OperatorsThatDoNotFitTheDeclaredTypeAreErrors) {
  const auto refused = [](const std::string& property, const std::string& op,
                          const std::string& value, const std::string& detail) {
    expect_error(comparison(property, op, value), "invalid_operator", "/conditions/operator",
                 detail);
  };
  refused("nps", "contains", R"("9")",
          "`contains` does not go with `nps`, which is an integer: use");
  refused("nps", "matches", R"("9")", "use `is`");
  refused("env.mobile", "greater_than", "1", "true or false: use `is`");
  refused("env.mobile", "starts_with", R"("t")", "true or false");
  refused("answers", "is", "9", "an array: use `contains`");
  refused("answers", "greater_than", "9", "an array");
  refused("answers", "between", "[1,2]", "an array");
}

TEST(Compile, IgnoreCaseIsForTextOperators) {
  expect_error(R"({"property":"nps","operator":"greater_than","value":9,"ignore_case":true})",
               "invalid_ignore_case", "/conditions/ignore_case", "leave it out");
  expect_error(R"({"property":"oName","operator":"exists","ignore_case":true})",
               "invalid_ignore_case", "/conditions/ignore_case", "leave it out");
}

TEST(Compile, BrokenPathsAndPatternsAreErrors) {
  expect_error(comparison("a..b", "exists"), "invalid_path", "/conditions/property", "empty part");
  expect_error(comparison("oName", "matches", R"("(unclosed")"), "invalid_pattern",
               "/conditions/value", "missing )");
  expect_error(comparison("oName", "matches", "\"(?=ahead)\""), "invalid_pattern",
               "/conditions/value", "RE2");
  expect_error(comparison("oName", "matches", fmt::format("\"{}\"", std::string(1001, 'a'))),
               "invalid_pattern", "/conditions/value", "at most 1000 bytes");
  expect_error(comparison("oName", "matches", R"("((a{100}){100}){100}")"), "invalid_pattern",
               "/conditions/value", "RE2");
  EXPECT_TRUE(
      problems_of(comparison("oName", "matches", fmt::format("\"{}\"", std::string(1000, 'a'))))
          .ok());
}

TEST(Compile, UndeclaredPropertyIsAWarning) {
  const Problems problems = problems_of(R"({"all":[{"property":"foo","operator":"exists"}]})");
  EXPECT_TRUE(problems.ok());
  ASSERT_EQ(problems.warnings.size(), 1U);
  EXPECT_EQ(problems.warnings[0].code, "undeclared_property");
  EXPECT_EQ(problems.warnings[0].pointer, "/conditions/all/0/property");
  EXPECT_NE(problems.warnings[0].detail.find("not declared for survey.submitted"),
            std::string::npos);
}

TEST(Compile, UndeclaredPropertyThatDiffersInCaseIsRecognised) {
  for (const auto& [property, meant] :
       std::vector<std::pair<std::string, std::string>>{{"wm.euid", "wm.euId"}, {"NPS", "nps"}}) {
    const Problems problems = problems_of(comparison(property, "exists"));
    ASSERT_EQ(problems.warnings.size(), 1U);
    EXPECT_NE(problems.warnings[0].detail.find(fmt::format("did you mean `{}`?", meant)),
              std::string::npos)
        << problems.warnings[0].detail;
  }
}

TEST(Compile, PropertyDeclaredByOneOfSeveralEventsIsInOrder) {
  EXPECT_EQ(shown(problems_of(comparison("nps", "is", "9"), {"survey.*"}).warnings), "");
  EXPECT_EQ(
      shown(
          problems_of(comparison("nps", "is", "9"), {"menu.opened", "survey.submitted"}).warnings),
      "");
  EXPECT_EQ(problems_of(comparison("nps", "is", "9"), {"menu.opened"}).warnings.size(), 1U);
  EXPECT_FALSE(problems_of(comparison("nps", "is", R"("x")"), {"survey.*"}).ok());
}

TEST(Compile, TypeThatFitsInOneOfSeveralEventsIsEnough) {
  const auto custom = [](std::string code, PropertyType type) {
    EventType result;
    result.code = std::move(code);
    result.label = {.en = "x", .de = "x"};
    result.properties = {{.path = "p", .type = type, .description = {}}};
    return result;
  };
  const Catalog catalog(
      {custom("custom.a", PropertyType::integer), custom("custom.b", PropertyType::array)});
  const auto is_fine = [&catalog](const std::string& conditions) {
    Problems problems;
    return compile(webhook_with(conditions, {"custom.a", "custom.b"}), catalog, problems) !=
           nullptr;
  };
  EXPECT_TRUE(is_fine(comparison("p", "greater_than", "5")));
  EXPECT_TRUE(is_fine(comparison("p", "contains", R"("x")")));
  EXPECT_FALSE(is_fine(comparison("p", "is", R"("x")")));
  EXPECT_FALSE(is_fine(comparison("p", "starts_with", R"("x")")));
}

TEST(Compile, UnknownEventIsAnErrorThatNamesACloseOne) {
  const auto error_of = [](std::vector<std::string> events) {
    const Problems problems = problems_of("", std::move(events));
    EXPECT_EQ(problems.errors.size(), 1U);
    return shown(problems.errors);
  };
  EXPECT_EQ(error_of({"survey.submited"}),
            "unknown_event_type /event: There is no event type \"survey.submited\". Did you mean "
            "survey.submitted?\n");
  EXPECT_NE(error_of({"survey.submitted", "nothing_like_it"}).find("/event/1: There is no event"),
            std::string::npos);
  EXPECT_NE(error_of({"surveys.*"}).find("There are smart_walk_thru.*, launcher.*"),
            std::string::npos);
  EXPECT_EQ(error_of({}), "event_missing /event: Choose the event that this webhook waits for.\n");
}

TEST(Compile, EventOrEnvironmentThatIsChosenTwiceIsAWarning) {
  Webhook webhook = webhook_with("", {"survey.*", "menu.opened", "survey.submitted"});
  webhook.environments = {"production", "test", "production"};
  const Problems problems = problems_of(webhook);
  ASSERT_EQ(problems.warnings.size(), 2U);
  EXPECT_EQ(problems.warnings[0].pointer, "/event/2");
  EXPECT_EQ(problems.warnings[1].pointer, "/environments/2");
}

TEST(Compile, EnvironmentIsOneWord) {
  Webhook webhook = webhook_with("");
  webhook.environments = {"production", "two words", "", std::string(101, 'a'),
                          std::string(100, 'a')};
  const Problems problems = problems_of(webhook);
  ASSERT_EQ(problems.errors.size(), 3U);
  EXPECT_EQ(problems.errors[0].pointer, "/environments/1");
  EXPECT_EQ(problems.errors[1].pointer, "/environments/2");
  EXPECT_EQ(problems.errors[2].pointer, "/environments/3");
  webhook.environments = {};
  EXPECT_EQ(problems_of(webhook).errors.at(0).code, "environment_missing");
}

std::string nested(std::size_t depth) {
  std::string text = comparison("nps", "exists");
  for (std::size_t i = 0; i < depth; ++i) {
    text =
        i % 2 == 0 ? fmt::format(R"({{"all":[{}]}})", text) : fmt::format(R"({{"not":{}}})", text);
  }
  return text;
}

TEST(Compile, GroupsAreNestedFiveDeepAtMost) {
  EXPECT_TRUE(problems_of(nested(5)).ok());
  expect_error(nested(6), "conditions_too_deep", "/conditions/not/all/0/not/all/0/not", "5 deep");
  EXPECT_FALSE(problems_of(nested(20)).ok());
}

std::string many(const std::string& child, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += (i == 0 ? "" : ",") + child;
  return fmt::format(R"({{"any":[{}]}})", text);
}

TEST(Compile, NumberOfConditionsIsLimited) {
  EXPECT_TRUE(problems_of(many(comparison("nps", "exists"), limits::kConditionsMax)).ok());
  expect_error(many(comparison("nps", "exists"), limits::kConditionsMax + 1), "too_many_conditions",
               "/conditions", "at most 200 conditions");
  EXPECT_TRUE(problems_of(many(R"({"all":[]})", limits::kConditionsMax - 1)).ok());
  expect_error(many(R"({"all":[]})", limits::kConditionsMax), "too_many_conditions", "/conditions",
               "groups");
}

TEST(Compile, LengthOfAListIsLimited) {
  const auto list = [](std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", i);
    return comparison("nps", "in", fmt::format("[{}]", text));
  };
  EXPECT_TRUE(problems_of(list(limits::kConditionListMax)).ok());
  expect_error(list(limits::kConditionListMax + 1), "invalid_value", "/conditions/value",
               "at most 1000 values");
}

TEST(Compile, NotHoldsExactlyOneCondition) {
  Webhook webhook = webhook_with("");
  webhook.conditions = Condition{.kind = Condition::Kind::not_};
  EXPECT_EQ(problems_of(webhook).errors.at(0).pointer, "/conditions");
}

TEST(Compile, EverythingThatIsWrongIsToldAtOnce) {
  const Problems problems = problems_of(
      R"({"any":[{"property":"nps","operator":"is","value":"x"},
                 {"not":{"property":"a..b","operator":"contains","value":{}}},
                 {"all":[{"property":"oName","operator":"matches","value":"("}]}]})",
      {"survey.submitted", "survy.dismissed"});
  EXPECT_EQ(problems.errors.size(), 5U) << shown(problems.errors);
}

}  // namespace
}  // namespace eilpost::match
