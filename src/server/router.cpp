#include "server/router.h"

#include <fmt/format.h>
#include <utility>

#include "model/limits.h"
#include "server/inbox_page.h"

namespace eilpost::server {
namespace {

constexpr std::string_view kEventsPath = "/v1/events";
constexpr std::string_view kOAuthCallbackPath = "/oauth/callback";
constexpr std::string_view kInboxPrefix = "/inbox/";
constexpr std::size_t kInboxTokenBytesMax = 64;

http::Response text_response(int status, std::string body) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = std::move(body)};
}

http::Response problem_response(int status, std::string_view code, std::string_view detail) {
  return http::problem_response({.status = status, .code = code, .detail = detail});
}

http::Response method_not_allowed(std::string_view allowed) {
  http::Response response = problem_response(405, "method_not_allowed",
                                             fmt::format("This path answers {} only.", allowed));
  response.headers.push_back({"Allow", std::string(allowed)});
  return response;
}

bool reads(http::Method method) {
  return method == http::Method::get || method == http::Method::head;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

Task<void> Router::handle(const http::Request& request, const env::Endpoint& client,
                          http::Responder& responder) {
  const std::string_view path = http::path_of(request.target);
  if (path == kEventsPath) {
    if (request.method == http::Method::post || request.method == http::Method::options) {
      co_await parts_.pipeline.post_events(lane_, request, client, responder);
      co_return;
    }
    http::Response refusal = refuse(request, {.status = 405,
                                              .code = "method_not_allowed",
                                              .detail = "This path answers POST, OPTIONS only."});
    (void)co_await responder.respond(std::move(refusal));
    co_return;
  }
  if (is_below(path, "/api/v1")) {
    co_await parts_.admin.handle(lane_, request, client, responder);
    co_return;
  }
  if (path == kOAuthCallbackPath && request.method == http::Method::get) {
    http::Response page =
        co_await parts_.admin.finish_authorization(lane_, http::query_of(request.target));
    (void)co_await responder.respond(std::move(page));
    co_return;
  }
  http::Response response = answer(request, path);
  (void)co_await responder.respond(std::move(response));
}

http::Response Router::refuse(const http::Request& request, const http::Refused& refused) {
  if (http::path_of(request.target) != kEventsPath) return http::problem_response(refused);
  return parts_.pipeline.refuse_events(lane_, request, refused);
}

http::Response Router::answer(const http::Request& request, std::string_view path) {
  if (path.starts_with(kInboxPrefix)) return answer_inbox(request, path);
  // GET is answered elsewhere.
  if (path == kOAuthCallbackPath) return method_not_allowed("GET");
  const bool is_known =
      path == "/" || path == "/healthz" || path == "/readyz" || path == "/metrics";
  if (!is_known) {
    return problem_response(404, "not_found",
                            "There is nothing here. Events go to POST /v1/events, the management "
                            "API is at /api/v1, described at /api/v1/openapi.json.");
  }
  if (!reads(request.method)) return method_not_allowed("GET, HEAD");
  if (path == "/healthz") return text_response(200, "ok\n");
  if (path == "/readyz") {
    if (!parts_.readiness.is_ready()) return text_response(503, "not ready\n");
    if (parts_.store.is_full()) {
      return text_response(503, "not ready: the disk is full, events are refused\n");
    }
    return text_response(200, "ok\n");
  }
  if (path == "/metrics") {
    return {.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}},
            .body = parts_.metrics.text()};
  }
  return text_response(
      200,
      "Eilpost sends product-usage events to third parties by webhook.\n"
      "Send events to POST /v1/events. The management API is at /api/v1, described "
      "at /api/v1/openapi.json.\n");
}

http::Response Router::answer_inbox(const http::Request& request, std::string_view path) {
  std::string_view token = path.substr(kInboxPrefix.size());
  token = token.substr(0, token.find('/'));
  if (token.empty() || token.size() > kInboxTokenBytesMax || !parts_.inbox.is_open(token)) {
    return problem_response(404, "not_found", "There is no such inbox.");
  }
  if (reads(request.method)) return inbox_page(request, token, parts_.inbox.list(token));
  if (request.body.size() > limits::kInboxBodyBytesMax) {
    return problem_response(413, "request_too_large", "The inbox takes 64 KiB a request.");
  }
  if (!parts_.inbox.admit(token, parts_.loop.clock().now())) {
    http::Response response =
        problem_response(429, "rate_limited", "The inbox takes 20 requests a second.");
    response.headers.push_back({"Retry-After", "1"});
    return response;
  }
  const pipeline::InboxAnswer answer =
      parts_.inbox.put(token, {.received_at = parts_.loop.clock().wall_now(),
                               .is_from_outside = true,
                               .method = std::string(http::to_string(request.method)),
                               .target = request.target,
                               .headers = request.headers,
                               .body = request.body});
  return text_response(answer.status, answer.body);
}

}  // namespace eilpost::server
