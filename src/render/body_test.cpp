// Goal: every body format, byte for byte, and what happens where names meet.

#include "render/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

RenderFixture fixture_with(std::string_view data) {
  RenderFixture fixture;
  fixture.document = make_document(data);
  return fixture;
}

TEST(FlatBody, ChosenPropertiesInTheirOrderUnderTheirNames) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "user_id");
  fixture.choose("nps");
  fixture.choose("absent");
  fixture.choose("nothing", "n1");
  fixture.choose("nothing", "n2", Missing::null);
  fixture.choose("tags");
  fixture.choose("answers.1.value", "second");
  fixture.add_static("text", "{{wm.euId}} gave us {{nps}}");
  fixture.add_static("count", 3);
  fixture.add_static("on", true);
  fixture.add_static("pi", 3.25);
  fixture.add_static("most", 18446744073709551615ULL);
  EXPECT_EQ(
      fixture.body(),
      R"({"user_id":"u/1 ä","nps":9,"n2":null,"tags":["a","b"],"second":"because",)"
      R"("text":"u/1 ä gave us 9","count":3,"on":true,"pi":3.25,"most":18446744073709551615})");
}

TEST(FlatBody, AllPropertiesInDocumentOrder) {
  RenderFixture fixture;
  EXPECT_EQ(fixture.body(),
            R"({"event.id":"evt-1","event.type":"survey.submitted",)"
            R"("event.time":"2026-11-24T09:00:00.123Z",)"
            R"("sId":"s-9","oId":152605,"oName":"NPS Q4","nps":9,"big":9007199254740993,)"
            R"("huge":18446744073709551615,"ratio":0.1,"whole":9.0,"empty":"","yes":true,)"
            R"("answers":[{"id":7,"question":"How likely?","value":9},{"id":8,"value":"because"}],)"
            R"("tags":["a","b"],"wm.euId":"u/1 ä","wm.language":"de","wm.userVars.plan":"pro",)"
            R"("wm.userVars.seats":12,"wm.userVars.trial":false,)"
            R"("ctx.location.hostname":"app.example.com","ctx.location.pathname":"/console/"})");
}

TEST(FlatBody, UnderscoresReplaceDots) {
  RenderFixture fixture = fixture_with(R"({"a":{"b":{"c":1}},"x.y":2})");
  fixture.webhook.body.underscores = true;
  EXPECT_EQ(fixture.body(), R"({"event_id":"evt-1","event_type":"survey.submitted",)"
                            R"("event_time":"2026-11-24T09:00:00.123Z","a_b_c":1,"x_y":2})");
  fixture.choose("a.b.c");
  fixture.choose("a.*.c", "s.*");
  EXPECT_EQ(fixture.body(), R"({"a_b_c":1,"s_b":1})");
}

TEST(FlatBody, ObjectsBecomeTheirLeaves) {
  RenderFixture fixture = fixture_with(R"({"o":{"a":1,"b":{"c":null,"d":[{"e":null}]},"f":{}}})");
  fixture.choose("o", "x");
  EXPECT_EQ(fixture.body(), R"({"x.a":1,"x.b.d":[{"e":null}]})");
  fixture.webhook.missing = Missing::null;
  EXPECT_EQ(fixture.body(), R"({"x.a":1,"x.b.c":null,"x.b.d":[{"e":null}]})");
}

TEST(FlatBody, WildcardsBringEveryMatch) {
  RenderFixture fixture;
  fixture.choose("wm.userVars.*", "vars.*");
  fixture.choose("answers.*.value");
  fixture.choose("answers.*.id", "ids");
  fixture.choose("nowhere.*", "none.*", Missing::null);
  fixture.choose("nowhere.*.x", "list", Missing::null);
  EXPECT_EQ(fixture.body(),
            R"({"vars.plan":"pro","vars.seats":12,"vars.trial":false,"answers.0.value":9,)"
            R"("answers.1.value":"because","ids":[7,8],"list":null})");
}

