// What it costs to read the properties of an event and to find the webhooks that want it.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <map>
#include <string>

#include "base/assert.h"
#include "match/matcher.h"

namespace {

using namespace eilpost;
using namespace eilpost::match;

// As ingest writes it, about 850 bytes.
constexpr std::string_view kEvent =
    R"({"event":{"id":"9f0c2f4e-6a0f-4a87-9a51-6f7e0f9a2c11","type":"survey.submitted",)"
    R"("name":"Survey submitted","time":"2026-11-24T09:00:00.123Z",)"
    R"("received_at":"2026-11-24T09:00:00.245Z"},"created_at":1795510800123,"data":{)"
    R"("sId":"s-1f2e3d","oId":77,"oName":"NPS Q4","answers":[)"
    R"({"id":7,"question":"How likely are you to recommend us?","value":9},)"
    R"({"id":8,"question":"Why?","value":"It just works"}],"nps":9,)"
    R"("wm":{"euId":"u-123456","euIdSource":"cookie","language":"de","platform":"web","env":0,)"
    R"("envName":"production","userVars":{"plan":"pro","seats":25}},)"
    R"("ctx":{"location":{"protocol":"https:","hostname":"app.example.com",)"
    R"("pathname":"/console/","search":""},"title":"Console","isIframe":false},)"
    R"("env":{"browser":{"name":"Chrome","version":"156"},"os":{"name":"Windows","version":"11"},)"
    R"("screen":{"width":1920,"height":1080},"mobile":false,"timezone":60}}})";

void parse_document(benchmark::State& state) {
  simdjson::dom::parser parser;
  for (auto _ : state) {
    auto document = EventDocument::parse(parser, kEvent);
    benchmark::DoNotOptimize(document);
  }
}
BENCHMARK(parse_document);

void walk_ten_paths(benchmark::State& state) {
  simdjson::dom::parser parser;
  const auto document = EventDocument::parse(parser, kEvent);
  PropertyTrie trie;
  std::size_t last = 0;
  for (const std::string_view path :
       {"oId", "nps", "wm.language", "wm.euId", "wm.userVars.plan", "ctx.title",
        "ctx.location.hostname", "env.browser.name", "answers.0.value", "event.time"}) {
    last = trie.add(*PropertyPath::parse(path));
  }
  PropertyValues values;
  for (auto _ : state) {
    trie.walk(*document, values);
    benchmark::DoNotOptimize(values.value(last));
  }
}
BENCHMARK(walk_ten_paths);

Condition comparison(std::string property, Operator op, Json value) {
  return {.kind = Condition::Kind::compare,
          .property = std::move(property),
          .op = op,
          .value = std::move(value)};
}

// Each wants another guidance item (`oId`); the event is about the one of number 77.
std::vector<std::shared_ptr<const Candidate>> candidates_of(std::int64_t count) {
  const Catalog catalog;
  std::vector<std::shared_ptr<const Candidate>> candidates;
  for (std::int64_t i = 0; i < count; ++i) {
    Webhook webhook;
    webhook.events = {"survey.submitted"};
    webhook.conditions =
        Condition{.kind = Condition::Kind::all,
                  .children = {comparison("wm.language", Operator::is, "de"),
                               comparison("oId", Operator::is, i == 0 ? 77 : 1000 + i),
                               comparison("nps", Operator::greater_or_equal, 9)}};
    Problems problems;
    auto conditions = compile(webhook, catalog, problems);
    EILPOST_ASSERT(conditions != nullptr);
    candidates.push_back(
        std::make_shared<Candidate>(Candidate{.webhook = WebhookId{static_cast<std::uint64_t>(i)},
                                              .environments = {EnvironmentId::production},
                                              .types = {"survey.submitted"},
                                              .conditions = std::move(conditions)}));
  }
  return candidates;
}

const std::vector<std::shared_ptr<const Candidate>>& kept_candidates(std::int64_t count) {
  static std::map<std::int64_t, std::vector<std::shared_ptr<const Candidate>>> kept;
  auto& candidates = kept[count];
  if (candidates.empty()) candidates = candidates_of(count);
  return candidates;
}

// One of `range` webhooks wants the event.
void match_one_of(benchmark::State& state) {
  const auto matcher = Matcher::build(kept_candidates(state.range()), nullptr);
  simdjson::dom::parser parser;
  const auto document = EventDocument::parse(parser, kEvent);
  Scratch scratch;
  std::vector<Owed> owed;
  for (auto _ : state) {
    owed.clear();
    matcher->match(EnvironmentId::production, "survey.submitted", *document, scratch, owed);
    EILPOST_ASSERT(owed.size() == 1);
  }
  state.counters["evaluated"] = benchmark::Counter(static_cast<double>(scratch.evaluated_count),
                                                   benchmark::Counter::kAvgIterations);
}
BENCHMARK(match_one_of)->Arg(1)->Arg(100)->Arg(100'000);

void build_matcher(benchmark::State& state) {
  const auto& candidates = kept_candidates(state.range());
  for (auto _ : state) {
    auto matcher = Matcher::build(candidates, nullptr);
    benchmark::DoNotOptimize(matcher);
  }
}
BENCHMARK(build_matcher)->Arg(100'000)->Unit(benchmark::kMillisecond);

}  // namespace
