// Templates of any text over a fixed event: whatever parses renders without a crash, twice the
// same, and into valid JSON; a URL keeps its host.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "model/json.h"
#include "render/renderer.h"

namespace {

using namespace eilpost;

constexpr std::string_view kDocument =
    R"({"event":{"id":"e","type":"survey.submitted","time":"2026-11-24T09:00:00.123Z"},)"
    R"("created_at":1795510800123,"data":{"a":"x\"\n\u2028ä","n":9,"d":0.5,"b":true,"e":"",)"
    R"("o":{"p":"q","r":{"s":1}},"l":[1,"two",{"v":3,"a":null}],"wm":{"euId":"u/../1"}}})";

std::string render_once(const Webhook& webhook, const Destination& destination, bool& rendered) {
  static const Catalog catalog;
  static const auto scratch = render::make_scratch();
  Problems problems;
  const auto compiled_webhook = render::compile(webhook, catalog, problems);
  const auto compiled_destination = render::compile(destination, problems);
  rendered = false;
  if (!compiled_webhook || !compiled_destination) {
    EILPOST_ASSERT(!problems.ok());
    return {};
  }
  const auto request = render::render({.webhook = *compiled_webhook,
                                       .destination = *compiled_destination,
                                       .document = kDocument,
                                       .delivery_id = "d",
                                       .attempt_at = WallTime(std::chrono::seconds(1'795'510'800))},
                                      *scratch);
  if (!request) {
    EILPOST_ASSERT(!request.error().detail.empty());
    return request.error().detail;
  }
  rendered = true;
  EILPOST_ASSERT(request->url.starts_with("https://a.example/"));
  for (const OutboundHeader& header : request->headers) {
    EILPOST_ASSERT(header.value.find_first_of("\r\n") == std::string::npos);
  }
  EILPOST_ASSERT(parse_json(request->body, 200).has_value());
  return request->url + request->body;
}

void check(const Webhook& webhook, const Destination& destination) {
  bool rendered = false;
  const std::string first = render_once(webhook, destination, rendered);
  EILPOST_ASSERT(render_once(webhook, destination, rendered) == first);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!is_valid_utf8(text)) return 0;
  Webhook webhook;
  webhook.events = {"survey.submitted"};
  webhook.properties = {{.property = "n", .as = "x.n", .missing = {}},
                        {.property = "o.*", .as = "y.*", .missing = Missing::null}};
  Destination destination;
  destination.request.url = "https://a.example/x";
  destination.signing.scheme = Signing::Scheme::none;

  Webhook in_static = webhook;
  in_static.static_properties = {{.name = "s", .value = text}};
  check(in_static, destination);

  Webhook in_body = webhook;
  in_body.body.format = Body::Format::template_;
  auto json = parse_json(text);
  in_body.body.template_json =
      json ? *std::move(json) : Json{{"t", text}, {"...", "{{properties}}"}, {"l", {text, 1}}};
  check(in_body, destination);

  Destination in_url = destination;
  in_url.request.url = "https://a.example/p/" + text;
  in_url.request.headers = {{.name = "X-T", .value = text}};
  check(webhook, in_url);
  return 0;
}
