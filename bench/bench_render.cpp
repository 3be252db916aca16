// What it costs to make a request from an event of 600 bytes: parsed, filled, signed.

#include <benchmark/benchmark.h>
#include <string>

#include "base/assert.h"
#include "model/json.h"
#include "render/renderer.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kDocument =
    R"({"event":{"id":"9f0c2b7e-5d1a-4c38-8e64-0b7f3a91d2c5","type":"survey.submitted",)"
    R"("name":"Survey submitted","time":"2026-11-24T09:00:00.123Z",)"
    R"("received_at":"2026-11-24T09:00:00.456Z"},"created_at":1795510800123,)"
    R"("data":{"sId":"s-7c1e90d4","oId":152605,)"
    R"("oName":"NPS Q4","answers":[{"id":7,"question":"How likely?","value":9}],"nps":9,)"
    R"("wm":{"euId":"u-48213","language":"de","platform":"web","env":0,)"
    R"("envName":"production","userVars":{"plan":"pro"}},)"
    R"("ctx":{"location":{"protocol":"https:","hostname":"app.example.com",)"
    R"("pathname":"/console/","search":""},"title":"Console","isIframe":false},)"
    R"("env":{"browser":{"name":"Chrome","version":"156"},"os":{"name":"Windows","version":"11"},)"
    R"("screen":{"width":1920,"height":1080},"mobile":false,"timezone":60}}})";

void run(benchmark::State& state, const Webhook& webhook, bool is_signed) {
  Destination destination;
  destination.request.url = "https://api.example.com/v1/events";
  if (is_signed) {
    destination.signing.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  } else {
    destination.signing.scheme = Signing::Scheme::none;
  }
  const Catalog catalog;
  Problems problems;
  const auto compiled_webhook = compile(webhook, catalog, problems);
  const auto compiled_destination = compile(destination, problems);
  EILPOST_ASSERT(problems.ok());
  const auto scratch = make_scratch();
  const Input input{.webhook = *compiled_webhook,
                    .destination = *compiled_destination,
                    .document = kDocument,
                    .delivery_id = "dlv_0000000000001-0",
                    .attempt_at = WallTime(std::chrono::seconds(1'795'510'800))};
  OutboundRequest request;
  std::size_t bytes = 0;
  for (auto _ : state) {
    EILPOST_ASSERT(render_into(input, *scratch, {}, request).has_value());
    bytes = request.body.size();
    benchmark::DoNotOptimize(request);
  }
  state.counters["body_bytes"] = static_cast<double>(bytes);
}

Webhook ten_properties() {
  Webhook webhook;
  webhook.events = {"survey.submitted"};
  for (const char* const path :
       {"event.id", "event.time", "wm.euId", "oId", "oName", "nps", "wm.language",
        "wm.userVars.plan", "ctx.location.hostname", "env.browser.name"}) {
    webhook.properties.push_back({.property = path, .as = "", .missing = std::nullopt});
  }
  return webhook;
}

void BM_RenderFlat(benchmark::State& state) {
  run(state, ten_properties(), /*is_signed=*/true);
}
BENCHMARK(BM_RenderFlat);

void BM_RenderFlatUnsigned(benchmark::State& state) {
  run(state, ten_properties(), /*is_signed=*/false);
}
BENCHMARK(BM_RenderFlatUnsigned);

void BM_RenderNested(benchmark::State& state) {
  Webhook webhook = ten_properties();
  webhook.body.format = Body::Format::nested;
  run(state, webhook, /*is_signed=*/true);
}
BENCHMARK(BM_RenderNested);

void BM_RenderAll(benchmark::State& state) {
  Webhook webhook;
  webhook.events = {"survey.submitted"};
  run(state, webhook, /*is_signed=*/true);
}
BENCHMARK(BM_RenderAll);

void BM_RenderTemplate(benchmark::State& state) {
  Webhook webhook = ten_properties();
  webhook.body.format = Body::Format::template_;
  webhook.body.template_json =
      Json{{"text", "*{{oName}}*: {{wm.euId | upper}} gave {{nps}}"},
           {"blocks", Json::array({Json{{"type", "section"}, {"n", "{{nps}}"}}})},
           {"...", "{{properties}}"}};
  run(state, webhook, /*is_signed=*/true);
}
BENCHMARK(BM_RenderTemplate);

}  // namespace
}  // namespace eilpost::render
