#include "deliver/judge.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace eilpost::deliver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Outcome answered(std::uint16_t status, std::string answer = "") {
  return {.kind = OutcomeKind::answered,
          .status = status,
          .success = status / 100 == 2,
          .request_sent = true,
          .detail = status / 100 == 2 ? "" : "The receiver answered it.",
          .answer = std::move(answer)};
}

Outcome judged(const SuccessRule& rule, Outcome outcome, std::vector<StatusRange> finals = {}) {
  judge(rule, finals, outcome);
  return outcome;
}

SuccessRule with_body(AnswerBodyRule::Kind kind, std::string text, Json value = nullptr) {
  return {.body = AnswerBodyRule{.kind = kind, .text = std::move(text), .value = std::move(value)}};
}

PartialRule mixpanel_rule() {
  return {.statuses = {{400, 400}},
          .failed = {"/failed_records/*/index"},
          .named_by = "",
          .rest = PartialRule::Rest::delivered};
}

TEST(Judge, StatusesDecideWhereThereIsNoOtherRule) {
  const SuccessRule rule{.statuses = {{204, 204}, {302, 302}}};
  EXPECT_TRUE(judged(rule, answered(204)).success);
  EXPECT_TRUE(judged(rule, answered(302)).success);
  const Outcome refused = judged(rule, answered(200));
  EXPECT_FALSE(refused.success);
  EXPECT_EQ(refused.detail, "The receiver answered 200.");
  EXPECT_EQ(refused.final_reason, FailReason::none);
}

TEST(Judge, WhatCameToNoAnswerStaysAsItIs) {
  const Outcome outcome =
      judged(with_body(AnswerBodyRule::Kind::equals, "ok"),
             {.kind = OutcomeKind::timeout, .detail = "No answer within 5 ms."}, {{100, 599}});
  EXPECT_EQ(outcome.detail, "No answer within 5 ms.");
  EXPECT_EQ(outcome.final_reason, FailReason::none);
}

TEST(Judge, AWrongBodyIsSaidInASentence) {
  using Kind = AnswerBodyRule::Kind;
  EXPECT_TRUE(judged(with_body(Kind::equals, "ok"), answered(200, "ok\n")).success);
  const Outcome wrong = judged(with_body(Kind::equals, "ok"), answered(200, "no_text"));
  EXPECT_FALSE(wrong.success);
  EXPECT_EQ(wrong.detail, "The receiver answered 200, but its body is \"no_text\", not \"ok\".");
  EXPECT_TRUE(judged(with_body(Kind::contains, "good"), answered(200, "a good one")).success);
  EXPECT_FALSE(judged(with_body(Kind::contains, "good"), answered(200, "a bad one")).success);
  EXPECT_TRUE(judged(with_body(Kind::does_not_contain, "error"), answered(200, "1")).success);
  EXPECT_THAT(judged(with_body(Kind::does_not_contain, "error"), answered(200, "an error")).detail,
              HasSubstr("its body contains \"error\""));
}

TEST(Judge, APointerLooksIntoAJsonBody) {
  const SuccessRule rule = with_body(AnswerBodyRule::Kind::pointer, "/a~1b/0/ok", true);
  EXPECT_TRUE(judged(rule, answered(200, R"({"a/b":[{"ok":true}]})")).success);
  EXPECT_THAT(judged(rule, answered(200, R"({"a/b":[{"ok":false}]})")).detail,
              HasSubstr("its body has \"false\" at /a~1b/0/ok, not true"));
  EXPECT_THAT(judged(rule, answered(200, R"({"a/b":[]})")).detail, HasSubstr("has nothing at"));
  EXPECT_THAT(judged(rule, answered(200, "<html>")).detail, HasSubstr("is not JSON"));
}

TEST(Judge, AFinalStatusFailsAtOnceButNeverASuccess) {
  const std::vector<StatusRange> finals = {{400, 499}, {200, 200}};
  const Outcome outcome = judged({}, answered(403), finals);
  EXPECT_EQ(outcome.final_reason, FailReason::final_status);
  EXPECT_EQ(outcome.detail, "The receiver answered 403, which is final for this destination.");
  EXPECT_EQ(judged({}, answered(500), finals).final_reason, FailReason::none);
  EXPECT_EQ(judged({}, answered(200), finals).final_reason, FailReason::none);
  // It disables the destination, which is decided elsewhere.
  EXPECT_EQ(judged({}, answered(410), finals).final_reason, FailReason::none);
}

TEST(Judge, AnEventThatAnAnswerNamesIsRefusedAndTheRestIsDelivered) {
  const SuccessRule rule{.partial = mixpanel_rule()};
  const Outcome named =
      judged(rule, answered(400, R"({"failed_records":[{"index":0,"message":"too long"}]})"));
  EXPECT_FALSE(named.success);
  EXPECT_EQ(named.final_reason, FailReason::rejected);
  EXPECT_THAT(named.detail, HasSubstr("answered 400 and names this event as wrong"));
  const Outcome rest = judged(rule, answered(400, R"({"failed_records":[]})"));
  EXPECT_TRUE(rest.success);
  EXPECT_EQ(rest.detail, "");
  // No list: the whole request was wrong.
  const Outcome whole = judged(rule, answered(400, R"({"error":"bad JSON"})"), {{400, 400}});
  EXPECT_FALSE(whole.success);
  EXPECT_EQ(whole.final_reason, FailReason::final_status);
  EXPECT_TRUE(judged(rule, answered(200)).success);
}

