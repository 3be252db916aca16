#include "presets/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eilpost::presets {
namespace {

using testing::HasSubstr;

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EXPECT_TRUE(json.has_value()) << text;
  return *std::move(json);
}

constexpr WallTime kNow{std::chrono::milliseconds(1'795'510'800'000)};

// What is wrong with a body by one rule; "" if nothing is.
std::string wrong(std::string_view rule, std::string_view body) {
  Json json = json_of(rule);
  json["why"] = "They say so.";
  return broken({rule_of(json)}, {.body = body, .now = kNow}).value_or("");
}

TEST(Rules, WhatIsRequiredIsThereAndNotEmpty) {
  constexpr std::string_view kRule = R"({"at":"/events/0/name","required":true})";
  EXPECT_EQ(wrong(kRule, R"({"events":[{"name":"a"}]})"), "");
  EXPECT_EQ(wrong(kRule, R"({"events":[{"name":0}]})"), "");
  for (const char* body : {R"({"events":[{"name":""}]})", R"({"events":[{"name":null}]})",
                           R"({"events":[{}]})", R"({"events":[]})", "{}", "[]"}) {
    EXPECT_EQ(wrong(kRule, body), "Nothing was sent, because name is missing. They say so.");
  }
  EXPECT_EQ(wrong(R"({"at":"/a","present":true})", R"({"a":""})"), "");
  EXPECT_THAT(wrong(R"({"at":"/a","present":true})", "{}"), HasSubstr("a is missing"));
}

TEST(Rules, OneOfSeveralMembersIsEnough) {
  constexpr std::string_view kRule = R"({"at":"","any_of":["text","blocks"]})";
  EXPECT_EQ(wrong(kRule, R"({"blocks":[1]})"), "");
  EXPECT_THAT(wrong(kRule, R"({"blocks":[],"text":""})"),
              HasSubstr("there is no text and no blocks"));
  EXPECT_THAT(wrong(kRule, "[]"), HasSubstr("there is no text"));
}

TEST(Rules, SizesAreBounded) {
  EXPECT_EQ(wrong(R"({"at":"","bytes_max":9})", R"({"a":"b"})"), "");
  EXPECT_THAT(wrong(R"({"at":"","bytes_max":8})", R"({"a":"b"})"),
              HasSubstr("the body has 9 bytes, and at most 8 are taken"));
  EXPECT_THAT(wrong(R"({"at":"/a","items_max":1})", R"({"a":[1,2]})"), HasSubstr("2 entries"));
  EXPECT_THAT(wrong(R"({"at":"/a","members_max":1})", R"({"a":{"b":1,"c":2}})"),
              HasSubstr("2 members, and at most 1"));
  EXPECT_EQ(wrong(R"({"at":"/a","depth_max":2})", R"({"a":{"b":[1]}})"), "");
  EXPECT_THAT(wrong(R"({"at":"/a","depth_max":2})", R"({"a":{"b":[[1]]}})"),
              HasSubstr("nested 3 deep"));
}

TEST(Rules, TextsAreHeldToLengthsCharactersAndNames) {
  constexpr std::string_view kName = R"({"at":"/n","length_max":5,"characters":"identifier",)"
                                     R"("not":["error"],"not_prefix":["ga_"]})";
  EXPECT_EQ(wrong(kName, R"({"n":"a_1Z"})"), "");
  EXPECT_EQ(wrong(kName, "{}"), "");
  EXPECT_THAT(wrong(kName, R"({"n":"abcdef"})"), HasSubstr("6 characters, and at most 5"));
  EXPECT_THAT(wrong(kName, R"({"n":"äa"})"), HasSubstr("a letter, then letters"));
  EXPECT_THAT(wrong(kName, R"({"n":"1a"})"), HasSubstr("a letter, then letters"));
  EXPECT_THAT(wrong(kName, R"({"n":"Error"})"), HasSubstr("a text that is not taken"));
  EXPECT_THAT(wrong(kName, R"({"n":"GA_x"})"), HasSubstr("begins with \"ga_\""));
  // Characters, not bytes.
  EXPECT_EQ(wrong(R"({"at":"/n","length_max":2})", R"({"n":"äö"})"), "");
  EXPECT_THAT(wrong(R"({"at":"/n","characters":"id"})", R"({"n":"a_b"})"),
              HasSubstr("A-Z, a-z, 0-9 and - only"));
}

TEST(Rules, AddressesHaveTheFormOfOne) {
  constexpr std::string_view kRule = R"({"at":"/m","email":true})";
  for (const char* good : {"a@b.c", "a+b@sub.example.com", "ä@example.com"}) {
    EXPECT_EQ(wrong(kRule, Json({{"m", good}}).dump()), "") << good;
  }
  for (const char* bad : {"a", "@b.c", "a@b", "a@b.", "a@.c", "a b@c.d", "a@b@c.d", "a@b.c\n"}) {
    EXPECT_THAT(wrong(kRule, Json({{"m", bad}}).dump()), HasSubstr("no e-mail address")) << bad;
  }
}

TEST(Rules, NamesAndValuesOfMembersAreHeldToTheirs) {
  constexpr std::string_view kRule =
      R"({"at":"/p","names":{"characters":"identifier"},"values":{"length_max":3}})";
  EXPECT_EQ(wrong(kRule, R"({"p":{"a_b":"abc","n":12345}})"), "");
  EXPECT_THAT(wrong(kRule, R"({"p":{"a.b":1}})"), HasSubstr("the name \"a.b\" may be made of"));
  EXPECT_THAT(wrong(kRule, R"({"p":{"a":"abcd"}})"), HasSubstr("the value of \"a\" has 4"));
}

TEST(Rules, OldEventsAreRefused) {
  constexpr std::string_view kRule = R"({"at":"/t","age_hours_max":71,"unit":"us"})";
  const auto body = [](std::chrono::hours age) {
    const auto micros = std::chrono::microseconds(kNow.time_since_epoch() - age).count();
    return Json({{"t", micros}}).dump();
  };
  EXPECT_EQ(wrong(kRule, body(std::chrono::hours(70))), "");
  EXPECT_THAT(wrong(kRule, body(std::chrono::hours(71))), HasSubstr("71 hours old"));
  EXPECT_THAT(wrong(kRule, body(std::chrono::hours(240))), HasSubstr("10 days old"));
  EXPECT_EQ(wrong(kRule, body(std::chrono::hours(-5))), "");
}

TEST(Rules, ALengthMayBeAFieldOfTheDestination) {
  const Json field = 3;
  const auto find = [](const void* context, std::string_view name) -> const Json* {
    return name == "min" ? static_cast<const Json*>(context) : nullptr;
  };
  const std::vector<Rule> rules = {
      rule_of(json_of(R"({"at":"/u","length_min_field":"min","why":"So."})"))};
  const CheckInput good{
      .body = R"({"u":"joe"})", .now = kNow, .context = &field, .find_field = find};
  EXPECT_FALSE(broken(rules, good).has_value());
  const CheckInput bad{.body = R"({"u":"jo"})", .now = kNow, .context = &field, .find_field = find};
  EXPECT_THAT(broken(rules, bad).value_or(""), HasSubstr("at least 3 are wanted"));
}

TEST(Rules, ABodyOfAnotherKindIsTheOperatorsOwn) {
  EXPECT_EQ(wrong(R"({"at":"/a","required":true})", "a=b"), "");
}

}  // namespace
}  // namespace eilpost::presets
