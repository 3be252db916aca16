#include "admin/openapi.h"

#include <string>
#include <utility>

#include "admin/api.h"
#include "base/ascii.h"

namespace eilpost::admin {
namespace {

Json problem_answer() {
  return {
      {"description", "What is wrong, and what would be right (RFC 9457)."},
      {"content",
       {{"application/problem+json", {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

Json parameters_of(std::string_view path) {
  Json parameters = Json::array();
  for (std::size_t begin = path.find('{'); begin != std::string_view::npos;
       begin = path.find('{', begin + 1)) {
    const std::size_t end = path.find('}', begin);
    parameters.push_back({{"name", path.substr(begin + 1, end - begin - 1)},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

std::string operation_id(const Route& route) {
  std::string id = to_ascii_lower(http::to_string(route.method));
  for (const char c : route.path) {
    if (c == '/' || c == '-' || c == '.') id += '_';
    if (c != '/' && c != '-' && c != '.' && c != '{' && c != '}') id += c;
  }
  return id;
}

Json operation_of(const Route& route) {
  const bool has_body = route.method == http::Method::post || route.method == http::Method::put ||
                        route.method == http::Method::patch;
  Json operation = {
      {"operationId", operation_id(route)},
      {"summary", route.summary},
      {"parameters", parameters_of(route.path)},
      {"responses", {{"2XX", {{"description", "Done."}}}, {"4XX", problem_answer()}}}};
  if (has_body) {
    const char* type =
        route.method == http::Method::patch ? "application/merge-patch+json" : "application/json";
    operation["requestBody"] = {{"content", {{type, {{"schema", {{"type", "object"}}}}}}}};
  }
  return operation;
}

}  // namespace

Json openapi_document(std::string_view public_url) {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    const std::string path = "/api/v1/" + std::string(route.path);
    paths[path][to_ascii_lower(http::to_string(route.method))] = operation_of(route);
  }
  paths["/api/v1/stream"]["get"] = {
      {"operationId", "get_stream"},
      {"summary", "Follow events and attempts as they happen (server-sent events)"},
      {"responses",
       {{"200", {{"description", "A stream of events."}}}, {"4XX", problem_answer()}}}};
  paths["/api/v1/openapi.json"]["get"] = {
      {"operationId", "get_openapi"},
      {"summary", "This description; no key is needed"},
      {"security", Json::array()},
      {"responses", {{"200", {{"description", "OpenAPI 3.1."}}}}}};
  Json document = {{"openapi", "3.1.0"},
                   {"info", {{"title", "Eilpost management API"}, {"version", "1"}}},
                   {"security", Json::array({{{"apiKey", Json::array()}}})},
                   {"paths", std::move(paths)}};
  document["components"]["securitySchemes"]["apiKey"] = {{"type", "http"}, {"scheme", "bearer"}};
  document["components"]["schemas"]["Problem"] = {
      {"type", "object"},
      {"required", {"title", "status", "code", "detail"}},
      {"properties",
       {{"type", {{"type", "string"}}},
        {"title", {{"type", "string"}}},
        {"status", {{"type", "integer"}}},
        {"code", {{"type", "string"}}},
        {"detail", {{"type", "string"}}},
        {"errors", {{"type", "array"}, {"items", {{"type", "object"}}}}}}}};
  if (!public_url.empty()) {
    document["servers"] = Json::array({Json{{"url", public_url}}});
  }
  return document;
}

}  // namespace eilpost::admin
