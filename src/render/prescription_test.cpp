// Goal: what a destination prescribes: its body, its fields, its secrets, and that the last are
//       never seen.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kSecretUrl = "https://hooks.example.com/services/T0/B0/s3cret";

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EILPOST_ASSERT(json.has_value());
  return *std::move(json);
}

class PrescriptionTest : public testing::Test {
 protected:
  void prescribe(std::string_view template_json) {
    fixture_.webhook.body.format = Body::Format::destination;
    fixture_.destination.body =
        Body{.format = Body::Format::template_, .template_json = json_of(template_json)};
  }
  std::string all_of(const OutboundRequest& request) {
    std::string text = request.url + request.body;
    for (const OutboundHeader& header : request.headers) text += header.value + "\n";
    return text;
  }

  RenderFixture fixture_;
};

TEST_F(PrescriptionTest, TheBodyOfADestinationIsThatOfItsWebhooks) {
  fixture_.choose("nps", "score");
  fixture_.add_static("text", "{{nps}} points");
  EXPECT_EQ(fixture_.body(), R"({"score":9,"text":"9 points"})");
  prescribe(R"({"event":"{{event.name}}","message":"{{text}}","data":{"...":"{{properties}}",
                "text":"mine"},"gone":"{{absent}}"})");
  EXPECT_EQ(fixture_.body(), R"({"event":"Survey submitted","message":"9 points",)"
                             R"("data":{"score":9,"text":"mine"}})");
  // A webhook that has a body of its own keeps it.
  fixture_.webhook.body.format = Body::Format::nested;
  EXPECT_EQ(fixture_.body(), R"({"score":9,"text":"9 points"})");
}

TEST_F(PrescriptionTest, TheBodyMayBeAnyOtherFormatToo) {
  fixture_.choose("nps", "a.b");
  fixture_.webhook.body.format = Body::Format::destination;
  fixture_.destination.body = Body{.format = Body::Format::form, .template_json = {}};
  const auto form = fixture_.render();
  ASSERT_TRUE(form.has_value());
  EXPECT_EQ(form->body, "a.b=9");
  EXPECT_EQ(form->headers.front().value, "application/x-www-form-urlencoded");
  fixture_.destination.body->format = Body::Format::nested;
  EXPECT_EQ(fixture_.body(), R"({"a":{"b":9}})");
}

TEST_F(PrescriptionTest, FieldsKeepTheirTypes) {
  fixture_.destination.fields = {{.name = "list", .value = json_of("[1,\"b\",true]")},
                                 {.name = "number", .value = 7},
                                 {.name = "ratio", .value = 0.5},
                                 {.name = "on", .value = true},
                                 {.name = "text", .value = "a"}};
  prescribe(R"(["{{field.list}}","{{field.number}}","{{field.ratio}}","{{field.on}}",
                "{{field.text | upper}}","no {{field.number}}"])");
  EXPECT_EQ(fixture_.body(), R"([[1,"b",true],7,0.5,true,"A","no 7"])");
}

TEST_F(PrescriptionTest, SecretsStandInUrlHeadersAndBodyAndAreNeverSeen) {
  fixture_.destination.secrets = {{.name = "key", .value = "s3cret/1"}};
  fixture_.destination.request.url = "https://api.example.com/{{secret.key}}?q={{secret.key}}";
  fixture_.destination.request.headers = {{.name = "X-Team", .value = "Key {{secret.key}}"}};
  prescribe(
      R"({"k":"{{secret.key}}","half":"{{secret.key | truncate(3)}}","in":"a{{secret.key}}"})");
  const auto request = fixture_.render();
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->url, "https://api.example.com/s3cret%2F1?q=s3cret%2F1");
  EXPECT_EQ(request->body, R"({"k":"s3cret/1","half":"s3c","in":"as3cret/1"})");
  EXPECT_THAT(all_of(*request), HasSubstr("Key s3cret/1"));
  fixture_.options.mask_secrets = true;
  const auto masked = fixture_.render();
  ASSERT_TRUE(masked.has_value());
  EXPECT_EQ(masked->body, R"({"k":"••••","half":"••••","in":"a••••"})");
  EXPECT_THAT(all_of(*masked), Not(HasSubstr("s3c")));
}

