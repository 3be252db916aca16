// Goal:   every filter, with what it is made for, with what it cannot use, and with nothing.
// Method: tables of placeholder and result, rendered alone in a template.

#include "render/filters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "render/render_fixture.h"
#include "render/template.h"

namespace eilpost::render {
namespace {

using testing::HasSubstr;

struct Row {
  std::string_view placeholder;
  std::string_view json;
};

void expect_rows(std::string_view data, const std::vector<Row>& rows) {
  RenderFixture fixture;
  fixture.document = make_document(data);
  for (const Row& row : rows) {
    EXPECT_EQ(fixture.value_of(row.placeholder), row.json) << row.placeholder;
  }
}

TEST(Filters, TextFiltersChangeText) {
  expect_rows(R"({"t":" Ärger É ß ΑΣ Жук ","a":"a b/c&d+ü","n":42,"b":true,"d":9.0})",
              {
                  {"{{t | lower}}", R"(" ärger é ß ασ жук ")"},
                  {"{{t | upper}}", R"(" ÄRGER É SS ΑΣ ЖУК ")"},
                  {"{{t | trim}}", R"("Ärger É ß ΑΣ Жук")"},
                  {"{{a | urlencode}}", R"("a%20b%2Fc%26d%2B%C3%BC")"},
                  {"{{a | md5}}", R"("6b57601d7af6821ff0840130d721de4d")"},
                  {"{{a | base64}}", R"("YSBiL2MmZCvDvA==")"},
                  {"{{a | truncate(3)}}", R"("a b")"},
                  {"{{a | truncate(100)}}", R"("a b/c&d+ü")"},
                  {"{{t | truncate(2)}}", R"(" Ä")"},
                  {"{{a | replace('b/', '')}}", R"("a c&d+ü")"},
                  {"{{a | replace(' ', '  ') | replace(\"  \", '-')}}", R"("a-b/c&d+ü")"},
                  {"{{n | lower}}", R"("42")"},
                  {"{{b | upper}}", R"("TRUE")"},
                  {"{{d | trim}}", R"("9.0")"},
              });
}

TEST(Filters, DigestsAreThoseOfTheBytes) {
  expect_rows(R"({"t":"abc","e":""})",
              {
                  {"{{t | md5}}", R"("900150983cd24fb0d6963f7d28e17f72")"},
                  {"{{t | sha256}}",
                   R"("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")"},
                  {"{{e | md5}}", R"("d41d8cd98f00b204e9800998ecf8427e")"},
                  {"{{t | upper | md5}}", R"("902fbdd2b1df0c4f70b4a5d23525e932")"},
              });
}

TEST(Filters, SlugsAreForUrls) {
  expect_rows(
      R"({"a":"Über uns: Größe & Maße!","b":"Crème brûlée — l'été","c":"  --  ","d":"Привет мир",
                  "e":"Łódź Straße ŒUVRE","f":"u\u0308ber"})",
      {
          {"{{a | slug}}", R"("ueber-uns-groesse-masse")"},
          {"{{b | slug}}", R"("creme-brulee-l-ete")"},
          {"{{c | slug}}", R"("")"},
          {"{{d | slug}}", R"("привет-мир")"},
          {"{{e | slug}}", R"("lodz-strasse-oeuvre")"},
          {"{{f | slug}}", R"("uber")"},
      });
}

TEST(Filters, MissingStaysMissingUntilDefault) {
  expect_rows(R"({"nothing":null,"empty":"","zero":0,"no":false})",
              {
                  {"{{absent | lower | md5}}", "null"},
                  {"{{absent | date('%Y') | default('never')}}", R"("never")"},
                  {"{{nothing | default(7)}}", "7"},
                  {"{{empty | default(1.5)}}", "1.5"},
                  {"{{empty | default(true)}}", "true"},
                  {"{{absent | default(null)}}", "null"},
                  {"{{zero | default(7)}}", "0"},
                  {"{{no | default(7)}}", "false"},
                  {"{{absent | default('A') | lower}}", R"("a")"},
              });
}

TEST(Filters, JsonIsText) {
  expect_rows(R"({"t":"say \"hi\"","n":7,"l":[1,null,{"a":"b"}]})",
              {
                  {"{{t | json}}", R"("\"say \\\"hi\\\"\"")"},
                  {"{{n | json}}", R"("7")"},
                  {"{{l | json}}", R"("[1,null,{\"a\":\"b\"}]")"},
              });
}

