// Goal: several deliveries become one request, and only those that belong together.

#include "render/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "render/compiled.h"
#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json json_of(std::string_view text) {
  auto json = parse_json(text);
  EILPOST_ASSERT(json.has_value());
  return *std::move(json);
}

class BatchTest : public testing::Test {
 protected:
  BatchTest() {
    fixture_.destination.delivery.batch.events_max = 10;
    fixture_.choose("nps");
  }

  [[nodiscard]] std::shared_ptr<const CompiledDestination> compiled() {
    fixture_.problems = {};
    return compile(fixture_.destination, fixture_.zones, fixture_.problems);
  }
  // One event's part of a batch.
  BatchPart part(std::string_view body) {
    BatchPart part;
    part.request.body = body;
    part.shared = shared_part(*compiled()->batch, body).value();
    return part;
  }
  std::string joined(std::initializer_list<std::string_view> bodies) {
    std::vector<BatchPart> parts;
    for (const std::string_view body : bodies) parts.push_back(part(body));
    return joined_body(*compiled()->batch, parts);
  }
  void join_at(std::string pointer) { fixture_.destination.delivery.batch.join = pointer; }
  void use_template(std::string_view json) {
    fixture_.destination.delivery.batch.template_json = json_of(json);
  }

  RenderFixture fixture_;
};

TEST_F(BatchTest, BodiesBecomeAList) {
  EXPECT_EQ(joined({R"({"a":1})", R"({"a":2})", R"([3])"}), R"([{"a":1},{"a":2},[3]])");
}

TEST_F(BatchTest, TemplateHoldsTheListAndFieldsAndSecrets) {
  fixture_.destination.fields = {{.name = "project", .value = 7}};
  fixture_.destination.secrets = {{.name = "key", .value = "s3\"cret"}};
  use_template(R"({"batch":{"of":["{{events}}"]},"key":"{{secret.key}}",
                   "project":"{{field.project}}","plain":"text","n":null})");
  EXPECT_EQ(joined({R"({"a":1})", R"({"a":2})"}),
            R"({"batch":{"of":[[{"a":1},{"a":2}]]},"key":"s3\"cret","project":7,)"
            R"("plain":"text","n":null})");
}

TEST_F(BatchTest, ListsOfBodiesThatAreEqualAroundThemComeTogether) {
  join_at("/e v/events");
  EXPECT_EQ(joined({R"({"id":"]}","e v":{"x":[1,{"y":"]"}],"events":[{"n":[1,2]}]},"z":0})",
                    R"({"id":"]}","e v":{"x":[1,{"y":"]"}],"events":[2,"a,\"b"]},"z":0})"}),
            R"({"id":"]}","e v":{"x":[1,{"y":"]"}],"events":[{"n":[1,2]},2,"a,\"b"]},"z":0})");
  join_at("");
  EXPECT_EQ(joined({R"([{"a":1}])", R"([-2.5e3,true])"}), R"([{"a":1},-2.5e3,true])");
}

TEST_F(BatchTest, ElementsAreCounted) {
  join_at("/events");
  EXPECT_EQ(part(R"({"events":[{"n":[1,2]}]})").shared.count, 1U);
  EXPECT_EQ(part(R"({"events":[1,"a,b",{"c":[],"d":{}},[],null]})").shared.count, 5U);
}

TEST_F(BatchTest, BodyWithoutWhatComesTogetherIsSentAlone) {
  const auto destination = [&] {
    join_at("/events");
    return compiled();
  }();
  for (const std::string_view body :
       {R"({"event":1})", R"({"events":{}})", R"({"events":[]})", R"([1])", R"({})", "a=1", ""}) {
    EXPECT_FALSE(shared_part(*destination->batch, body).has_value()) << body;
  }
  join_at("/events/0");  // Steps lead through objects only.
  EXPECT_FALSE(shared_part(*compiled()->batch, R"({"events":[[1]]})").has_value());
}

TEST_F(BatchTest, OnlyEqualRequestsComeTogether) {
  join_at("/events");
  BatchPart one = part(R"({"client":"a","events":[1]})");
  EXPECT_TRUE(fit_together(one, part(R"({"client":"a","events":[2,3]})")));
  EXPECT_FALSE(fit_together(one, part(R"({"client":"b","events":[1]})")));
  EXPECT_FALSE(fit_together(one, part(R"({"client":"a","events":[1],"more":1})")));
  BatchPart other = one;
  other.request.url = "/other";
  EXPECT_FALSE(fit_together(one, other));
  other = one;
  other.request.headers = {{.name = "X-Team", .value = "a"}};
  EXPECT_FALSE(fit_together(one, other));
}

