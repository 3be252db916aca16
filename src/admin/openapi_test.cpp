#include "admin/openapi.h"

#include <gtest/gtest.h>
#include <set>

#include "admin/api.h"
#include "admin/openapi_schemas.h"
#include "base/ascii.h"

namespace eilpost::admin {
namespace {

// Every text after "$ref", wherever it stands.
std::set<std::string> references_in(const Json& document) {
  std::set<std::string> found;
  for (const auto& [pointer, value] : document.flatten().items()) {
    if (pointer.ends_with("/$ref")) found.insert(value.get<std::string>());
  }
  return found;
}

TEST(OpenApi, ShortTextsMeanJsonSchema) {
  const auto expand = [](const char* text) { return expand_schema(*parse_json(text)); };
  EXPECT_EQ(expand(R"("time|null: When.")"), *parse_json(R"({"anyOf":[{"type":"string",
      "format":"date-time"},{"type":"null"}],"description":"When."})"));
  EXPECT_EQ(expand(R"("[#Item]")"),
            *parse_json(R"({"type":"array","items":{"$ref":"#/components/schemas/Item"}})"));
  EXPECT_EQ(expand(R"(["enum a b:","Words, and more."])"), *parse_json(R"({"type":"string",
      "enum":["a","b"],"description":"Words, and more."})"));
  EXPECT_EQ(expand(R"({"a":"any","b?":"integer"})"), *parse_json(R"({"type":"object",
      "properties":{"a":{},"b":{"type":"integer"}},"required":["a"],
      "additionalProperties":false})"));
  EXPECT_FALSE(expand(R"({"a":"any","...":true})").contains("additionalProperties"));
  EXPECT_EQ(expand(R"("page #Item")")["properties"]["data"], expand(R"("[#Item]")"));
}

TEST(OpenApi, EveryRouteHasAnOperationWithANameOfItsOwn) {
  const Json document = openapi_document("https://eilpost.example");
  std::set<std::string> names;
  std::size_t count = 0;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      ++count;
      names.insert(operation["operationId"].get<std::string>());
      EXPECT_FALSE(operation["responses"].empty()) << path;
    }
  }
  EXPECT_EQ(names.size(), count);
  EXPECT_EQ(count, routes().size() + 7);
  EXPECT_TRUE(names.contains("listDeliveries"));
  EXPECT_EQ(document["servers"][0]["url"], "https://eilpost.example");
}

TEST(OpenApi, EveryReferenceLeadsSomewhereAndNoSchemaIsWithoutUse) {
  const Json document = openapi_document("");
  const std::set<std::string> references = references_in(document);
  for (const std::string& reference : references) {
    EXPECT_TRUE(document.contains(Json::json_pointer(reference.substr(1)))) << reference;
  }
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    EXPECT_TRUE(references.contains("#/components/schemas/" + name)) << name;
  }
}

TEST(OpenApi, ParametersAreThoseOfTheTable) {
  const Json document = openapi_document("");
  const Json& list = document["paths"]["/api/v1/deliveries"]["get"]["parameters"];
  std::set<std::string> names;
  for (const Json& each : list) names.insert(each["name"].get<std::string>());
  for (const char* name : {"webhook", "state", "from", "limit", "cursor"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
  const Json& patch = document["paths"]["/api/v1/webhooks/{id}"]["patch"];
  EXPECT_EQ(patch["parameters"][0]["in"], "path");
  EXPECT_EQ(patch["parameters"][1]["name"], "If-Match");
  EXPECT_TRUE(patch["responses"].contains("412"));
  EXPECT_TRUE(patch["requestBody"]["content"].contains("application/merge-patch+json"));
}

}  // namespace
}  // namespace eilpost::admin
