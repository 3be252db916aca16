#include "admin/openapi.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "admin/api.h"
#include "admin/openapi_schemas.h"
#include "base/ascii.h"
#include "base/assert.h"

namespace eilpost::admin {
namespace {

using http::Method;

// What the table of routes does not say: a name for programs, and the schemas.
struct Operation {
  Method method;
  std::string_view path;
  std::string_view id;
  int status = 200;
  std::string_view answer;     // of openapi_schemas.h; empty: none
  std::string_view body = {};  // a schema's name; empty: the fields that the route takes
};

constexpr Operation kOperations[] = {
    {Method::get, "event-types", "listEventTypes", 200, "#EventTypePage"},
    {Method::post, "event-types", "createEventType", 201, "#EventType", "#EventTypeDraft"},
    {Method::get, "event-types/{code}", "getEventType", 200, "#EventType"},
    {Method::patch, "event-types/{code}", "updateEventType", 200, "#EventType", "#EventTypeChange"},
    {Method::delete_, "event-types/{code}", "deleteEventType", 204, ""},
    {Method::get, "event-types/{code}/properties", "listSeenProperties", 200, "page #SeenProperty"},
    {Method::get, "event-types/{code}/values", "listSeenValues", 200, "page #SeenValue"},
    {Method::get, "items", "listItems", 200, "page #Item"},
    {Method::post, "items", "createItem", 201, "#Item"},
    {Method::get, "environments", "listEnvironments", 200, "page #Environment"},
    {Method::post, "environments", "createEnvironment", 201, "#Environment"},
    {Method::get, "environments/{name}", "getEnvironment", 200, "#Environment"},
    {Method::delete_, "environments/{name}", "deleteEnvironment", 204, ""},
    {Method::get, "sources", "listSources", 200, "page #Source"},
    {Method::post, "sources", "createSource", 201, "#SourceWithKey", "#SourceDraft"},
    {Method::get, "sources/{id}", "getSource", 200, "#Source"},
    {Method::patch, "sources/{id}", "updateSource", 200, "#Source", "#SourceChange"},
    {Method::delete_, "sources/{id}", "deleteSource", 204, ""},
    {Method::post, "sources/{id}/rotate-key", "rotateSourceKey", 200, "#SourceWithKey"},
    {Method::get, "webhooks", "listWebhooks", 200, "page #Webhook"},
    {Method::post, "webhooks", "createWebhook", 201, "#Webhook", "#WebhookDraft"},
    {Method::post, "webhooks/preview", "previewDraft", 200, "#Preview"},
    {Method::post, "webhooks/test", "testDraft", 200, "#TestResult"},
    {Method::get, "webhooks/{id}", "getWebhook", 200, "#Webhook"},
    {Method::put, "webhooks/{id}", "replaceWebhook", 200, "#Webhook", "#WebhookDraft"},
    {Method::patch, "webhooks/{id}", "updateWebhook", 200, "#Webhook", "#WebhookChange"},
    {Method::delete_, "webhooks/{id}", "deleteWebhook", 204, ""},
    {Method::get, "webhooks/{id}/versions", "listWebhookVersions", 200, "page #WebhookVersion"},
    {Method::post, "webhooks/{id}/preview", "previewWebhook", 200, "#Preview"},
    {Method::post, "webhooks/{id}/test", "testWebhook", 200, "#TestResult"},
    {Method::post, "webhooks/{id}/backfill", "backfillWebhook", 200, "#Backfilled"},
    {Method::get, "platforms", "listPlatforms", 200, "page #Platform"},
    {Method::get, "destinations", "listDestinations", 200, "page #Destination"},
    {Method::post, "destinations", "createDestination", 201, "#Destination", "#DestinationDraft"},
    {Method::get, "destinations/{id}", "getDestination", 200, "#Destination"},
    {Method::patch, "destinations/{id}", "updateDestination", 200, "#Destination",
     "#DestinationChange"},
    {Method::delete_, "destinations/{id}", "deleteDestination", 204, ""},
    {Method::get, "destinations/{id}/versions", "listDestinationVersions", 200,
     "page #DestinationVersion"},
    {Method::post, "destinations/{id}/test", "testDestination", 200, "#TestResult"},
    {Method::post, "destinations/{id}/resume", "resumeDestination", 200, "#Destination"},
    {Method::post, "destinations/{id}/disable", "disableDestination", 200, "#Destination"},
    {Method::post, "destinations/{id}/authorize", "authorizeDestination", 200,
     "#AuthorizationPage"},
    {Method::post, "destinations/{id}/rotate-secret", "rotateDestinationSecret", 200,
     "#Destination"},
    {Method::get, "destinations/{id}/inbox", "listInboxRequests", 200, "#InboxPage"},
    {Method::delete_, "destinations/{id}/inbox", "clearInbox", 204, ""},
    {Method::put, "destinations/{id}/inbox-answer", "setInboxAnswer", 200, "#InboxAnswer"},
    {Method::get, "events", "listEvents", 200, "page #Event"},
    {Method::get, "events/{sequence}", "getEvent", 200, "#Event"},
    {Method::get, "deliveries", "listDeliveries", 200, "page #Delivery"},
    {Method::post, "deliveries/replay", "replayDeliveries", 200, "#ReplayedMany"},
    {Method::get, "deliveries/{id}", "getDelivery", 200, "#Delivery"},
    {Method::get, "deliveries/{id}/attempts", "listAttempts", 200, "page #Attempt"},
    {Method::post, "deliveries/{id}/replay", "replayDelivery", 201, "#Replayed"},
    {Method::get, "tests", "listTests", 200, "page #Test"},
    {Method::get, "api-keys", "listApiKeys", 200, "page #ApiKey"},
    {Method::post, "api-keys", "createApiKey", 201, "#ApiKeyWithKey", "#ApiKeyDraft"},
    {Method::delete_, "api-keys/{id}", "deleteApiKey", 204, ""},
    {Method::get, "audit-log", "listAuditLog", 200, "page #AuditEntry"},
    {Method::get, "stats", "getStats", 200, "#Stats"},
};

const Operation& operation_of(const Route& route) {
  const auto* const found = std::ranges::find_if(kOperations, [&](const Operation& each) {
    return each.method == route.method && each.path == route.path;
  });
  EILPOST_ASSERT(found != std::end(kOperations));
  return *found;
}

bool is_change(Method method) {
  return method == Method::put || method == Method::patch || method == Method::delete_;
}

Json content(std::string_view type, Json schema) {
  Json json = Json::object();
  json[std::string(type)]["schema"] = std::move(schema);
  return json;
}

Json parameter(std::string_view name, const char* place, Json schema, std::string_view description,
               bool is_required = false) {
  Json json = {{"name", name}, {"in", place}, {"schema", std::move(schema)}};
  if (is_required) json["required"] = true;
  if (!description.empty()) json["description"] = description;
  return json;
}

Json schema_of(const QueryParameter& parameter) {
  if (!parameter.values.empty()) return {{"type", "string"}, {"enum", parameter.values}};
  switch (parameter.type) {
    case ParameterType::text:
      return expand_schema("string");
    case ParameterType::integer:
      return {{"type", "integer"}, {"minimum", 0}};
    case ParameterType::time:
      return expand_schema("time");
  }
  assert_failed("unknown ParameterType");
}

Json parameters_of(const Route& route) {
  Json list = Json::array();
  std::string_view rest = route.path;
  while (rest.contains('{')) {
    rest.remove_prefix(rest.find('{') + 1);
    list.push_back(
        parameter(rest.substr(0, rest.find('}')), "path", expand_schema("string"), "", true));
  }
  for (const QueryParameter& each : query_parameters(route.takes)) {
    list.push_back(
        parameter(each.name, "query", schema_of(each), each.description, each.is_required));
  }
  if (route.method == Method::post) {
    list.push_back(parameter("Idempotency-Key", "header", expand_schema("string"),
                             "A second request with it gets the answer of the first."));
  }
  if (route.takes.has_etag && is_change(route.method)) {
    list.push_back(parameter("If-Match", "header", expand_schema("string"),
                             "The ETag that the change is made to; 412 if it is another now."));
  }
  return list;
}

Json fields_schema(std::span<const BodyField> fields) {
  Json text = Json::object();
  for (const BodyField& field : fields) {
    std::string what(field.type.empty() ? "any" : field.type);
    if (!field.description.empty()) what.append(": ").append(field.description);
    text[std::string(field.name) + (field.is_required ? "" : "?")] = std::move(what);
  }
  return expand_schema(text);
}

// Nothing: the route takes no body.
Json request_body_of(const Route& route, const Operation& operation) {
  const bool is_patch = route.method == Method::patch;
  const char* type = is_patch ? "application/merge-patch+json" : "application/json";
  if (!operation.body.empty()) {
    return {{"required", true}, {"content", content(type, expand_schema(operation.body))}};
  }
  const auto& fields = route.takes.body;
  if (!fields || fields->empty()) return nullptr;
  const bool is_required = std::ranges::any_of(*fields, &BodyField::is_required);
  return {{"required", is_required}, {"content", content(type, fields_schema(*fields))}};
}

// ---- answers

Json problem_response(std::string_view description) {
  return {{"description", description},
          {"content", content("application/problem+json", expand_schema("#Problem"))}};
}

Json problem_responses() {
  return {{"Malformed", problem_response("The request cannot be read, or a parameter is wrong.")},
          {"Unauthenticated", problem_response("There is no key, or none that is known.")},
          {"Forbidden", problem_response("The key's role does not allow it.")},
          {"NotFound", problem_response("There is no such thing.")},
          {"Conflict", problem_response("It is in use, or not in a state for this.")},
          {"Stale", problem_response("If-Match names another version than there is now.")},
          {"Invalid", problem_response("`errors` says all that is wrong with the body.")},
          {"Failed", problem_response("Anything else; 429 and 503 say when to ask again.")}};
}

Json problem_named(const char* name) {
  return {{"$ref", std::string("#/components/responses/") + name}};
}

Json answer_of(const Route& route, const Operation& operation) {
  if (operation.answer.empty()) return {{"description", "Done."}};
  Json answer = {{"description", "Done."},
                 {"content", content("application/json", expand_schema(operation.answer))}};
  if (route.takes.has_etag) {
    answer["headers"]["ETag"] = {{"description", "Of this version, for If-Match."},
                                 {"schema", expand_schema("string")}};
  }
  return answer;
}

Json responses_of(const Route& route, const Operation& operation, bool has_body) {
  Json responses = Json::object();
  responses[std::to_string(operation.status)] = answer_of(route, operation);
  responses["400"] = problem_named("Malformed");
  responses["401"] = problem_named("Unauthenticated");
  responses["403"] = problem_named("Forbidden");
  if (route.path.contains('{')) responses["404"] = problem_named("NotFound");
  if (route.method != Method::get) responses["409"] = problem_named("Conflict");
  if (route.takes.has_etag && is_change(route.method)) responses["412"] = problem_named("Stale");
  if (has_body || route.method == Method::post) responses["422"] = problem_named("Invalid");
  responses["default"] = problem_named("Failed");
  return responses;
}

Json describe(const Route& route) {
  const Operation& operation = operation_of(route);
  Json json = {{"operationId", operation.id}, {"summary", route.summary}};
  json["tags"] = {route.path.substr(0, route.path.find('/'))};
  if (Json parameters = parameters_of(route); !parameters.empty()) {
    json["parameters"] = std::move(parameters);
  }
  Json body = request_body_of(route, operation);
  const bool has_body = !body.is_null();
  if (has_body) json["requestBody"] = std::move(body);
  json["responses"] = responses_of(route, operation, has_body);
  return json;
}

// ---- what is not in the table

Json describe_ingest() {
  const Json events = expand_schema("#CloudEvent|[#CloudEvent]");
  Json bodies = content("application/json", events);
  bodies.update(content("application/cloudevents+json", expand_schema("#CloudEvent")));
  bodies.update(content("application/cloudevents-batch+json", expand_schema("[#CloudEvent]")));
  bodies.update(content("application/x-ndjson", expand_schema("string: An event a line.")));
  bodies.update(content("text/plain", expand_schema("string: JSON, as beacons send it.")));
  Json responses = {{"202",
                     {{"description", "The events are durable."},
                      {"content", content("application/json", expand_schema("#Accepted"))}}},
                    {"400", problem_named("Malformed")},
                    {"401", problem_named("Unauthenticated")},
                    {"403", problem_named("Forbidden")},
                    {"422", problem_named("Invalid")},
                    {"default", problem_named("Failed")}};
  Json parameters = Json::array(
      {parameter("partial", "query", expand_schema("enum 1 true"),
                 "Takes the good events and lists the others in `rejected`."),
       parameter("sent_at", "query", expand_schema("string"),
                 "When the client sends, by its clock, so that its times can be corrected."),
       parameter("Eilpost-Sent-At", "header", expand_schema("string"), "The same.")});
  return {{"operationId", "sendEvents"},
          {"summary", "Send events"},
          {"tags", {"ingest"}},
          {"security",
           Json::array({{{"sourceKey", Json::array()}}, {{"sourceKeyInQuery", Json::array()}}})},
          {"parameters", std::move(parameters)},
          {"requestBody", {{"required", true}, {"content", std::move(bodies)}}},
          {"responses", std::move(responses)}};
}

Json describe_text(const char* id, const char* summary, bool may_be_unready) {
  const Json text = content("text/plain", expand_schema("string"));
  Json responses = {{"200", {{"description", "Done."}, {"content", text}}}};
  if (may_be_unready) responses["503"] = {{"description", "Not ready."}, {"content", text}};
  return {{"operationId", id},
          {"summary", summary},
          {"tags", {"operation"}},
          {"security", Json::array()},
          {"responses", std::move(responses)}};
}

Json describe_callback() {
  const Json text = content("text/plain", expand_schema("string"));
  Json responses = {{"200", {{"description", "The destination is connected."}, {"content", text}}},
                    {"400", {{"description", "It is not: why."}, {"content", text}}},
                    {"502", {{"description", "It is not: why."}, {"content", text}}}};
  Json parameters = Json::array();
  for (const char* name : {"state", "code", "error", "error_description"}) {
    parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
  }
  return {{"operationId", "finishAuthorization"},
          {"summary", "Where an OAuth provider sends the browser back to; no key is needed"},
          {"tags", {"destinations"}},
          {"security", Json::array()},
          {"parameters", std::move(parameters)},
          {"responses", std::move(responses)}};
}

void describe_the_rest(Json& paths) {
  paths["/api/v1/stream"]["get"] = {
      {"operationId", "followStream"},
      {"summary", "Follow events and attempts as they happen (server-sent events)"},
      {"tags", {"stream"}},
      {"responses",
       {{"200",
         {{"description", "A stream of events."},
          {"content", content("text/event-stream", expand_schema("string"))}}},
        {"401", problem_named("Unauthenticated")},
        {"default", problem_named("Failed")}}}};
  paths["/api/v1/openapi.json"]["get"] = {
      {"operationId", "getOpenapi"},
      {"summary", "This description; no key is needed"},
      {"tags", {"operation"}},
      {"security", Json::array()},
      {"responses",
       {{"200",
         {{"description", "OpenAPI 3.1."},
          {"content", content("application/json", expand_schema("object"))}}}}}};
  paths["/oauth/callback"]["get"] = describe_callback();
  paths["/v1/events"]["post"] = describe_ingest();
  paths["/healthz"]["get"] = describe_text("getHealth", "Whether the process lives", false);
  paths["/readyz"]["get"] = describe_text("getReadiness", "Whether it takes requests", true);
  paths["/metrics"]["get"] = describe_text("getMetrics", "Figures in Prometheus' format", false);
}

Json security_schemes() {
  const Json bearer = {{"type", "http"}, {"scheme", "bearer"}};
  Json schemes = {{"apiKey", bearer}, {"sourceKey", bearer}};
  schemes["apiKey"]["description"] = "An API key: eil_…";
  schemes["sourceKey"]["description"] = "A source's key, which can only send events: src_…";
  schemes["sourceKeyInQuery"] = {{"type", "apiKey"}, {"in", "query"}, {"name", "key"}};
  return schemes;
}

}  // namespace

Json openapi_document(std::string_view public_url) {
  Json paths = Json::object();
  for (const Route& route : routes()) {
    const std::string path = "/api/v1/" + std::string(route.path);
    paths[path][to_ascii_lower(http::to_string(route.method))] = describe(route);
  }
  describe_the_rest(paths);
  Json document = {{"openapi", "3.1.0"},
                   {"info", {{"title", "Eilpost"}, {"version", "1"}}},
                   {"security", Json::array({{{"apiKey", Json::array()}}})},
                   {"paths", std::move(paths)}};
  document["components"] = {{"securitySchemes", security_schemes()},
                            {"responses", problem_responses()},
                            {"schemas", openapi_schemas()}};
  if (!public_url.empty()) {
    document["servers"] = Json::array({Json{{"url", public_url}}});
  }
  return document;
}

}  // namespace eilpost::admin
