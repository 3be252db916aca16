// The answers to senders of events.

#include <algorithm>
#include <chrono>

#include "http/message.h"
#include "ingest/ingest.h"
#include "model/json_text.h"

namespace eilpost::ingest {
namespace {

constexpr std::string_view kAllowedMethods = "POST, OPTIONS";
constexpr std::string_view kDefaultAllowedHeaders =
    "authorization, content-type, content-encoding, eilpost-sent-at";
constexpr std::string_view kPreflightSeconds = "86400";

void append_problem(std::string& out, const Problem& problem) {
  out += R"({"code":)";
  append_json_string(out, problem.code);
  out += R"(,"detail":)";
  append_json_string(out, problem.detail);
  out += R"(,"pointer":)";
  append_json_string(out, problem.pointer);
  if (problem.index) {
    out += R"(,"index":)";
    append_json_integer(out, *problem.index);
  }
  out += '}';
}

void append_problems(std::string& out, const std::vector<Problem>& problems) {
  out += '[';
  for (const Problem& problem : problems) {
    if (&problem != &problems.front()) out += ',';
    append_problem(out, problem);
  }
  out += ']';
}

// The headers that a page asks to send, if they are a list of names; else those that we know.
std::string_view allowed_headers(const http::Request& request) {
  const auto asked = http::find_header(request.headers, "access-control-request-headers");
  if (!asked || asked->empty()) return kDefaultAllowedHeaders;
  const bool is_list = std::ranges::all_of(
      *asked, [](char c) { return c == ',' || c == ' ' || http::is_token({&c, 1}); });
  return is_list ? *asked : kDefaultAllowedHeaders;
}

}  // namespace

http::Response accepted_response(std::size_t accepted, std::size_t duplicates,
                                 const std::vector<Problem>& rejected) {
  http::Response response;
  response.status = 202;
  response.headers.push_back({.name = "Content-Type", .value = "application/json"});
  std::string& body = response.body;
  body += R"({"accepted":)";
  append_json_integer(body, accepted);
  body += R"(,"duplicates":)";
  append_json_integer(body, duplicates);
  if (!rejected.empty()) {
    body += R"(,"rejected":)";
    append_problems(body, rejected);
  }
  body += '}';
  return response;
}

http::Response refusal_response(const Refusal& refusal) {
  http::Response response;
  response.status = refusal.status;
  response.headers.push_back({.name = "Content-Type", .value = "application/problem+json"});
  if (refusal.status == 401) {
    response.headers.push_back({.name = "WWW-Authenticate", .value = "Bearer"});
  }
  if (refusal.status == 405) {
    response.headers.push_back({.name = "Allow", .value = std::string(kAllowedMethods)});
  }
  if (refusal.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*refusal.retry_after).count();
    response.headers.push_back(
        {.name = "Retry-After", .value = std::to_string(std::max<std::int64_t>(seconds, 1))});
  }
  std::string& body = response.body;
  body += R"({"type":"about:blank","title":)";
  append_json_string(body, http::reason_of(refusal.status));
  body += R"(,"status":)";
  append_json_integer(body, refusal.status);
  body += R"(,"code":)";
  append_json_string(body, refusal.code);
  body += R"(,"detail":)";
  append_json_string(body, refusal.detail);
  body += R"(,"errors":)";
  append_problems(body, refusal.errors);
  body += '}';
  return response;
}

http::Headers Ingest::cors_headers(const http::Request& request, const Sources& sources) const {
  http::Headers headers;
  const auto origin = http::find_header(request.headers, "origin");
  if (!origin || !sources.allows_origin(request, *origin)) return headers;
  headers.push_back({.name = "Access-Control-Allow-Origin", .value = std::string(*origin)});
  headers.push_back({.name = "Access-Control-Expose-Headers", .value = "Retry-After"});
  headers.push_back({.name = "Vary", .value = "Origin"});
  return headers;
}

http::Response Ingest::preflight(const http::Request& request, const Sources& sources) const {
  const auto origin = http::find_header(request.headers, "origin");
  if (origin && !sources.allows_origin(request, *origin)) {
    return refusal_response(
        {.status = 403,
         .code = "origin_not_allowed",
         .detail = "No source takes events from browsers on pages of this origin.",
         .errors = {},
         .retry_after = {}});
  }
  http::Response response;
  response.status = 204;
  if (!origin) {
    response.headers.push_back({.name = "Allow", .value = std::string(kAllowedMethods)});
    return response;
  }
  response.headers = {
      {.name = "Access-Control-Allow-Origin", .value = std::string(*origin)},
      {.name = "Access-Control-Allow-Methods", .value = "POST"},
      {.name = "Access-Control-Allow-Headers", .value = std::string(allowed_headers(request))},
      {.name = "Access-Control-Max-Age", .value = std::string(kPreflightSeconds)},
      {.name = "Vary", .value = "Origin, Access-Control-Request-Headers"},
  };
  if (http::find_header(request.headers, "access-control-request-private-network") == "true") {
    response.headers.push_back({.name = "Access-Control-Allow-Private-Network", .value = "true"});
  }
  return response;
}

}  // namespace eilpost::ingest
