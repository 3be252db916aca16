// Requests with any body: whatever comes, an answer is made; what is taken is a canonical document;
// with ?partial=1 at least as much is taken.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "crypto/token.h"
#include "ingest/ingest.h"
#include "model/event_document.h"
#include "model/json.h"

namespace {

using namespace eilpost;

constexpr std::string_view kKey = "src_fuzz";

ingest::Sources make_sources() {
  Source source;
  source.id = SourceId{1};
  source.key_hash = crypto::hash_token(kKey);
  source.environment_name = "production";
  return ingest::Sources({source});
}

// How many events were taken; nothing if the request was refused.
std::optional<std::size_t> send(std::string_view body, std::string_view type, bool is_partial) {
  static ingest::Ingest ingest({}, 1);
  static const ingest::Sources sources = make_sources();
  static const Catalog catalog;
  static simdjson::dom::parser parser;
  http::Request request;
  request.method = http::Method::post;
  request.target = "/v1/events?key=" + std::string(kKey) + (is_partial ? "&partial=1" : "");
  request.headers = {{.name = "content-type", .value = std::string(type)}};
  if (type == "application/json;binary") {
    request.headers.push_back({.name = "ce-type", .value = "survey.submitted"});
  }
  request.body = body;
  const auto taken = ingest.take(request, {}, sources, catalog, {});
  if (!taken) {
    const http::Response response = ingest::refusal_response(taken.error());
    EILPOST_ASSERT(response.status >= 400);
    EILPOST_ASSERT(parse_json(response.body).has_value());
    return std::nullopt;
  }
  for (const Event& event : taken->events) {
    EILPOST_ASSERT(EventDocument::parse(parser, event.document).has_value());
    EILPOST_ASSERT(catalog.find(event.type) != nullptr);
    EILPOST_ASSERT(!event.id.empty());
  }
  const http::Response response =
      ingest::accepted_response(taken->events.size(), 0, taken->rejected);
  EILPOST_ASSERT(parse_json(response.body).has_value());
  return taken->events.size();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const std::string_view type :
       {"application/json", "application/x-ndjson", "application/json;binary"}) {
    const auto whole = send(body, type, /*is_partial=*/false);
    const auto partial = send(body, type, /*is_partial=*/true);
    EILPOST_ASSERT(!whole || whole == partial);
  }
  return 0;
}
