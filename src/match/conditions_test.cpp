// Goal:   every operator says the right thing of every kind of value.
// Method: a table of operators; each row names the values of kValues for which it holds, and for
//         all others it must not. Negative operators are the complement of their positives.

#include "match/conditions.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "match/match_test_support.h"

namespace eilpost::match {
namespace {

const std::vector<std::string> kValues = {
    "",  // missing
    "null",
    R"("")",
    R"("9")",
    R"("9.0")",
    R"("10")",
    R"("nine")",
    R"("Nine lives")",
    R"("Übung")",
    R"("übung")",
    R"("true")",
    R"("2026-11-24")",
    R"("2026-11-24T00:00:00Z")",
    R"("2026-11-24T09:00:00Z")",
    R"("2026-11-24T10:00:00.000+01:00")",
    R"("2026-11-25T00:00:00Z")",
    "9",
    "9.0",
    "9.5",
    "10",
    "-1",
    "9007199254740992",
    "9007199254740993",
    "18446744073709551615",
    "true",
    "false",
    "[]",
    "[9]",
    R"(["9"])",
    R"(["Nine"])",
    R"([null,"nine lives",true])",
    R"(["2026-11-24T10:00:00+01:00"])",
    "[[9]]",
    "{}",
    R"({"x":9})",
};

struct Row {
  std::string op;
  std::string value;  // empty: none
  bool ignore_case;
  std::vector<std::string> holds_for;
};

const std::vector<Row> kRows = {
    {"is", "9", false, {R"("9")", R"("9.0")", "9", "9.0"}},
    {"is", R"("9")", false, {R"("9")", "9", "9.0"}},
    {"is", R"("9.0")", false, {R"("9.0")", "9", "9.0"}},
    {"is", "9.0", false, {R"("9")", R"("9.0")", "9", "9.0"}},
    {"is", "9.5", false, {"9.5"}},
    {"is", "9007199254740993", false, {"9007199254740993"}},
    {"is", "9007199254740992.0", false, {"9007199254740992"}},
    {"is", "18446744073709551615", false, {"18446744073709551615"}},
    {"is", R"("")", false, {R"("")"}},
    {"is", R"("nine")", false, {R"("nine")"}},
    {"is", R"("NINE")", false, {}},
    {"is", R"("NINE")", true, {R"("nine")"}},
    {"is", R"("ÜBUNG")", true, {R"("Übung")", R"("übung")"}},
    {"is", R"("Übung")", false, {R"("Übung")"}},
    {"is", "true", false, {"true"}},
    {"is", "false", false, {"false"}},
    {"is", R"("true")", false, {R"("true")"}},
    {"is",
     R"("2026-11-24T09:00:00.000Z")",
     false,
     {R"("2026-11-24T09:00:00Z")", R"("2026-11-24T10:00:00.000+01:00")"}},
    {"is", R"("2026-11-24")", false, {R"("2026-11-24")", R"("2026-11-24T00:00:00Z")"}},
    {"in", R"(["nine",10,true])", false, {R"("nine")", R"("10")", "10", "true"}},
    {"in", R"(["NINE","übung"])", true, {R"("nine")", R"("Übung")", R"("übung")"}},
    {"in",
     R"([1,2,3,4,5,6,7,8,"nine","2026-11-24T09:00:00Z",10,"9",true])",
     false,
     {R"("nine")", R"("10")", R"("9")", "9", "9.0", "10", "true", R"("2026-11-24T09:00:00Z")",
      R"("2026-11-24T10:00:00.000+01:00")"}},
    {"in",
     R"(["A","B","C","D","E","F","G","H","NINE","ÜBUNG"])",
     true,
     {R"("nine")", R"("Übung")", R"("übung")"}},
    {"in", R"(["A","B","C","D","E","F","G","H","NINE","ÜBUNG"])", false, {}},
    {"contains", R"("ine")", false, {R"("nine")", R"("Nine lives")"}},
    {"contains", R"("NINE")", true, {R"("nine")", R"("Nine lives")", R"(["Nine"])"}},
    {"contains", R"("Nine")", false, {R"("Nine lives")", R"(["Nine"])"}},
    {"contains", R"("BUNG")", true, {R"("Übung")", R"("übung")"}},
    {"contains", "9", false, {"[9]", R"(["9"])"}},
    {"contains",
     R"("9")",
     false,
     {R"("9")", R"("9.0")", "[9]", R"(["9"])", R"("2026-11-24T09:00:00Z")"}},
    {"contains", "true", false, {R"([null,"nine lives",true])"}},
    {"contains",
     R"("2026-11-24T09:00:00Z")",
     false,
     {R"("2026-11-24T09:00:00Z")", R"(["2026-11-24T10:00:00+01:00"])"}},
    {"starts_with", R"("Nin")", false, {R"("Nine lives")"}},
    {"starts_with", R"("NIN")", true, {R"("nine")", R"("Nine lives")"}},
    {"starts_with", R"("Ü")", true, {R"("Übung")", R"("übung")"}},
    {"starts_with", R"("9")", false, {R"("9")", R"("9.0")"}},
    {"ends_with", R"("ne")", false, {R"("nine")"}},
    {"ends_with", R"("LIVES")", true, {R"("Nine lives")"}},
    {"ends_with", R"("0")", false, {R"("9.0")", R"("10")", R"("2026-11-24T10:00:00.000+01:00")"}},
    {"matches", R"("^[nN]ine\\b")", false, {R"("nine")", R"("Nine lives")"}},
    {"matches", R"("INE")", true, {R"("nine")", R"("Nine lives")"}},
    {"matches", R"("^übung$")", true, {R"("Übung")", R"("übung")"}},
    {"matches", R"("^$")", false, {R"("")"}},
    {"matches", R"("^.bung$")", false, {R"("Übung")", R"("übung")"}},
    {"greater_than",
     "9",
     false,
     {R"("10")", "9.5", "10", "9007199254740992", "9007199254740993", "18446744073709551615"}},
    {"greater_or_equal",
     R"("9")",
     false,
     {R"("9")", R"("9.0")", R"("10")", "9", "9.0", "9.5", "10", "9007199254740992",
      "9007199254740993", "18446744073709551615"}},
    {"greater_than", "9007199254740992", false, {"9007199254740993", "18446744073709551615"}},
    {"less_than", "9.5", false, {R"("9")", R"("9.0")", "9", "9.0", "-1"}},
    {"less_or_equal", "9.5", false, {R"("9")", R"("9.0")", "9", "9.0", "9.5", "-1"}},
    {"between", "[9,10]", false, {R"("9")", R"("9.0")", R"("10")", "9", "9.0", "9.5", "10"}},
    {"between", "[9.25,9.75]", false, {"9.5"}},
    {"greater_than",
     R"("2026-11-24T00:00:00Z")",
     false,
     {R"("2026-11-24T09:00:00Z")", R"("2026-11-24T10:00:00.000+01:00")",
      R"("2026-11-25T00:00:00Z")"}},
    {"less_or_equal",
     R"("2026-11-24T09:00:00Z")",
     false,
     {R"("2026-11-24")", R"("2026-11-24T00:00:00Z")", R"("2026-11-24T09:00:00Z")",
      R"("2026-11-24T10:00:00.000+01:00")"}},
    {"between",
     R"(["2026-11-24T01:00:00Z","2026-11-24T09:00:00Z"])",
     false,
     {R"("2026-11-24T09:00:00Z")", R"("2026-11-24T10:00:00.000+01:00")"}},
};

std::string condition_text(const Row& row, const std::string& property) {
  std::string text = fmt::format(R"({{"property":"{}","operator":"{}")", property, row.op);
  if (!row.value.empty()) text += R"(,"value":)" + row.value;
  if (row.ignore_case) text += R"(,"ignore_case":true)";
  return text + "}";
}

std::string data_with(const std::string& value) {
  return value.empty() ? R"({"other":1})" : fmt::format(R"({{"p":{}}})", value);
}

std::string negative_of(const std::string& op) {
  if (op == "is") return "is_not";
  if (op == "in") return "not_in";
  return op == "contains" ? "does_not_contain" : "";
}

TEST(Conditions, EveryOperatorHoldsForTheValuesOfItsRowAndNoOther) {
  for (const Row& row : kRows) {
    for (const std::string& value : row.holds_for) {
      ASSERT_NE(std::ranges::find(kValues, value), kValues.end()) << value;
    }
    const auto conditions = compiled(condition_text(row, "p"));
    for (const std::string& value : kValues) {
      const bool expected = std::ranges::find(row.holds_for, value) != row.holds_for.end();
      const TestEvent event(data_with(value));
      EXPECT_EQ(evaluate(*conditions, event.document(), nullptr), expected)
          << condition_text(row, "p") << " of " << value;
    }
  }
}

TEST(Conditions, NegativeOperatorsHoldWhereTheirPositivesDoNot) {
  for (Row row : kRows) {
    const std::string negative = negative_of(row.op);
    if (negative.empty()) continue;
    row.op = negative;
    const auto conditions = compiled(condition_text(row, "p"));
    for (const std::string& value : kValues) {
      const bool expected = std::ranges::find(row.holds_for, value) == row.holds_for.end();
      const TestEvent event(data_with(value));
      EXPECT_EQ(evaluate(*conditions, event.document(), nullptr), expected)
          << condition_text(row, "p") << " of " << value;
    }
  }
}

TEST(Conditions, WhatIsNullOrMissingDoesNotExist) {
  for (const std::string& value : kValues) {
    const bool exists = !value.empty() && value != "null";
    EXPECT_EQ(holds(R"({"property":"p","operator":"exists"})", data_with(value)), exists) << value;
    EXPECT_EQ(holds(R"({"property":"p","operator":"does_not_exist"})", data_with(value)), !exists)
        << value;
  }
}

TEST(Conditions, WildcardHoldsIfItHoldsForAnyElement) {
  for (const Row& row : kRows) {
    const auto conditions = compiled(condition_text(row, "list.*.v"));
    for (const std::string& value : kValues) {
      if (value.empty() || value == "null") continue;
      const bool expected = std::ranges::find(row.holds_for, value) != row.holds_for.end();
      const TestEvent event(
          fmt::format(R"({{"list":[{{"v":{{}}}},{{"w":1}},{{"v":{}}}]}})", value));
      EXPECT_EQ(evaluate(*conditions, event.document(), nullptr), expected)
          << condition_text(row, "list.*.v") << " of " << value;
    }
  }
}

TEST(Conditions, NegativeWildcardHoldsIfAnyElementDiffers) {
  const std::string is_not = R"({"property":"a.*","operator":"is_not","value":1})";
  EXPECT_TRUE(holds(is_not, R"({"a":[1,2]})"));
  EXPECT_FALSE(holds(is_not, R"({"a":[1,1]})"));
  EXPECT_TRUE(holds(is_not, R"({"a":[]})"));
  EXPECT_TRUE(holds(is_not, "{}"));
  EXPECT_TRUE(holds(R"({"property":"a.*","operator":"exists"})", R"({"a":[null,1]})"));
  EXPECT_FALSE(holds(R"({"property":"a.*","operator":"exists"})", R"({"a":[null]})"));
  EXPECT_TRUE(holds(R"({"property":"a.*","operator":"does_not_exist"})", R"({"a":[null]})"));
  EXPECT_FALSE(holds(R"({"property":"a.*","operator":"does_not_exist"})", R"({"a":[1]})"));
}

TEST(Conditions, PropertiesAreReadByTheRulesOfPaths) {
  const std::string nine = R"("operator":"is","value":9})";
  EXPECT_TRUE(holds(R"({"property":"a.b",)" + nine, R"({"a.b":9,"a":{"b":1}})"));
  EXPECT_FALSE(holds(R"({"property":"a.b",)" + nine, R"({"a":{"b":9},"a.b":1})"));
  EXPECT_TRUE(holds(R"({"property":"answers.1.value",)" + nine,
                    R"({"answers":[{"value":1},{"value":9}]})"));
  EXPECT_TRUE(holds(R"({"property":"event.type","operator":"is","value":"survey.submitted"})",
                    R"({"event":{"type":"fake"}})"));
  EXPECT_TRUE(holds(R"({"property":"created_at","operator":"is","value":1764000000123})",
                    R"({"created_at":9})"));
  EXPECT_TRUE(holds(R"({"property":"event.time","operator":"less_than",
                        "value":"2026-11-24T10:00:01+01:00"})",
                    "{}"));
}