TEST(Filters, TimesInManyForms) {
  expect_rows(
      R"({"iso":"2026-11-24T09:00:00.123Z","off":"2026-11-24T01:30:00+02:00","day":"2026-11-24",
                  "ms":1795510800123,"s":1795510800,"text":"1795510800","word":"soon","l":[1]})",
      {
          {"{{iso | unix}}", "1795510800"},
          {"{{iso | unix_ms}}", "1795510800123"},
          {"{{iso | unix_us}}", "1795510800123000"},
          {"{{off | date('%F %T')}}", R"("2026-11-23 23:30:00")"},
          {"{{day | unix}}", "1795478400"},
          {"{{ms | unix}}", "1795510800"},
          {"{{s | unix_ms}}", "1795510800000"},
          {"{{text | date('%Y-%m-%dT%H:%M:%SZ')}}", R"("2026-11-24T09:00:00Z")"},
          {"{{created_at | date('%d.%m.%Y')}}", R"("24.11.2026")"},
          {"{{event.time | date('%L')}}", R"("123")"},
      });
  RenderFixture fixture;
  fixture.document = make_document(R"({"word":"soon","l":[1],"far":1e300})");
  EXPECT_THAT(fixture.value_of("{{word | unix}}"),
              HasSubstr("the filter \"unix\" needs a time (ISO 8601"));
  EXPECT_THAT(fixture.value_of("{{l | date('%Y')}}"), HasSubstr("but the value is a list"));
  EXPECT_THAT(fixture.value_of("{{far | date('%Y')}}"), HasSubstr("needs a time"));
}

TEST(Filters, Rounding) {
  expect_rows(R"({"a":2.5,"b":-2.5,"c":0.125,"d":"3.14159","i":7,"big":18446744073709551615,)"
              R"("e":1e300,"w":9.0})",
              {
                  {"{{a | round}}", "3"},
                  {"{{b | round(0)}}", "-3"},
                  {"{{c | round(2)}}", "0.13"},
                  {"{{d | round(2)}}", "3.14"},
                  {"{{i | round(2)}}", "7"},
                  {"{{big | round}}", "18446744073709551615"},
                  {"{{e | round(1)}}", "1e+300"},
                  {"{{w | round}}", "9"},
              });
  RenderFixture fixture;
  EXPECT_EQ(
      fixture.value_of("{{oName | round(1)}}"),
      "error: In the placeholder {{oName}} the filter \"round\" needs a number, but the value "
      "is the text \"NPS Q4\".");
}

TEST(Filters, ListsAreMappedAndJoined) {
  expect_rows(std::string_view(kSampleData),
              {
                  {"{{tags | join(', ')}}", R"("a, b")"},
                  {"{{tags | join}}", R"("a, b")"},
                  {"{{tags | join('')}}", R"("ab")"},
                  {"{{oName | join('-')}}", R"("NPS Q4")"},
                  {"{{answers | map('value')}}", R"([9,"because"])"},
                  {"{{answers | map('question')}}", R"(["How likely?"])"},
                  {"{{answers | map('value') | join('; ')}}", R"("9; because")"},
                  {"{{answers.*.value | join('/')}}", R"("9/because")"},
                  {"{{answers.*.nowhere | join('/')}}", "null"},
                  {"{{ctx | map('location.hostname')}}", R"("app.example.com")"},
              });
  RenderFixture fixture;
  EXPECT_THAT(fixture.value_of("{{wm | join}}"), HasSubstr("\"join\" needs a list"));
  EXPECT_THAT(fixture.value_of("{{nps | map('a')}}"), HasSubstr("needs a list of objects"));
  EXPECT_THAT(fixture.value_of("{{tags | lower}}"), HasSubstr("use join(', ') or json first"));
}

TEST(Filters, LookupKnowsNumbersAndTexts) {
  expect_rows(std::string_view(kSampleData),
              {
                  {R"({{nps | lookup({"9":"promoter","0":"detractor"})}})", R"("promoter")"},
                  {"{{nps | lookup({9: 'promoter', 'x': 1})}}", R"("promoter")"},
                  {"{{whole | lookup({'9':1})}}", "1"},
                  {"{{yes | lookup({'true':'ja'})}}", R"("ja")"},
                  {"{{oName | lookup({'other':1})}}", "null"},
                  {"{{oName | lookup({}) | default('none')}}", R"("none")"},
              });
  RenderFixture fixture;
  EXPECT_THAT(fixture.value_of("{{wm | lookup({})}}"), HasSubstr("needs a text or a number"));
}

TEST(Filters, IdsAreShortenedByHashingThem) {
  expect_rows(R"({"id":"Order-7","odd":"a_b","n":42})",
              {
                  {"{{id | short_id(36)}}", R"("Order-7")"},
                  {"{{odd | short_id(16)}}", R"("648fa9b31bc7ff7e")"},
                  {"{{n | short_id(36)}}", R"("42")"},
                  {"{{n | text}}", R"("42")"},
                  {"{{none | text}}", "null"},
              });
  RenderFixture fixture;
  fixture.document = make_document(R"({"a":"1234567890123456789012345678901234567"})");
  EXPECT_EQ(fixture.value_of("{{a | short_id(36)}}").size(), 36U + 2);
  EXPECT_NE(fixture.value_of("{{a | short_id(36)}}"), fixture.value_of("{{a | truncate(36)}}"));
}

