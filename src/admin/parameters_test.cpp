// Method: what a route takes is what its entry in the table says, and nothing else.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "admin/api.h"
#include "support/test_server.h"

namespace eilpost::test {
namespace {

using admin::ParameterType;
using admin::QueryParameter;
using admin::Route;
using http::Method;
using testing::HasSubstr;

class ParametersTest : public testing::Test {
 protected:
  static std::string path_of(const Route& route) {
    std::string path(route.path);
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "wh_0000000000000");
    }
    return path;
  }
  static std::string name_of(const Route& route) {
    return fmt::format("{} {}", http::to_string(route.method), route.path);
  }
  // What is wrong names the parameter, and says what it says.
  void expect_refused(const Route& route, const std::string& query, std::string_view parameter) {
    const Answer answer = server_.api(route.method, path_of(route) + "?" + query, Json::object());
    EXPECT_EQ(answer.status, 400) << name_of(route) << "?" << query << answer.body;
    EXPECT_EQ(answer.code(), "bad_parameter") << name_of(route) << "?" << query;
    EXPECT_EQ(answer.json().value("parameter", "none"), parameter) << name_of(route);
    if (!parameter.empty()) {
      EXPECT_THAT(answer.json().at("detail").get<std::string>(),
                  HasSubstr(fmt::format("`{}`", parameter)));
    }
  }

  TestServer server_{/*seed=*/1};
};

TEST_F(ParametersTest, AnUnknownOneIsRefusedAndTheKnownOnesAreNamed) {
  for (const Route& route : admin::routes()) {
    const std::string path = path_of(route) + "?lmit=2";
    const Answer answer = server_.api(route.method, path, Json::object());
    EXPECT_EQ(answer.status, 400) << name_of(route);
    EXPECT_EQ(answer.code(), "bad_parameter") << name_of(route);
    EXPECT_EQ(answer.json().at("parameter"), "lmit") << name_of(route);
    for (const QueryParameter& known : admin::query_parameters(route.takes)) {
      EXPECT_THAT(answer.json().at("detail").get<std::string>(),
                  HasSubstr(fmt::format("`{}`", known.name)))
          << name_of(route);
    }
  }
  for (const char* path : {"stream", "openapi.json"}) {
    EXPECT_EQ(server_.get(std::string(path) + "?lmit=2").code(), "bad_parameter") << path;
  }
  EXPECT_EQ(server_.get("webhooks/wh_0000000000000?").status, 404);  // Nothing asked.
}

TEST_F(ParametersTest, OneThatStandsThereTwiceIsRefused) {
  for (const Route& route : admin::routes()) {
    if (route.takes.is_paged) expect_refused(route, "limit=2&limit=3", "limit");
    for (const QueryParameter& each : route.takes.query) {
      if (each.type != ParameterType::text || !each.values.empty()) continue;
      expect_refused(route, fmt::format("{}=a&{}=a", each.name, each.name), each.name);
    }
  }
}

TEST_F(ParametersTest, OneOfTheWrongTypeIsRefused) {
  for (const Route& route : admin::routes()) {
    for (const QueryParameter& each : admin::query_parameters(route.takes)) {
      if (each.type == ParameterType::text && each.values.empty()) continue;
      for (const char* wrong : {"x", "-1", "", "1.5"}) {
        expect_refused(route, fmt::format("{}={}", each.name, wrong), each.name);
      }
    }
  }
}

TEST_F(ParametersTest, AQueryThatCannotBeReadIsRefused) {
  EXPECT_EQ(server_.get("deliveries?user=%zz").code(), "bad_parameter");
  EXPECT_EQ(server_.get("deliveries?%zz=user").code(), "bad_parameter");
  EXPECT_EQ(server_.get("deliveries?user=a%20b&").status, 200);
}

TEST_F(ParametersTest, ARequiredOneMustBeThere) {
  const Answer answer = server_.get("event-types/survey.submitted/values");
  EXPECT_EQ(answer.code(), "bad_parameter");
  EXPECT_EQ(answer.json().at("parameter"), "property");
}

TEST_F(ParametersTest, AnUnknownFieldOfABodyIsRefusedAndTheKnownOnesAreNamed) {
  std::size_t checked = 0;
  for (const Route& route : admin::routes()) {
    if (!route.takes.body) continue;
    ++checked;
    const Answer answer = server_.api(route.method, path_of(route), {{"nme/", 1}});
    EXPECT_EQ(answer.status, 422) << name_of(route) << answer.body;
    EXPECT_EQ(answer.code(), "invalid") << name_of(route);
    ASSERT_TRUE(answer.json().contains("errors")) << name_of(route) << answer.body;
    const Json error = answer.json().at("errors").at(0);
    EXPECT_EQ(error.at("code"), "unknown_field") << name_of(route);
    EXPECT_EQ(error.at("pointer"), "/nme~1") << name_of(route);
    for (const admin::BodyField& field : *route.takes.body) {
      EXPECT_THAT(error.at("detail").get<std::string>(), HasSubstr(std::string(field.name)))
          << name_of(route);
    }
  }
  EXPECT_EQ(checked, 16U);
}

TEST_F(ParametersTest, AFieldOfTheWrongTypeIsRefused) {
  for (const Route& route : admin::routes()) {
    if (!route.takes.body) continue;
    for (const admin::BodyField& field : *route.takes.body) {
      if (field.type.empty()) continue;
      const Json body = {{std::string(field.name), Json::array()}};
      const Answer answer = server_.api(route.method, path_of(route), body);
      EXPECT_EQ(answer.status, 422) << name_of(route) << answer.body;
      EXPECT_THAT(answer.body, HasSubstr(fmt::format("\"/{}\"", field.name))) << name_of(route);
    }
  }
}

TEST_F(ParametersTest, AnItemIsNamedByTextOrAWholeNumber) {
  const Json good = {{"type", "survey"}, {"id", 7}, {"name", "NPS"}, {"parent", "a"}};
  EXPECT_EQ(server_.post("items", good).status, 201);
  const std::string line = "a\nb";
  const std::string longest(200, 'x');
  for (const char* field : {"type", "id", "name", "parent"}) {
    Json item = good;
    item[field] = longest;
    EXPECT_EQ(server_.post("items", item).status, 201) << field;
    for (const Json& wrong : {Json(""), Json(line), Json(longest + "x"), Json(nullptr), Json(true),
                              Json(1.5), Json::array(), Json({{"a", 1}})}) {
      item[field] = wrong;
      const Answer refused = server_.post("items", item);
      EXPECT_EQ(refused.status, 422) << field << to_text(wrong);
      EXPECT_THAT(refused.body, HasSubstr(fmt::format("\"/{}\"", field))) << to_text(wrong);
    }
    item.erase(field);
    EXPECT_EQ(server_.post("items", item).status, field == std::string("parent") ? 201 : 422);
  }
}

}  // namespace
}  // namespace eilpost::test