TEST(Conditions, GroupsCombine) {
  const std::string yes = R"({"property":"nps","operator":"is","value":9})";
  const std::string no = R"({"property":"nps","operator":"is","value":8})";
  const auto check = [](const std::string& format) { return holds(format, R"({"nps":9})"); };
  EXPECT_TRUE(check(R"({"all":[]})"));
  EXPECT_FALSE(check(R"({"any":[]})"));
  EXPECT_TRUE(check(R"({"not":{"any":[]}})"));
  EXPECT_TRUE(check(fmt::format(R"({{"all":[{},{}]}})", yes, yes)));
  EXPECT_FALSE(check(fmt::format(R"({{"all":[{},{}]}})", yes, no)));
  EXPECT_FALSE(check(fmt::format(R"({{"all":[{},{}]}})", no, yes)));
  EXPECT_TRUE(check(fmt::format(R"({{"any":[{},{}]}})", no, yes)));
  EXPECT_FALSE(check(fmt::format(R"({{"any":[{},{}]}})", no, no)));
  EXPECT_TRUE(
      check(fmt::format(R"({{"all":[{{"any":[{},{}]}},{{"not":{}}},{}]}})", no, yes, no, yes)));
  EXPECT_FALSE(
      check(fmt::format(R"({{"all":[{{"any":[{},{}]}},{{"not":{}}},{}]}})", no, yes, no, no)));
  EXPECT_FALSE(check(fmt::format(R"({{"not":{}}})", yes)));
  EXPECT_TRUE(holds("", "{}"));
}

