// Goal:   what each platform gets stays what it is, byte for byte, until somebody means to change
//         it. Method: a destination of its fields and secrets alone, and a webhook like many.

#include <gtest/gtest.h>

#include "golden.h"
#include "presets/preset.h"
#include "render/render_fixture.h"
#include "settings/settings.h"

namespace eilpost::render {
namespace {

struct Row {
  const char* platform;
  const char* given;  // fields and secrets
  bool is_about_address = false;
};

constexpr Row kRows[] = {
    {"slack", R"({"secrets":{"webhook_url":"https://hooks.slack.com/services/T0/B0/s3cret"}})"},
    {"teams", R"({"secrets":{"webhook_url":"https://example.azure.com/workflows/1?sig=s3"}})"},
    {"mixpanel", R"({"fields":{"project_id":"4711","username":"a.mp-service-account",
                     "server":"https://api-eu.mixpanel.com"},
                     "secrets":{"service_secret":"s3cret"}})"},
    {"ga4", R"({"fields":{"measurement_id":"G-ABC"},"secrets":{"api_secret":"s3cret"}})"},
    {"heap", R"({"fields":{"app_id":"4711"}})"},
    {"amplitude", R"({"secrets":{"api_key":"s3cret"}})"},
    {"segment", R"({"secrets":{"write_key":"s3cret"}})"},
    {"mailchimp", R"({"fields":{"server":"https://us21.api.mailchimp.com","list_id":"a1",
                    "address":"wm.userVars.mail"},"secrets":{"api_key":"s3cret-us21"}})",
     true},
    {"hubspot", R"({"fields":{"address":"wm.userVars.mail"},"secrets":{"token":"s3cret"}})", true},
    {"brevo", R"({"fields":{"address":"wm.userVars.mail","list_ids":[7]},
                "secrets":{"api_key":"s3cret"}})",
     true},
};

constexpr std::string_view kData =
    R"({"sId":"s-9","oId":152605,"oName":"NPS <Q4>","nps":9,"answers":[{"id":7,"value":9}],)"
    R"("comment":"It’s \"fine\" & </b>","wm":{"euId":"user-1 ä","language":"de",)"
    R"("userVars":{"plan":"pro","mail":" Ada@Example.com "}}})";

Destination destination_of(const Row& row) {
  Json input = parse_json(row.given).value_or(Json());
  input["name"] = "A";
  input["platform"] = row.platform;
  presets::fill(*presets::find(row.platform), input);
  Problems problems;
  Destination destination = settings::destination_from_json(input, nullptr, problems);
  presets::check_form(*presets::find(row.platform), destination, problems);
  for (const Problem& problem : problems.errors) ADD_FAILURE() << row.platform << problem.detail;
  return destination;
}

TEST(PresetGolden, WhatEachPlatformGets) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.platform);
    RenderFixture fixture;
    fixture.document = make_document(kData);
    fixture.webhook.body.format = Body::Format::destination;
    fixture.choose("nps", row.is_about_address ? "NPS" : "");
    if (!row.is_about_address) {
      fixture.choose("wm.userVars.plan");
      fixture.choose("answers");
      fixture.choose("comment");
    }
    fixture.destination = destination_of(row);
    const auto request = fixture.render();
    ASSERT_TRUE(request.has_value()) << request.error().detail;
    expect_golden(std::string("preset_") + row.platform, show(*request));
  }
}

}  // namespace
}  // namespace eilpost::render