TEST_F(BatchTest, BytesOfABodyAreKnownBeforeItIsMade) {
  const auto bytes = [&](std::initializer_list<std::string_view> bodies) {
    std::size_t sum = 0;
    for (const std::string_view body : bodies) {
      sum +=
          sum == 0 ? bytes_alone(*compiled()->batch, part(body)) : 1 + part(body).content().size();
    }
    return sum;
  };
  const auto expect_known = [&] {
    EXPECT_EQ(
        bytes({R"({"client":"a","events":[1]})", R"({"client":"a","events":[2,3]})"}),
        joined({R"({"client":"a","events":[1]})", R"({"client":"a","events":[2,3]})"}).size());
  };
  expect_known();
  join_at("/events");
  expect_known();
  fixture_.destination.delivery.batch.join.reset();
  use_template(R"({"events":"{{events}}","more":1})");
  expect_known();
}

TEST_F(BatchTest, OfAPartThatFollowsOnlyItsContentIsNeeded) {
  join_at("/events");
  std::vector<BatchPart> parts = {part(R"({"client":"a","events":[1]})"),
                                  part(R"({"client":"a","events":[2,3]})")};
  EXPECT_EQ(kind_of(parts[0]), kind_of(parts[1]));
  EXPECT_NE(kind_of(parts[0]), kind_of(part(R"({"client":"b","events":[1]})")));
  const std::string whole = joined_body(*compiled()->batch, parts);
  parts[1].request.url = "/";
  keep_content(parts[1]);
  EXPECT_EQ(parts[1].request.body, "2,3");
  EXPECT_TRUE(parts[1].request.url.empty());
  EXPECT_EQ(joined_body(*compiled()->batch, parts), whole);
}

TEST_F(BatchTest, ADeliverySentAloneIsABatchOfOne) {
  EXPECT_EQ(fixture_.body(), R"([{"nps":9}])");
  use_template(R"({"events":"{{events}}"})");
  EXPECT_EQ(fixture_.body(), R"({"events":[{"nps":9}]})");
}

TEST_F(BatchTest, PartIsSignedWhenItIsKnownWhatItIsAPartOf) {
  fixture_.options.is_unsigned = true;
  auto request = fixture_.render();
  ASSERT_TRUE(request.has_value());
  EXPECT_EQ(request->body, R"({"nps":9})");
  for (const OutboundHeader& header : request->headers) {
    EXPECT_FALSE(header.name.starts_with("webhook-")) << header.name;
  }
  fixture_.options.is_unsigned = false;
  const auto whole = fixture_.render();
  request->body = R"([{"nps":9}])";
  const auto destination = compiled();
  const CompiledWebhook webhook;
  const Input input{.webhook = webhook,
                    .destination = *destination,
                    .document = {},
                    .delivery_id = "dlv_0000000000001-0",
                    .attempt_at = fixture_.attempt_at};
  ASSERT_TRUE(sign(input, *fixture_.scratch, {}, *request).has_value());
  ASSERT_EQ(request->headers.size(), whole->headers.size());
  for (std::size_t i = 0; i < whole->headers.size(); ++i) {
    EXPECT_EQ(request->headers[i].value, whole->headers[i].value);
  }
}

TEST_F(BatchTest, WhatCannotComeTogetherIsRefusedWithAReason) {
  const auto details = [&] {
    EXPECT_EQ(compiled(), nullptr);
    std::vector<std::string> lines;
    for (const Problem& problem : fixture_.problems.errors) {
      lines.push_back(problem.pointer + " " + problem.detail);
    }
    return lines;
  };
  use_template(R"({"all":["{{events}}","{{events}}"]})");
  EXPECT_THAT(details(), ElementsAre(HasSubstr("template A batch's template holds")));
  use_template(R"({"events":"{{events}}","user":"{{wm.euId}}"})");
  EXPECT_THAT(details(), ElementsAre(HasSubstr("template/user \"{{wm.euId}}\" is not known here")));
  use_template("null");
  fixture_.destination.request.method = HttpMethod::get;
  EXPECT_THAT(details(), ElementsAre(HasSubstr("events_max GET has no body")));
  fixture_.destination.request.method = HttpMethod::post;
  fixture_.destination.body = Body{.format = Body::Format::form, .template_json = {}};
  EXPECT_THAT(details(), ElementsAre(HasSubstr("Bodies of format \"form\"")));
}

}  // namespace
}  // namespace eilpost::render