TEST(Judge, WhereNothingWasTakenTheRestIsSentAgain) {
  SuccessRule rule{.partial = PartialRule{.statuses = {{400, 400}},
                                          .failed = {"/wrong/*/*", "/missing/*/*"},
                                          .named_by = "",
                                          .rest = PartialRule::Rest::again}};
  const Outcome rest = judged(rule, answered(400, R"({"wrong":{},"missing":{}})"), {{400, 400}});
  EXPECT_FALSE(rest.success);
  EXPECT_EQ(rest.final_reason, FailReason::none);
  EXPECT_THAT(rest.detail, HasSubstr("sent again"));
}

TEST(Judge, OfABatchThePartsThatAnAnswerNamesAreRefused) {
  const SuccessRule rule{.partial = mixpanel_rule()};
  const std::vector<BatchPart> parts = {
      {.content = R"({"a":1})"}, {.content = R"({"a":2},{"a":3})", .count = 2}, {.content = "4"}};
  const auto of = [&](std::string_view answer, std::uint16_t status = 400) {
    return refused_parts(rule, answered(status, std::string(answer)), parts);
  };
  const auto refused = [&](std::string_view answer) {
    EXPECT_FALSE(of(answer)->unknown_name.has_value()) << answer;
    return of(answer)->is_refused;
  };
  EXPECT_EQ(refused(R"({"failed_records":[{"index":2}]})"),
            (std::vector<bool>{false, true, false}));
  EXPECT_EQ(refused(R"({"failed_records":[{"index":3},{"index":0},{"index":3}]})"),
            (std::vector<bool>{true, false, true}));
  EXPECT_EQ(refused(R"({"failed_records":[]})"), (std::vector<bool>{false, false, false}));
  EXPECT_FALSE(of(R"({"error":"bad JSON"})").has_value());
  EXPECT_FALSE(of(R"({"failed_records":[{"index":2}]})", 500).has_value());
}

TEST(Judge, OfABatchThePartsMayBeNamedByAValueOfTheirs) {
  const SuccessRule rule{.partial = PartialRule{.statuses = {{207, 207}},
                                                .failed = {"/errors/*/ids/*"},
                                                .named_by = "/id",
                                                .rest = PartialRule::Rest::delivered}};
  const std::vector<BatchPart> parts = {{.content = R"({"id":"a@x"})"},
                                        {.content = R"({"id":7},{"id":8})", .count = 2},
                                        {.content = R"({"id":0})"},
                                        {.content = R"({})"}};
  const Outcome outcome = answered(207, R"({"errors":[{"ids":["a@x","8"]}]})");
  const auto refused = refused_parts(rule, outcome, parts);
  EXPECT_EQ(refused->is_refused, (std::vector<bool>{true, true, false, false}));
  EXPECT_FALSE(refused->unknown_name.has_value());
}

TEST(Judge, OfABatchNothingIsKnownWhenANameIsOfNoPart) {
  SuccessRule rule{.partial = mixpanel_rule()};
  const std::vector<BatchPart> parts = {{.content = R"({"id":"a"})"}, {.content = R"({})"}};
  const std::span<const BatchPart> alone = std::span(parts).first(1);
  const auto index = answered(400, R"({"failed_records":[{"index":0},{"index":2}]})");
  EXPECT_EQ(refused_parts(rule, index, parts)->unknown_name, "2");
  EXPECT_FALSE(refused_parts(rule, index, alone)->unknown_name.has_value());
  EXPECT_TRUE(refused_parts(rule, index, alone)->is_refused[0]);
  rule.partial->named_by = "/id";
  // No part has an empty name, though one has none.
  for (const std::string_view name : {"A", ""}) {
    const auto outcome = answered(
        400, fmt::format(R"({{"failed_records":[{{"index":"a"}},{{"index":"{}"}}]}})", name));
    EXPECT_EQ(refused_parts(rule, outcome, parts)->unknown_name, name);
    EXPECT_TRUE(refused_parts(rule, outcome, alone)->is_refused[0]);
  }
}

TEST(Judge, RefusedEventsAreFoundThroughListsAndObjects) {
  const PartialRule rule{.statuses = {},
                         .failed = {"/wrong/*/*", "/missing/*/*"},
                         .named_by = "",
                         .rest = PartialRule::Rest::again};
  const auto found = refused_in(rule, R"({"wrong":{"time":[3,4],"user":[3]},"missing":{"a":[0]}})");
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(*found, ElementsAre("3", "4", "3", "0"));
  EXPECT_THAT(refused_in(rule, R"({"wrong":{"time":[]}})").value(), IsEmpty());
  EXPECT_FALSE(refused_in(rule, R"({"code":400})").has_value());
  EXPECT_FALSE(refused_in(rule, "not JSON").has_value());
  const PartialRule by_name{.statuses = {},
                            .failed = {"/errors/*/context/ids/*"},
                            .named_by = "/id",
                            .rest = PartialRule::Rest::delivered};
  EXPECT_THAT(refused_in(by_name, R"({"errors":[{"context":{"ids":["a@example.com"]}}]})").value(),
              ElementsAre("a@example.com"));
}

}  // namespace
}  // namespace eilpost::deliver