TEST(Filters, PropertiesBecomeLinesNamesAndScalars) {
  RenderFixture fixture;
  fixture.document = make_document(
      R"({"a.b":"x<y","n":9007199254740993,"on":true,"l":[1,"z"],"none":null,"long":"äöüäöü"})");
  for (const char* name : {"a.b", "n", "on", "l", "none", "long"}) fixture.choose(name);
  EXPECT_EQ(fixture.value_of("{{properties | lines('- ')}}"),
            R"("- a.b: x<y\n- n: 9007199254740993\n- on: true\n)"
            R"(- l: [1,\"z\"]\n- long: äöüäöü")");
  EXPECT_EQ(fixture.value_of("{{properties | without('a.b','l','on','long')}}"),
            R"({"n":9007199254740993})");
  EXPECT_EQ(fixture.value_of("{{properties | underscores | without('n','on','l','long')}}"),
            R"({"a_b":"x<y"})");
  EXPECT_EQ(fixture.value_of("{{properties | scalars(3) | without('a.b')}}"),
            R"({"n":9007199254740993,"on":"tru","l":"[1,","long":"äöü"})");
  EXPECT_THAT(notes_of(*fixture.scratch), HasSubstr("\"long\" was cut to 3 characters."));
  EXPECT_EQ(fixture.value_of("{{properties | scalars | without('a.b','l')}}"),
            R"({"n":9007199254740993,"on":"true","long":"äöüäöü"})");
  EXPECT_EQ(notes_of(*fixture.scratch), "");
  EXPECT_THAT(fixture.value_of("{{n | lines}}"), HasSubstr("needs an object, such as properties"));
  fixture.choose("n", "a_b");
  EXPECT_THAT(fixture.value_of("{{properties | underscores}}"),
              HasSubstr("\"a.b\" and \"a_b\" would both be sent as \"a_b\""));
}

TEST(Filters, WhatTheyMakeOfPropertiesCanBeMerged) {
  RenderFixture fixture;
  fixture.document = make_document(R"({"a.b":1,"c":2,"d":3})");
  for (const char* name : {"a.b", "c", "d"}) fixture.choose(name);
  fixture.use_template(R"({"c":"mine","...":"{{properties | underscores | without('d')}}"})");
  EXPECT_EQ(fixture.body(), R"({"c":"mine","a_b":1})");
}

TEST(Filters, ArgumentsAreChecked) {
  TimeZones zones;
  const auto error_of = [&](std::string_view placeholder) {
    PropertyTrie trie;
    const auto parsed = parse_template(placeholder, {.trie = trie, .zones = zones});
    return parsed ? std::string("none") : to_string(parsed.error());
  };
  EXPECT_THAT(error_of("{{a | loud}}"),
              HasSubstr("Column 7: There is no filter \"loud\"; there are lower"));
  EXPECT_THAT(error_of("{{a | truncate}}"), HasSubstr("write truncate(100)."));
  EXPECT_THAT(error_of("{{a | truncate('x')}}"), HasSubstr("write truncate(100)."));
  EXPECT_THAT(error_of("{{a | truncate(-1)}}"), HasSubstr("write truncate(100)."));
  EXPECT_THAT(error_of("{{a | round(16)}}"), HasSubstr("write round(2)."));
  EXPECT_THAT(error_of("{{a | short_id(15)}}"), HasSubstr("write short_id(36)."));
  EXPECT_THAT(error_of("{{a | short_id(257)}}"), HasSubstr("write short_id(36)."));
  EXPECT_THAT(error_of("{{a | scalars(0)}}"), HasSubstr("write scalars(100)."));
  EXPECT_THAT(error_of("{{a | without}}"), HasSubstr("write without('name')."));
  EXPECT_THAT(error_of("{{a | lines(1)}}"), HasSubstr("write lines('- ')."));
  EXPECT_THAT(error_of("{{a | lower(1)}}"), HasSubstr("write lower."));
  EXPECT_THAT(error_of("{{a | default}}"), HasSubstr("write default('unknown')."));
  EXPECT_THAT(error_of("{{a | default({})}}"), HasSubstr("write default('unknown')."));
  EXPECT_THAT(error_of("{{a | replace('', 'b')}}"), HasSubstr("write replace('a', 'b')."));
  EXPECT_THAT(error_of("{{a | replace('a')}}"), HasSubstr("write replace('a', 'b')."));
  EXPECT_THAT(error_of("{{a | join(7)}}"), HasSubstr("write join(', ')."));
  EXPECT_THAT(error_of("{{a | lookup('x')}}"), HasSubstr("write lookup("));
  EXPECT_THAT(error_of("{{a | date('%Q')}}"), HasSubstr("\"%Q\" is no part of a date format"));
  EXPECT_THAT(error_of("{{a | date('50%')}}"), HasSubstr("\"%\" is no part of a date format"));
  EXPECT_THAT(error_of("{{a | date('%Y','Europe/Berlin')}}"), HasSubstr("no time zone database"));
  EXPECT_THAT(error_of("{{a | date('%Y','../passwd')}}"),
              HasSubstr("is not the name of a time zone"));
  EXPECT_EQ(error_of("{{a | date('%Y','UTC')}}"), "none");
}

TEST(Filters, ResultsHaveALimit) {
  RenderFixture fixture;
  fixture.document = make_document(R"({"t":")" + std::string(60'000, 'a') + R"("})");
  EXPECT_THAT(fixture.value_of("{{t | replace('a', '12345678901234567890')}}"),
              HasSubstr("the text grows above 1048576 bytes"));
}

}  // namespace
}  // namespace eilpost::render
