#include <fmt/format.h>

#include "http/percent.h"
#include "model/limits.h"
#include "render/compiled.h"
#include "render/headers.h"
#include "render/renderer.h"
#include "render/url.h"

namespace eilpost::render {
namespace {

// The inbox is delivered in the process; its requests show a URL that no network can reach.
std::string inbox_url(const Destination& destination) {
  return "http://inbox.invalid/inbox/" + http::encode_path_segment(destination.inbox_token);
}

}  // namespace

std::shared_ptr<const CompiledDestination> compile(const Destination& destination, TimeZones& zones,
                                                   Problems& problems, Rules rules) {
  const std::size_t errors_before = problems.errors.size();
  auto compiled = std::make_shared<CompiledDestination>();
  compiled->method = destination.request.method;
  const TemplateScope scope{
      .trie = compiled->trie, .zones = zones, .has_earlier = rules == Rules::earlier};
  if (destination.platform == "inbox" && destination.request.url.empty()) {
    UrlTemplate::Piece piece;
    piece.literal = inbox_url(destination);
    compiled->url.pieces.push_back(std::move(piece));
  } else if (destination.request.url.size() > limits::kOutboundUrlBytesMax) {
    problems.error("bad_url",
                   fmt::format("A URL has at most {} bytes.", limits::kOutboundUrlBytesMax),
                   "/request/url");
  } else {
    compiled->url = compile_url(destination.request.url, scope, "/request/url", problems);
  }
  compile_headers(destination, scope, *compiled, problems);
  compile_authentication(destination.authentication, *compiled, problems);
  compile_signing(destination.signing, *compiled, problems);
  if (problems.errors.size() > errors_before) return nullptr;
  return compiled;
}

std::shared_ptr<const CompiledDestination> compile(const Destination& destination,
                                                   Problems& problems) {
  TimeZones utc_only;
  return compile(destination, utc_only, problems);
}

}  // namespace eilpost::render