TEST(Conditions, EachNodeIsExplainedInDocumentOrder) {
  const auto conditions = compiled(R"({"all":[
      {"property":"nps","operator":"is","value":8},
      {"any":[{"property":"wm.language","operator":"is","value":"de"},
              {"not":{"property":"ctx.title","operator":"contains","value":"Demo"}}]}]})");
  const TestEvent event(R"({"nps":9,"wm":{"language":"de"},"ctx":{"title":"A Demo"}})");
  std::vector<ConditionResult> explained;
  EXPECT_FALSE(evaluate(*conditions, event.document(), &explained));
  const std::vector<std::pair<std::string, bool>> expected = {
      {"/conditions", false},
      {"/conditions/all/0", false},
      {"/conditions/all/1", true},
      {"/conditions/all/1/any/0", true},
      {"/conditions/all/1/any/1", false},
      {"/conditions/all/1/any/1/not", true},
  };
  ASSERT_EQ(explained.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(explained[i].pointer, expected[i].first);
    EXPECT_EQ(explained[i].result, expected[i].second) << explained[i].pointer;
  }
}

TEST(Conditions, OneComparisonIsExplainedByItself) {
  std::vector<ConditionResult> explained;
  const TestEvent event(R"({"nps":9})");
  EXPECT_TRUE(evaluate(*compiled(R"({"property":"nps","operator":"exists"})"), event.document(),
                       &explained));
  ASSERT_EQ(explained.size(), 1U);
  EXPECT_EQ(explained[0].pointer, "/conditions");
  EXPECT_TRUE(explained[0].result);
  explained.clear();
  EXPECT_TRUE(evaluate(*compiled(""), event.document(), &explained));
  EXPECT_TRUE(explained.empty());
}

}  // namespace
}  // namespace eilpost::match
