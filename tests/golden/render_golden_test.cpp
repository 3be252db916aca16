// Goal:   rendered requests stay what they are, byte for byte, until somebody means to change them.
// Method: each case is compared with NAME.txt beside this file. EILPOST_UPDATE_GOLDEN=1 writes the
//         files anew; read the difference before committing it.

#include <gtest/gtest.h>
#include <string>

#include "golden.h"
#include "render/render_fixture.h"
#include "zone_files.h"

namespace eilpost::render {
namespace {

void expect_golden(const std::string& name, RenderFixture& fixture) {
  const auto request = fixture.render();
  ASSERT_TRUE(request.has_value()) << request.error().detail;
  eilpost::expect_golden(name, show(*request));
}

RenderFixture chosen_fixture() {
  RenderFixture fixture;
  fixture.choose("event.id", "id");
  fixture.choose("wm.euId", "user_id");
  fixture.choose("nps");
  fixture.choose("big");
  fixture.choose("wm.userVars.*", "vars.*");
  fixture.choose("answers.*.value", "answers");
  fixture.choose("absent", "gone");
  fixture.add_static("text", "{{wm.euId}} gave us {{nps}} ({{nps | lookup({'9':'promoter'})}})");
  return fixture;
}

TEST(RenderGolden, Flat) {
  RenderFixture fixture = chosen_fixture();
  expect_golden("flat", fixture);
}

TEST(RenderGolden, FlatAll) {
  RenderFixture fixture;
  fixture.add_static("nps", "overridden");
  fixture.webhook.body.underscores = true;
  expect_golden("flat_all_underscores", fixture);
}

TEST(RenderGolden, Nested) {
  RenderFixture fixture = chosen_fixture();
  fixture.webhook.body.format = Body::Format::nested;
  expect_golden("nested", fixture);
}

TEST(RenderGolden, Envelope) {
  RenderFixture fixture = chosen_fixture();
  fixture.webhook.body.format = Body::Format::envelope;
  fixture.is_test = true;
  fixture.destination.signing.previous_secret = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  fixture.destination.signing.previous_until = fixture.attempt_at + std::chrono::hours(1);
  expect_golden("envelope_rotating_secret", fixture);
}

TEST(RenderGolden, Form) {
  RenderFixture fixture = chosen_fixture();
  fixture.webhook.body.format = Body::Format::form;
  fixture.destination.authentication = {
      .type = Authentication::Type::basic, .username = "user", .password = "pass"};
  expect_golden("form_basic", fixture);
}

TEST(RenderGolden, Query) {
  RenderFixture fixture = chosen_fixture();
  fixture.destination.request.method = HttpMethod::get;
  fixture.destination.request.url = "https://api.example.com/users/{{user_id}}?source=eilpost";
  expect_golden("get", fixture);
}

TEST(RenderGolden, Slack) {
  RenderFixture fixture = chosen_fixture();
  fixture.zones = TimeZones(read_zone_file);
  if (!read_zone_file("Europe/Berlin")) GTEST_SKIP() << "this machine has no tzdata";
  fixture.use_template(R"({
    "text": "*{{oName}}*: {{wm.euId | upper}} gave {{nps}}",
    "blocks": [
      {"type": "section", "text": {"type": "mrkdwn",
       "text": "{{#each answers}}• {{#if this.question}}{{this.question}})"
                       R"({{else}}({{this.id}}){{/if}}: {{this.value}}\n{{/each}}"}},
      {"type": "context", "elements": [{"type": "mrkdwn",
       "text": "{{event.time | date('%d.%m.%Y %H:%M %Z', 'Europe/Berlin')}} · )"
                       R"({{webhook.name}} · {{delivery.id}}"}]}],
    "metadata": {"event_type": "eilpost", "event_payload": {"...": "{{properties}}",
     "absent": "{{absent}}"}}})");
  fixture.destination.request.url = "https://hooks.slack.com/services/T000/B000/XXXX";
  fixture.destination.signing = {.scheme = Signing::Scheme::none};
  expect_golden("template_slack", fixture);
  fixture.options.mask_secrets = true;
  expect_golden("template_slack_preview", fixture);
}

TEST(RenderGolden, ListMember) {
  RenderFixture fixture;
  fixture.document =
      make_document(R"({"wm":{"userVars":{"mail":" Ada@Example.com ","first":"Ada"}}})");
  fixture.destination.request.method = HttpMethod::put;
  fixture.destination.request.url =
      "https://us1.api.mailchimp.com/3.0/lists/abc/members/"
      "{{wm.userVars.mail | trim | lower | md5}}";
  fixture.use_template(
      R"({"email_address": "{{wm.userVars.mail | trim}}", "status_if_new": "subscribed",
    "merge_fields": {"FNAME": "{{wm.userVars.first}}", "LNAME": "{{wm.userVars.last}}"}})");
  fixture.destination.request.headers = {{.name = "X-Team", .value = "{{wm.userVars.team}}"}};
  expect_golden("put_list_member", fixture);
}

}  // namespace
}  // namespace eilpost::render