TEST(FlatBody, AStaticNameWinsOverTheEvents) {
  RenderFixture fixture = fixture_with(R"({"a":1,"b":2})");
  fixture.add_static("a", "mine {{b}}");
  fixture.add_static("event.id", "fixed");
  fixture.add_static("z", 1);
  EXPECT_EQ(fixture.body(), R"({"event.id":"fixed","event.type":"survey.submitted",)"
                            R"("event.time":"2026-11-24T09:00:00.123Z","a":"mine 2","b":2,"z":1})");
}

TEST(FlatBody, TheMoreLiteralKeyWinsAndNoNameIsTwice) {
  RenderFixture fixture = fixture_with(R"({"wm":{"x":"nested","y":1},"wm.x":"dotted"})");
  EXPECT_THAT(fixture.body(), HasSubstr(R"("wm.x":"dotted","wm.y":1)"));
  fixture = fixture_with(R"({"wm.x":"dotted","wm":{"x":"nested"}})");
  EXPECT_THAT(fixture.body(), HasSubstr(R"(,"wm.x":"dotted"})"));
  fixture = fixture_with(R"({"vars":{"a":"wild","b":2},"x":"chosen"})");
  fixture.choose("vars.*", "*");
  fixture.choose("x", "a");
  EXPECT_EQ(fixture.body(), R"({"a":"chosen","b":2})");
}

TEST(FlatBody, ShadowedNamesMeanWhatTheyMeanEverywhere) {
  RenderFixture fixture = fixture_with(R"({"created_at":"own","event":{"id":"own","extra":1}})");
  EXPECT_EQ(fixture.body(), R"({"event.id":"evt-1","event.type":"survey.submitted",)"
                            R"("event.time":"2026-11-24T09:00:00.123Z","created_at":1795510800123,)"
                            R"("event.extra":1})");
}

TEST(FlatBody, TextIsEscaped) {
  RenderFixture fixture =
      fixture_with(R"({"t":"\"\\\/\b\f\n\r\t\u0000\u001f\u007f\u2028\u2029ä€😀"})");
  fixture.choose("t");
  EXPECT_EQ(fixture.body(),
            "{\"t\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u2028\\u2029ä€😀\"}");
}

TEST(FlatBody, NumbersKeepTheirDigits) {
  RenderFixture fixture = fixture_with(
      R"({"n":[-9223372036854775808,18446744073709551615,0,-0.0,1.5e3,1e22,1.7976931348623157e308,)"
      R"(5e-324,0.1,123456789.125,1e-7,100000.0]})");
  fixture.choose("n");
  EXPECT_EQ(fixture.body(),
            R"({"n":[-9223372036854775808,18446744073709551615,0,-0.0,1500.0,1e+22,)"
            R"(1.7976931348623157e+308,5e-324,0.1,123456789.125,1e-07,100000.0]})");
}

TEST(NestedBody, DotsBecomeObjects) {
  RenderFixture fixture;
  fixture.webhook.body.format = Body::Format::nested;
  fixture.choose("wm.euId", "user.id");
  fixture.choose("nps");
  fixture.choose("wm.userVars", "user.vars");
  fixture.add_static("user.source", "eilpost");
  EXPECT_EQ(fixture.body(),
            R"({"user":{"id":"u/1 ä","vars":{"plan":"pro","seats":12,"trial":false},)"
            R"("source":"eilpost"},"nps":9})");
}

TEST(NestedBody, NothingIsLostWhereAValueAndAnObjectMeet) {
  RenderFixture fixture =
      fixture_with(R"({"a":1,"a.b":2,"a.c.d":3,"e.f":4,"e":5,"g":{},"":6,".":7})");
  fixture.webhook.body.format = Body::Format::nested;
  EXPECT_EQ(fixture.body(),
            R"({"event":{"id":"evt-1","type":"survey.submitted",)"
            R"("time":"2026-11-24T09:00:00.123Z"},"a":1,"a.b":2,"a.c":{"d":3},"e":5,"e.f":4,)"
            R"("g":{},"":6,".":7})");
}

