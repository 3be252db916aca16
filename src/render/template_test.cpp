// Goal: placeholder text is read as SPEC describes it, and every mistake is told with its place.

#include "render/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "model/limits.h"
#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(std::string_view text, bool has_sections = true) {
  PropertyTrie trie;
  TimeZones zones;
  const auto parsed =
      parse_template(text, {.trie = trie, .zones = zones, .has_sections = has_sections});
  return parsed ? "none" : to_string(parsed.error());
}

// A text as a static property would hold it.
std::string text_of(std::string_view text) {
  RenderFixture fixture;
  fixture.choose("nps", "score");
  fixture.add_static("text", std::string(text));
  const std::string body = fixture.body();
  const auto json = parse_json(body);
  EILPOST_ASSERT(json.has_value());
  return json->contains("text") ? to_text((*json)["text"]) : "left out";
}

TEST(Template, PlaceholdersStandInText) {
  EXPECT_EQ(text_of("plain"), R"("plain")");
  EXPECT_EQ(text_of("{{oName}} got {{nps}}!"), R"("NPS Q4 got 9!")");
  EXPECT_EQ(text_of("{{ oName }}/{{  nps|round  }}"), R"("NPS Q4/9")");
  EXPECT_EQ(text_of("[{{absent}}|{{nothing}}|{{empty}}]"), R"("[||]")");
  EXPECT_EQ(text_of("{{yes}} {{ratio}} {{big}} {{huge}} {{whole}}."),
            R"("true 0.1 9007199254740993 18446744073709551615 9.0.")");
  EXPECT_EQ(text_of("tags: {{tags}}"), R"("tags: [\"a\",\"b\"]")");
}

TEST(Template, OnePlaceholderAloneKeepsItsType) {
  EXPECT_EQ(text_of("{{nps}}"), "9");
  EXPECT_EQ(text_of("{{yes}}"), "true");
  EXPECT_EQ(text_of("{{tags}}"), R"(["a","b"])");
  EXPECT_EQ(text_of("{{answers.0.value}}"), "9");
  EXPECT_EQ(text_of(" {{nps}}"), R"(" 9")");
  EXPECT_EQ(text_of("{{absent}}"), "left out");
}

TEST(Template, FourBracesAreTwo) {
  EXPECT_EQ(text_of("{{{{nps}}"), R"("{{nps}}")");
  EXPECT_EQ(text_of("a {{{{ b {{nps}}"), R"("a {{ b 9")");
  EXPECT_EQ(text_of("{{{{{{{{"), R"("{{{{")");
  EXPECT_EQ(text_of("}} { } {x}"), R"("}} { } {x}")");
}

TEST(Template, OwnNames) {
  EXPECT_EQ(text_of("{{delivery.id}} {{webhook.name}}"), R"("dlv_0000000000001-0 NPS to Slack")");
  EXPECT_EQ(text_of("{{webhook.id}}"), "\"" + to_string(WebhookId{7}) + "\"");
  EXPECT_EQ(text_of("{{event.id}} {{event.type}} {{created_at}}"),
            R"("evt-1 survey.submitted 1795510800123")");
}

TEST(Template, EventPathsComeBeforeFinalNames) {
  EXPECT_EQ(text_of("score {{score}}"), R"("score 9")");
  RenderFixture fixture;
  fixture.document = make_document(R"({"nps":9,"score":"own"})");
  fixture.choose("nps", "score");
  fixture.add_static("text", "{{score}}");
  EXPECT_EQ(fixture.body(), R"({"score":9,"text":"own"})");
}

TEST(Template, StaticPropertiesSeeThoseBeforeThem) {
  RenderFixture fixture;
  fixture.choose("nps");
  fixture.add_static("first", "{{second}}{{nps}}");
  fixture.add_static("second", "<{{first}}>");
  fixture.add_static("self", "{{self}}");
  EXPECT_EQ(fixture.body(), R"({"nps":9,"first":"9","second":"<9>"})");
}

TEST(Template, ConditionalSections) {
  EXPECT_EQ(text_of("{{#if nps}}yes{{else}}no{{/if}}"), R"("yes")");
  EXPECT_EQ(text_of("{{#if absent}}yes{{else}}no{{/if}}"), R"("no")");
  EXPECT_EQ(text_of("{{#if empty}}yes{{/if}}."), R"(".")");
  EXPECT_EQ(text_of("{{#if wm.userVars.trial}}trial{{else}}paid{{/if}}"), R"("paid")");
  EXPECT_EQ(text_of("{{#if tags}}{{#if yes}}both{{/if}}{{/if}}"), R"("both")");
  RenderFixture fixture;
  fixture.document = make_document(R"({"zero":0,"list":[],"object":{}})");
  EXPECT_EQ(fixture.value_of("{{#if zero}}A{{/if}}{{#if list}}B{{/if}}{{#if object}}C{{/if}}"),
            R"("A")");
}

TEST(Template, RepeatedSections) {
  EXPECT_EQ(text_of("{{#each tags}}<{{this}}>{{/each}}"), R"("<a><b>")");
  EXPECT_EQ(text_of("{{#each answers}}{{this.id}}={{this.value}};{{/each}}"),
            R"("7=9;8=because;")");
  EXPECT_EQ(text_of("{{#each answers}}{{#if this.question}}{{this.question}}{{else}}-{{/if}} "
                    "{{/each}}"),
            R"("How likely? - ")");
  EXPECT_EQ(text_of("{{#each absent}}x{{else}}none{{/each}}"), R"("none")");
  EXPECT_EQ(text_of("{{#each answers.*.id}}{{this}},{{/each}}"), R"("7,8,")");
  EXPECT_EQ(text_of("{{#each wm.userVars}}{{this}},{{/each}}"), R"("pro,12,false,")");
  EXPECT_EQ(text_of("{{#each tags}}{{#each answers}}{{this.id}}{{/each}}{{this}} {{/each}}"),
            R"("78a 78b ")");
  EXPECT_EQ(text_of("{{#each tags}}{{nps}}{{this | upper}}{{/each}}"), R"("9A9B")");
}

TEST(Template, RepetitionHasALimit) {
  RenderFixture fixture;
  std::string list = "[0";
  for (int i = 1; i < 200; ++i) list += ",0";
  fixture.document = make_document(R"({"l":)" + list + "]}");
  EXPECT_THAT(fixture.value_of("{{#each l}}{{#each l}}{{#each l}}{{/each}}{{/each}}{{/each}}"),
              HasSubstr("run more than 10000 times"));
}

TEST(Template, MistakesAreToldWithTheirColumn) {
  EXPECT_EQ(error_of("äö {{nps"), "Column 4: This placeholder is not closed; its end is }}.");
  EXPECT_EQ(error_of("{{}}"), "Column 1: A placeholder names a property, such as {{wm.euId}}.");
  EXPECT_THAT(error_of("{{{nps}}}"), StartsWith("Column 1: A placeholder begins with two braces"));
  EXPECT_THAT(error_of("ab{{nps oName}}"), StartsWith("Column 9: After the property comes"));
  EXPECT_THAT(error_of("{{a..b}}"), StartsWith("Column 3: "));
  EXPECT_THAT(error_of("{{nps | }}"), StartsWith("Column 9: After \"|\" comes the name"));
  EXPECT_THAT(error_of("{{nps | default('x)}}"), StartsWith("Column 17: This text has no closing"));
  EXPECT_THAT(error_of("{{nps | default('x'}}"), HasSubstr("after the last one \")\""));
  EXPECT_THAT(error_of("{{nps | default(x)}}"),
              HasSubstr("Column 17: A value is a text in quotes"));
  EXPECT_THAT(error_of("{{nps | default('\\q')}}"), HasSubstr("After a \\ comes one of"));
  EXPECT_THAT(error_of("{{nps | lookup({'a' 1})}}"), HasSubstr("Between key and value stands"));
  EXPECT_THAT(error_of("{{this}}"), HasSubstr("only within {{#each}}"));
  EXPECT_THAT(error_of("{{#each a}}{{/each}}{{this.b}}"), HasSubstr("only within {{#each}}"));
  EXPECT_THAT(error_of("{{secret.}}"), HasSubstr("Say which secret"));
  EXPECT_THAT(error_of("{{#unless a}}"), HasSubstr("There is no section {{#unless}}"));
  EXPECT_THAT(error_of("x{{#if a}}b"),
              StartsWith("Column 2: {{#if}} is not closed; its end is {{/if}}"));
  EXPECT_THAT(error_of("{{#if a}}b{{/each}}"), HasSubstr("{{#if}} is not closed"));
  EXPECT_THAT(error_of("{{#if a}}b{{else}}c{{else}}d{{/if}}"), HasSubstr("{{#if}} is not closed"));
  EXPECT_THAT(error_of("a{{/if}}"), StartsWith("Column 2: {{/if}} has no {{#if"));
  EXPECT_THAT(error_of("a{{/each}}"), HasSubstr("{{/each}} has no {{#each"));
  EXPECT_THAT(error_of("a{{else}}"), HasSubstr("outside of {{#if}}"));
  EXPECT_THAT(error_of("{{#if a}}{{/if}}", /*has_sections=*/false), HasSubstr("cannot stand here"));
}

TEST(Template, DepthAndFiltersHaveLimits) {
  std::string deep;
  for (std::size_t i = 0; i < limits::kSectionDepthMax; ++i) deep += "{{#if a}}";
  std::string closed = deep;
  for (std::size_t i = 0; i < limits::kSectionDepthMax; ++i) closed += "{{/if}}";
  EXPECT_EQ(error_of(closed), "none");
  EXPECT_THAT(error_of(deep + "{{#if a}}"), HasSubstr("At most 5 sections"));
  std::string filters;
  for (std::size_t i = 0; i < limits::kFiltersMax; ++i) filters += "|trim";
  EXPECT_EQ(error_of("{{a" + filters + "}}"), "none");
  EXPECT_THAT(error_of("{{a" + filters + "|trim}}"), HasSubstr("at most 10 filters"));
}

}  // namespace
}  // namespace eilpost::render
