#pragma once
// A little world for tests of ingest: sources, a moment, requests by parts.

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "base/iso_time.h"
#include "crypto/token.h"
#include "ingest/ingest.h"
#include "model/json.h"

namespace eilpost::ingest {

struct TestWorld {
  static Source make_source(std::uint64_t id, std::string_view key) {
    Source source;
    source.id = SourceId{id};
    source.name = key;
    source.key_hash = crypto::hash_token(key);
    source.environment = EnvironmentId::production;
    source.environment_name = "production";
    return source;
  }

  static std::vector<Source> make_sources() {
    std::vector<Source> sources = {make_source(1, "src_any"), make_source(2, "src_server"),
                                   make_source(3, "src_shop"), make_source(4, "src_off")};
    sources[0].environment = EnvironmentId::test;
    sources[0].environment_name = "test";
    sources[1].allowed_origins = std::vector<std::string>{};
    sources[2].allowed_origins = std::vector<std::string>{"https://shop.example"};
    sources[3].enabled = false;
    return sources;
  }

  static http::Request post(std::string_view body, http::Headers headers = {}) {
    http::Request request;
    request.method = http::Method::post;
    request.target = "/v1/events";
    request.headers = {{.name = "Authorization", .value = "Bearer src_any"}};
    request.headers.insert(request.headers.end(), headers.begin(), headers.end());
    request.body = body;
    return request;
  }

  std::expected<Taken, Refusal> take(const http::Request& request) {
    return ingest.take(request, client, sources, catalog, now);
  }
  std::expected<Taken, Refusal> take(std::string_view body, http::Headers headers = {}) {
    return take(post(body, std::move(headers)));
  }
  // The document of the only event. Null if it was not taken.
  Json document(std::string_view body, http::Headers headers = {}) {
    const auto taken = take(body, std::move(headers));
    if (!taken || taken->events.size() != 1) return nullptr;
    return parse_json(taken->events.front().document).value_or(nullptr);
  }

  Sources sources{make_sources()};
  Catalog catalog;
  env::Endpoint client{.address = {.is_v6 = false, .bytes = {203, 0, 113, 7}}, .port = 40'000};
  Now now{.instant = Instant(std::chrono::hours(1)),
          .wall = parse_iso_time("2026-11-24T09:00:10.000Z").value()};
  Ingest ingest{Limits{}, /*seed=*/1};
};

}  // namespace eilpost::ingest
