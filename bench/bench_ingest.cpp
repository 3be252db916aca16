// What it costs to take one event of the usual size, and a batch of them.

#include <benchmark/benchmark.h>
#include <string>

#include "crypto/token.h"
#include "ingest/ingest.h"

namespace eilpost::ingest {
namespace {

// 600 bytes, as a browser sends it.
constexpr std::string_view kEvent =
    R"({"id":"9f0c2b7e-5d1a-4c38-8e64-0b7f3a91d2c5","type":"survey.submitted",)"
    R"("time":"2026-11-24T09:00:00.123Z","data":{"sId":"s-7c1e90d4","oId":152605,)"
    R"("oName":"NPS Q4","answers":[{"id":7,"question":"How likely?","value":9}],"nps":9,)"
    R"("wm":{"euId":"u-48213","language":"de","platform":"web","userVars":{"plan":"pro"}},)"
    R"("ctx":{"location":{"protocol":"https:","hostname":"app.example.com",)"
    R"("pathname":"/console/","search":""},"title":"Console","isIframe":false},)"
    R"("env":{"browser":{"name":"Chrome","version":"156"},"os":{"name":"Windows","version":"11"},)"
    R"("screen":{"width":1920,"height":1080},"mobile":false,"timezone":60}}})";

Sources make_sources() {
  Source source;
  source.id = SourceId{1};
  source.key_hash = crypto::hash_token("src_bench");
  source.environment_name = "production";
  return Sources({source});
}

void take(benchmark::State& state, const std::string& body) {
  Ingest ingest({}, 1);
  const Sources sources = make_sources();
  const Catalog catalog;
  http::Request request;
  request.method = http::Method::post;
  request.target = "/v1/events";
  request.headers = {{.name = "Host", .value = "127.0.0.1:8080"},
                     {.name = "Authorization", .value = "Bearer src_bench"},
                     {.name = "Content-Type", .value = "application/json"}};
  request.body = body;
  const Now now{.instant = {}, .wall = WallTime(std::chrono::milliseconds(1795510800000))};
  std::size_t events_count = 0;
  for (auto _ : state) {
    auto taken = ingest.take(request, {}, sources, catalog, now);
    if (!taken) {
      state.SkipWithError(taken.error().detail.c_str());
      return;
    }
    events_count += taken->events.size();
    benchmark::DoNotOptimize(taken->events.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(events_count));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void ingest_one(benchmark::State& state) {
  take(state, std::string(kEvent));
}
BENCHMARK(ingest_one);

void ingest_batch(benchmark::State& state) {
  std::string body = "[";
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    if (i > 0) body += ',';
    body += kEvent;
  }
  take(state, body + "]");
}
BENCHMARK(ingest_batch)->Arg(20)->Arg(500);

}  // namespace
}  // namespace eilpost::ingest
