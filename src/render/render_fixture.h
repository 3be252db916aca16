#pragma once
// For tests: a webhook, a destination and an event with harmless values; a test changes what it is
// about and renders.

#include <expected>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "model/json.h"
#include "render/renderer.h"

namespace eilpost::render {

inline std::string make_document(std::string_view data, std::string_view attributes = "") {
  return std::string(R"({"event":{"id":"evt-1","type":"survey.submitted",)") +
         R"("name":"Survey submitted","time":"2026-11-24T09:00:00.123Z",)" +
         R"("received_at":"2026-11-24T09:00:00.456Z")" + std::string(attributes) +
         R"(},"created_at":1795510800123,"data":)" + std::string(data) + "}";
}

inline constexpr std::string_view kSampleData =
    R"({"sId":"s-9","oId":152605,"oName":"NPS Q4","nps":9,"big":9007199254740993,)"
    R"("huge":18446744073709551615,"ratio":0.1,"whole":9.0,"empty":"","nothing":null,"yes":true,)"
    R"("answers":[{"id":7,"question":"How likely?","value":9},{"id":8,"value":"because"}],)"
    R"("tags":["a","b"],"wm":{"euId":"u/1 ä","language":"de",)"
    R"("userVars":{"plan":"pro","seats":12,"trial":false}},)"
    R"("ctx":{"location":{"hostname":"app.example.com","pathname":"/console/"}}})";

inline const Catalog& built_in_catalog() {
  static const Catalog kCatalog;
  return kCatalog;
}

struct RenderFixture {
  RenderFixture() {
    webhook.id = WebhookId{7};
    webhook.name = "NPS to Slack";
    webhook.events = {"survey.submitted"};
    destination.request.url = "https://api.example.com/v1/events";
    destination.signing.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  }

  void choose(std::string property, std::string as = "",
              std::optional<Missing> missing = std::nullopt) {
    webhook.properties.push_back(
        {.property = std::move(property), .as = std::move(as), .missing = missing});
  }
  void add_static(std::string name, Json value) {
    webhook.static_properties.push_back({.name = std::move(name), .value = std::move(value)});
  }
  void use_template(std::string_view json) {
    webhook.body.format = Body::Format::template_;
    auto parsed = parse_json(json);
    EILPOST_ASSERT(parsed.has_value());
    webhook.body.template_json = *std::move(parsed);
  }

  // REQUIRES: both compile.
  std::expected<OutboundRequest, RenderError> render() {
    problems = {};
    const auto compiled_webhook = compile(webhook, built_in_catalog(), zones, problems);
    const auto compiled_destination = compile(destination, zones, problems);
    if (!compiled_webhook || !compiled_destination) {
      ADD_FAILURE() << testing::PrintToString(lines_of(problems.errors));
      return std::unexpected(RenderError{.detail = "not compiled"});
    }
    return eilpost::render::render({.webhook = *compiled_webhook,
                                    .destination = *compiled_destination,
                                    .document = document,
                                    .delivery_id = "dlv_0000000000001-0",
                                    .attempt_at = attempt_at,
                                    .is_test = is_test},
                                   *scratch, options);
  }
  // REQUIRES: it can be rendered.
  std::string body() {
    auto rendered = render();
    EXPECT_TRUE(rendered.has_value()) << rendered.error().detail;
    return rendered ? rendered->body : "";
  }
  std::string url() {
    auto rendered = render();
    return rendered ? rendered->url : "error: " + rendered.error().detail;
  }
  // What an expression gives as JSON, alone in a template; "error: …" if it cannot be rendered.
  std::string value_of(std::string_view placeholder) {
    webhook.body.format = Body::Format::template_;
    webhook.body.template_json = Json::array({std::string(placeholder)});
    auto rendered = render();
    if (!rendered) return "error: " + rendered.error().detail;
    return rendered->body.substr(1, rendered->body.size() - 2);
  }
  // All problems as "code pointer: detail".
  std::vector<std::string> errors() {
    problems = {};
    (void)compile(webhook, built_in_catalog(), zones, problems);
    (void)compile(destination, zones, problems);
    return lines_of(problems.errors);
  }
  static std::vector<std::string> lines_of(const std::vector<Problem>& found) {
    std::vector<std::string> lines;
    for (const Problem& problem : found) {
      lines.push_back(problem.code + " " + problem.pointer + ": " + problem.detail);
    }
    return lines;
  }

  Webhook webhook;
  Destination destination;
  TimeZones zones;
  std::string document = make_document(kSampleData);
  WallTime attempt_at{std::chrono::milliseconds(1'795'510'801'999)};
  bool is_test = false;
  Options options;
  std::shared_ptr<Scratch> scratch = make_scratch();
  Problems problems;
};

}  // namespace eilpost::render