TEST_F(PrescriptionTest, AWholeUrlMayBeASecretOrBeginWithAField) {
  fixture_.destination.secrets = {{.name = "url", .value = std::string(kSecretUrl)}};
  fixture_.destination.request.url = "{{secret.url}}";
  EXPECT_EQ(fixture_.url(), kSecretUrl);
  fixture_.options.mask_secrets = true;
  EXPECT_EQ(fixture_.url(), "https://hooks.example.com/••••");
  fixture_.options.mask_secrets = false;
  fixture_.destination.fields = {{.name = "server", .value = "https://eu.example.com"},
                                 {.name = "project", .value = "a/b"}};
  fixture_.destination.request.url = "{{field.server}}/v1/{{field.project}}";
  EXPECT_EQ(fixture_.url(), "https://eu.example.com/v1/a%2Fb");
  // No event chooses a host.
  fixture_.destination.request.url = "https://{{wm.language}}.example.com/";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("placeholder_in_url")));
}

TEST_F(PrescriptionTest, AWrongSecretUrlIsRefusedWithoutBeingShown) {
  fixture_.destination.secrets = {{.name = "url", .value = "s3cret"}};
  fixture_.destination.request.url = "{{secret.url}}";
  EXPECT_THAT(fixture_.errors(),
              ElementsAre(AllOf(HasSubstr("begins with https://"), Not(HasSubstr("s3cret")))));
}

TEST_F(PrescriptionTest, CredentialsMayBeFieldsAndSecrets) {
  fixture_.destination.fields = {{.name = "user", .value = "ada"}};
  fixture_.destination.secrets = {{.name = "key", .value = "k"}};
  fixture_.destination.authentication = {.type = Authentication::Type::basic,
                                         .username = "{{field.user}}",
                                         .password = "{{secret.key}}"};
  const auto request = fixture_.render();
  ASSERT_TRUE(request.has_value());
  EXPECT_THAT(all_of(*request), HasSubstr("Basic YWRhOms="));
  fixture_.destination.authentication.password = "{{secret.other}}";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("no secret.other")));
  // Anything else is a password like others.
  fixture_.destination.authentication.password = "{{secret.key}}!";
  EXPECT_THAT(fixture_.errors(), IsEmpty());
}

TEST_F(PrescriptionTest, AFieldMaySayWhichPropertyIsMeant) {
  fixture_.destination.fields = {{.name = "address", .value = "wm.userVars.plan"},
                                 {.name = "number", .value = 7}};
  fixture_.destination.request.url = "https://api.example.com/{{@address | upper}}";
  EXPECT_EQ(fixture_.url(), "https://api.example.com/PRO");
  fixture_.destination.request.url = "https://api.example.com/{{@number}}";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("There is no field \"number\"")));
  fixture_.destination.request.url = "https://api.example.com/";
  fixture_.use_template(R"({"a":"{{@address}}"})");
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("Only a destination's own texts")));
}

TEST_F(PrescriptionTest, WhatADestinationLacksIsRefused) {
  fixture_.destination.request.url = "https://api.example.com/?a={{secret.a}}";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("There is no secret \"a\"")));
  fixture_.destination.request.url = "https://api.example.com/?a={{field.a}}";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("There is no field \"a\"")));
  prescribe(R"({"a":"{{field.b}}"})");
  fixture_.destination.request.url = "https://api.example.com/";
  EXPECT_THAT(fixture_.errors(), ElementsAre(HasSubstr("/body/template/a")));
}

TEST_F(PrescriptionTest, AWebhookUsesWhatItsDestinationHas) {
  fixture_.destination.fields = {{.name = "region", .value = "eu"}};
  fixture_.destination.secrets = {{.name = "key", .value = "k"}};
  fixture_.use_template(R"({"r":"{{field.region}}","k":"{{secret.key}}"})");
  EXPECT_EQ(fixture_.body(), R"({"r":"eu","k":"k"})");
  fixture_.destination.secrets.clear();
  const auto refused = fixture_.render();
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().detail, HasSubstr("The destination has no secret.key"));
  // Where the destination has no such field, the event may have such a property.
  fixture_.use_template(R"({"r":"{{field.region}}"})");
  fixture_.destination.fields.clear();
  EXPECT_EQ(fixture_.body(), "{}");
  fixture_.document = make_document(R"({"field":{"region":"of the event"}})");
  EXPECT_EQ(fixture_.body(), R"({"r":"of the event"})");
}

}  // namespace
}  // namespace eilpost::render