TEST(NestedBody, ManyDotsAreNotManyLevels) {
  const std::string name(2000, '.');
  RenderFixture fixture = fixture_with("{\"" + name + "\":1}");
  fixture.webhook.body.format = Body::Format::nested;
  const std::string body = fixture.body();
  EXPECT_LT(std::ranges::count(body, '{'), 40);
  EXPECT_TRUE(parse_json(body).has_value());
}

TEST(EnvelopeBody, IsThatOfStandardWebhooks) {
  RenderFixture fixture;
  fixture.webhook.body.format = Body::Format::envelope;
  fixture.choose("wm.euId");
  fixture.choose("nps", "score");
  EXPECT_EQ(fixture.body(), R"({"type":"survey.submitted","timestamp":"2026-11-24T09:00:00.123Z",)"
                            R"("data":{"wm":{"euId":"u/1 ä"},"score":9}})");
}

TEST(FormBody, IsUrlencoded) {
  RenderFixture fixture;
  fixture.webhook.body.format = Body::Format::form;
  fixture.choose("wm.euId", "user[id]");
  fixture.choose("tags");
  fixture.choose("empty");
  fixture.choose("absent", "absent", Missing::null);
  fixture.choose("yes");
  fixture.choose("wm.userVars", "v");
  fixture.add_static("text", "a+b & c=~*");
  EXPECT_EQ(fixture.body(),
            "user%5Bid%5D=u%2F1+%C3%A4&tags=%5B%22a%22%2C%22b%22%5D&empty=&yes=true&v.plan=pro&"
            "v.seats=12&v.trial=false&text=a%2Bb+%26+c%3D%7E*");
}

TEST(TemplateBody, AnyDocumentWithPlaceholders) {
  RenderFixture fixture;
  fixture.use_template(
      R"({"fixed":[1,"two",{"x":null}],"text":"{{oName}}: \"{{wm.euId}}\"",)"
      R"("n":"{{nps}}","list":"{{tags}}",)"
      R"("gone":"{{absent}}","empty text":"<{{absent}}>","in list":["{{absent}}","{{nps}}"],)"
      R"("nested":{"deep":{"value":"{{wm.userVars}}"}},"braces":"{{{{x}}","key {{nps}}":1})");
  EXPECT_EQ(fixture.body(),
            R"({"fixed":[1,"two",{"x":null}],"text":"NPS Q4: \"u/1 ä\"","n":9,"list":["a","b"],)"
            R"("empty text":"<>","in list":[null,9],)"
            R"("nested":{"deep":{"value":{"plan":"pro","seats":12,"trial":false}}},)"
            R"("braces":"{{x}}","key {{nps}}":1})");
}

TEST(TemplateBody, MissingAsNullWhereTheWebhookSaysSo) {
  RenderFixture fixture;
  fixture.use_template(R"({"gone":"{{absent}}","text":"<{{absent}}>"})");
  fixture.webhook.missing = Missing::null;
  EXPECT_EQ(fixture.body(), R"({"gone":null,"text":"<>"})");
}

TEST(TemplateBody, TheChosenObjectAsValueTextAndMerged) {
  RenderFixture fixture;
  fixture.choose("nps", "score");
  fixture.choose("wm.userVars", "v");
  fixture.add_static("s", "x");
  fixture.use_template(
      R"({"event":"x","all":"{{properties}}","score":"own","...":"{{properties}}",)"
      R"("text":"is {{properties}}"})");
  EXPECT_EQ(fixture.body(),
            R"({"event":"x","all":{"score":9,"v.plan":"pro","v.seats":12,"v.trial":false,"s":"x"},)"
            R"("score":"own","v.plan":"pro","v.seats":12,"v.trial":false,"s":"x",)"
            R"("text":"is {\"score\":9,\"v.plan\":\"pro\",\"v.seats\":12,\"v.trial\":false,)"
            R"(\"s\":\"x\"}"})");
  fixture.use_template(R"("{{properties}}")");
  EXPECT_THAT(fixture.body(), StartsWith(R"({"score":9,)"));
  fixture.use_template(R"([{"...":"{{properties}}"}])");
  EXPECT_THAT(fixture.body(), StartsWith(R"([{"score":9,)"));
}

