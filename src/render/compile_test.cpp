// Goal: saving finds everything that is wrong, tells its place, and says what would be right.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>

#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

TEST(CompileWebhook, NamesHoldNoBlanksAndTwoFormsAreOffered) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "User id\tX");
  fixture.add_static("größte\u00A0Zahl", 1);
  EXPECT_THAT(fixture.errors(),
              ElementsAre("bad_name /properties/0/as: Names hold no blanks: write \"user_id_x\" or "
                          "\"userIdX\" instead of \"User id\tX\".",
                          HasSubstr("write \"größte_zahl\" or \"größteZahl\" instead of")));
}

TEST(CompileWebhook, TwoWithOneNameAreBothNamed) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "id");
  fixture.choose("oId", "id");
  fixture.add_static("id", 1);
  EXPECT_THAT(fixture.errors(),
              ElementsAre("duplicate_name /properties/1/as: The property \"wm.euId\" and The "
                          "property \"oId\" would both be sent as \"id\"; rename one of them.",
                          HasSubstr("The property \"wm.euId\" and The static property \"id\"")));
  RenderFixture underscores;
  underscores.choose("a.b");
  underscores.choose("a_b");
  EXPECT_THAT(underscores.errors(), IsEmpty());
  underscores.webhook.body.underscores = true;
  EXPECT_THAT(underscores.errors(),
              ElementsAre(StartsWith("duplicate_name /properties/1/property")));
}

TEST(CompileWebhook, AValueBesideAnObjectCannotBeNested) {
  RenderFixture fixture;
  fixture.choose("nps", "a");
  fixture.choose("oId", "a.b.c");
  fixture.add_static("a.b", 1);
  fixture.choose("sId", "ab");
  EXPECT_THAT(fixture.errors(), IsEmpty());
  for (const auto format : {Body::Format::nested, Body::Format::envelope}) {
    fixture.webhook.body.format = format;
    EXPECT_THAT(
        fixture.errors(),
        UnorderedElementsAre(
            HasSubstr("The property \"nps\" as \"a\" and The static property \"a.b\" as"),
            HasSubstr("The property \"nps\" as \"a\" and The property \"oId\" as \"a.b.c\""),
            HasSubstr("The static property \"a.b\" as \"a.b\" and The property \"oId\"")));
  }
}

TEST(CompileWebhook, EverythingWrongIsToldAtOnce) {
  RenderFixture fixture;
  fixture.choose("a..b");
  fixture.choose("answers.*.value", "x.*.y.*");
  fixture.choose("nps", "n*");
  fixture.choose("oId", std::string(300, 'x'));
  fixture.add_static("list", Json::array({1}));
  fixture.add_static("text", "{{nps");
  fixture.add_static("all", "{{properties}}");
  fixture.add_static("", 1);
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_property /properties/0/property: "),
                          HasSubstr("\"answers.*.value\" has 1 wildcards"),
                          StartsWith("bad_name /properties/2/as: "),
                          StartsWith("bad_name /properties/3/as: A name has 1 to 200 bytes"),
                          StartsWith("bad_value /static_properties/0/value: "),
                          StartsWith("bad_placeholder /static_properties/1/value: Column 1: "),
                          HasSubstr("{{properties}} cannot stand here"),
                          StartsWith("bad_name /static_properties/3/name: ")));
}

TEST(CompileWebhook, ListsHaveLimits) {
  RenderFixture fixture;
  for (int i = 0; i < 257; ++i) fixture.choose("nps", "n" + std::to_string(i));
  for (int i = 0; i < 101; ++i) fixture.add_static("s" + std::to_string(i), 1);
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("too_many /properties: At most 256"),
                                            StartsWith("too_many /static_properties: ")));
}

TEST(CompileWebhook, UnknownPropertiesAreWarnedOfOnce) {
  RenderFixture fixture;
  fixture.choose("wm.euId", "user");
  fixture.choose("wm.userVars.plan");
  fixture.choose("wm.userVars.*", "vars.*");
  fixture.choose("answers.0.value");
  fixture.choose("ctx.location");
  fixture.choose("event.id");
  fixture.choose("typo");
  fixture.add_static("t", "{{typo}} {{user}} {{vars.plan}} {{oName}} {{other.typo}}");
  EXPECT_THAT(fixture.errors(), IsEmpty());
  fixture.problems = {};
  EXPECT_NE(compile(fixture.webhook, built_in_catalog(), fixture.problems), nullptr);
  EXPECT_THAT(RenderFixture::lines_of(fixture.problems.warnings),
              UnorderedElementsAre(StartsWith("undeclared_property /properties/6/property: "),
                                   StartsWith("undeclared_property /static_properties/0/value: "
                                              "\"other.typo\"")));
}