TEST(TemplateBody, OtherObjectsCanBeMergedToo) {
  RenderFixture fixture;
  fixture.use_template(R"({"plan":"own","...":"{{wm.userVars}}","last":1})");
  EXPECT_EQ(fixture.body(), R"({"plan":"own","seats":12,"trial":false,"last":1})");
  fixture.use_template(R"({"...":"{{absent}}"})");
  EXPECT_EQ(fixture.body(), "{}");
  fixture.use_template(R"({"...":"{{tags}}"})");
  EXPECT_EQ(fixture.render().error().detail,
            "The key \"...\" adds the members of an object, but {{tags}} is a list.");
}

TEST(TemplateBody, FinalNamesOfWildcardsAndObjectsResolve) {
  RenderFixture fixture;
  fixture.choose("wm.userVars.*", "vars.*");
  fixture.choose("ctx.location", "place");
  fixture.use_template(R"(["{{vars.plan}}","{{place.hostname}}","{{vars.none}}"])");
  EXPECT_EQ(fixture.body(), R"(["pro","app.example.com",null])");
}

TEST(TemplateBody, MistakesCarryTheirPointer) {
  RenderFixture fixture;
  fixture.use_template(R"({"a/b":[1,{"c~d":"{{nps"}],"...":"x","e":{"...":"{{a}}{{b}}"}})");
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_placeholder /body/template/a~1b/1/c~0d: Column 1: "),
                          StartsWith("bad_merge /body/template/...: "),
                          StartsWith("bad_merge /body/template/e/...: ")));
  fixture.webhook.body.template_json = nullptr;
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("missing_template /body/template: ")));
  Json deep = "x";
  for (int i = 0; i < 40; ++i) deep = Json::array({deep});
  fixture.webhook.body.template_json = deep;
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("template_too_deep ")));
  fixture.webhook.body.template_json = std::string(70'000, 'x');
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("too_large /body/template: ")));
}

TEST(Body, IsRefusedWhereItGrowsTooLarge) {
  RenderFixture fixture = fixture_with(R"({"t":")" + std::string(60'000, 'x') + R"("})");
  std::string text;
  for (int i = 0; i < 20; ++i) text += "{{t}}";
  fixture.use_template(R"({"a":")" + text + R"("})");
  EXPECT_THAT(fixture.render().error().detail, HasSubstr("grows above 1048576 bytes"));
  Json list = Json::array();
  for (int i = 0; i < 20; ++i) list.push_back("{{t}}");
  fixture.webhook.body.template_json = list;
  EXPECT_THAT(fixture.render().error().detail, HasSubstr("The body grows above 1048576 bytes"));
  fixture.webhook.body.format = Body::Format::flat;
  for (int i = 0; i < 20; ++i) fixture.choose("t", "t" + std::to_string(i));
  EXPECT_THAT(fixture.render().error().detail, HasSubstr("at most 1048576 are sent"));
}

TEST(Body, TooManyPropertiesAreRefused) {
  std::string data = "{\"v\":{\"k0\":0";
  for (int i = 1; i < 250; ++i) data += ",\"k" + std::to_string(i) + "\":0";
  RenderFixture fixture = fixture_with(data + "}}");
  for (int i = 0; i < 30; ++i) fixture.choose("v.*", "n" + std::to_string(i) + ".*");
  EXPECT_EQ(fixture.render().error().detail, "The event gives more than 5000 properties.");
}

}  // namespace
}  // namespace eilpost::render