TEST(CompileDestination, PlaceholdersOnlyInSegmentsAndValues) {
  const auto errors_of = [](std::string url) {
    RenderFixture fixture;
    fixture.destination.request.url = std::move(url);
    return fixture.errors();
  };
  EXPECT_THAT(errors_of("https://a.example/{{nps}}/x?y={{oId}}&z=1"), IsEmpty());
  EXPECT_THAT(errors_of("https://a.example/x/a-{{nps}}.json?y=a{{oId}}b"), IsEmpty());
  EXPECT_THAT(errors_of("https://a.example?x={{nps | default('a/b?c=d&e#f')}}"), IsEmpty());
  EXPECT_THAT(errors_of("https://{{nps}}/x"), ElementsAre(HasSubstr("scheme, host or port")));
  EXPECT_THAT(errors_of("https://a.{{nps}}.example/x"), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(errors_of("https://a.example:{{nps}}/x"), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(errors_of("https://{{nps}}@a.example/x"), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(errors_of("{{nps}}://a.example/x"), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(errors_of("{{nps}}"), ElementsAre(HasSubstr("host or port")));
  EXPECT_THAT(errors_of("https://a.example/?{{nps}}=1"),
              ElementsAre(HasSubstr("name of a query parameter")));
  EXPECT_THAT(errors_of("https://a.example/?a=1&{{nps}}"),
              ElementsAre(HasSubstr("name of a query parameter")));
  EXPECT_THAT(errors_of("https://a.example/#{{nps}}"), ElementsAre(HasSubstr("behind the #")));
  EXPECT_THAT(errors_of("https://a.example/{{#if a}}b{{/if}}"),
              ElementsAre(StartsWith("bad_placeholder /request/url: Column 19: ")));
  EXPECT_THAT(errors_of("https://a.example/../{{nps}}"), ElementsAre(HasSubstr("\"..\"")));
  EXPECT_THAT(errors_of("https://a.example/%2E%2e/{{nps}}"), ElementsAre(HasSubstr("\"..\"")));
  EXPECT_THAT(errors_of(""), ElementsAre(StartsWith("bad_url /request/url: ")));
  EXPECT_THAT(errors_of("ftp://a.example/"), ElementsAre(StartsWith("bad_url /request/url: ")));
  EXPECT_THAT(errors_of("https://user:pass@a.example/"),
              ElementsAre(StartsWith("bad_url /request/url: ")));
  EXPECT_THAT(errors_of("https://a.example/" + std::string(9000, 'x')),
              ElementsAre(StartsWith("bad_url /request/url: ")));
}

TEST(CompileDestination, HeadersAreChecked) {
  RenderFixture fixture;
  fixture.destination.request.headers = {
      {.name = "Host", .value = "x"},
      {.name = "content-length", .value = "1"},
      {.name = "Transfer-Encoding", .value = "x"},
      {.name = "CONNECTION", .value = "x"},
      {.name = "Webhook-Id", .value = "x"},
      {.name = "webhook-anything", .value = "x"},
      {.name = "X Team", .value = "x"},
      {.name = "", .value = "x"},
      {.name = "X-A", .value = "a\r\nB: c"},
      {.name = "x-a", .value = "twice"},
      {.name = "X-B", .value = "{{nps"},
      {.name = "Authorization", .value = "x"},
  };
  fixture.destination.authentication.type = Authentication::Type::bearer;
  fixture.destination.authentication.token = "t";
  EXPECT_THAT(
      fixture.errors(),
      ElementsAre(
          StartsWith("forbidden_header /request/headers/0/name: The header \"Host\" is set"),
          StartsWith("forbidden_header /request/headers/1/name: "),
          StartsWith("forbidden_header /request/headers/2/name: "),
          StartsWith("forbidden_header /request/headers/3/name: "),
          StartsWith("forbidden_header /request/headers/4/name: "),
          StartsWith("forbidden_header /request/headers/5/name: "),
          StartsWith("bad_header /request/headers/6/name: "),
          StartsWith("bad_header /request/headers/7/name: "),
          StartsWith("bad_header /request/headers/8/value: "),
          StartsWith("duplicate_header /request/headers/9/name: "),
          StartsWith("bad_placeholder /request/headers/10/value: Column 1: "),
          StartsWith("duplicate_header /request/headers/11/name: ")));
  fixture.destination.authentication.type = Authentication::Type::none;
  fixture.destination.request.headers.assign(58, {.name = "X", .value = "x"});
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("too_many /request/headers: ")));
}

TEST(CompileDestination, CredentialsAndSecretsAreChecked) {
  RenderFixture fixture;
  auto& authentication = fixture.destination.authentication;
  authentication.type = Authentication::Type::bearer;
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("bad_credentials /authentication/token")));
  authentication.token = "a\nb";
  EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("bad_credentials /authentication/token")));
  authentication.type = Authentication::Type::basic;
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_credentials /authentication/username")));
  authentication.username = "a:b";
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_credentials /authentication/username")));
  authentication.username = "a";
  authentication.password = "b\r";
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_credentials /authentication/password")));
  authentication.password = "b";
  EXPECT_THAT(fixture.errors(), IsEmpty());
  for (const std::string_view bad :
       {"x", "whsec_", "whsec_!!!!", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}) {
    fixture.destination.signing.secret = bad;
    EXPECT_THAT(fixture.errors(), ElementsAre(StartsWith("bad_signing_secret /signing/secret: ")))
        << bad;
  }
  fixture.destination.signing.secret = "";
  fixture.destination.signing.previous_secret = "x";
  EXPECT_THAT(fixture.errors(),
              ElementsAre(StartsWith("bad_signing_secret /signing/previous_secret: ")));
  fixture.destination.signing.scheme = Signing::Scheme::none;
  EXPECT_THAT(fixture.errors(), IsEmpty());
}

}  // namespace
}  // namespace eilpost::render
