#include "match/matcher.h"

#include <gtest/gtest.h>

#include "match/match_test_support.h"

namespace eilpost::match {
namespace {

using Candidates = std::vector<std::shared_ptr<const Candidate>>;

std::shared_ptr<Candidate> candidate(std::uint64_t id, const std::string& conditions) {
  return std::make_shared<Candidate>(
      Candidate{.webhook = WebhookId{id},
                .webhook_version = static_cast<std::uint32_t>(id + 1),
                .destination = DestinationId{id + 2},
                .environments = {EnvironmentId::production},
                .types = {"survey.submitted"},
                .conditions = compiled(conditions)});
}

std::string is(const std::string& property, const std::string& value) {
  return fmt::format(R"({{"property":"{}","operator":"is","value":{}}})", property, value);
}

std::vector<std::uint64_t> ids_of(const std::vector<Owed>& owed) {
  std::vector<std::uint64_t> ids;
  for (const Owed& each : owed) ids.push_back(static_cast<std::uint64_t>(each.webhook));
  return ids;
}

// The ids of the webhooks that want the event, and how many were looked at.
struct Matched {
  std::vector<std::uint64_t> ids;
  std::uint64_t evaluated_count = 0;
};

Matched match(const Matcher& matcher, const std::string& data) {
  Scratch scratch;
  std::vector<Owed> owed;
  const TestEvent event(data);
  matcher.match(EnvironmentId::production, "survey.submitted", event.document(), scratch, owed);
  return {.ids = ids_of(owed), .evaluated_count = scratch.evaluated_count};
}

using Ids = std::vector<std::uint64_t>;

TEST(Matcher, WebhooksThatWantTheEventComeInTheOrderOfTheirIds) {
  const auto matcher = Matcher::build(
      {candidate(1, is("nps", "9")), candidate(2, ""), candidate(5, is("nps", "8")),
       candidate(7, is("nps", "9")), candidate(9, R"({"property":"nps","operator":"exists"})")},
      nullptr);
  EXPECT_EQ(match(*matcher, R"({"nps":9})").ids, (Ids{1, 2, 7, 9}));
  EXPECT_EQ(match(*matcher, R"({"nps":8})").ids, (Ids{2, 5, 9}));
  EXPECT_EQ(match(*matcher, "{}").ids, (Ids{2}));
}

TEST(Matcher, OwedHoldsVersionAndDestinationAndIsAdded) {
  const auto matcher = Matcher::build({candidate(1, "")}, nullptr);
  Scratch scratch;
  std::vector<Owed> owed(1);
  const TestEvent event("{}");
  matcher->match(EnvironmentId::production, "survey.submitted", event.document(), scratch, owed);
  ASSERT_EQ(owed.size(), 2U);
  EXPECT_EQ(owed[1].webhook, WebhookId{1});
  EXPECT_EQ(owed[1].webhook_version, 2U);
  EXPECT_EQ(owed[1].destination, DestinationId{3});
}

TEST(Matcher, EnvironmentAndTypeSeparateWebhooks) {
  const auto here = candidate(1, "");
  const auto there = candidate(2, "");
  there->environments = {EnvironmentId::test, EnvironmentId::editor};
  const auto other = candidate(3, "");
  other->types = {"menu.opened", "menu.searched"};
  const auto matcher = Matcher::build({here, there, other}, nullptr);
  const TestEvent event("{}");
  const auto ids = [&](EnvironmentId environment, std::string_view type) {
    Scratch scratch;
    std::vector<Owed> owed;
    matcher->match(environment, type, event.document(), scratch, owed);
    return ids_of(owed);
  };
  EXPECT_EQ(ids(EnvironmentId::production, "survey.submitted"), (Ids{1}));
  EXPECT_EQ(ids(EnvironmentId::test, "survey.submitted"), (Ids{2}));
  EXPECT_EQ(ids(EnvironmentId::editor, "survey.submitted"), (Ids{2}));
  EXPECT_EQ(ids(EnvironmentId::production, "menu.searched"), (Ids{3}));
  EXPECT_EQ(ids(EnvironmentId::test, "menu.searched"), (Ids{}));
  EXPECT_EQ(ids(EnvironmentId{100}, "survey.submitted"), (Ids{}));
}

TEST(Matcher, WebhookThatNamesATypeTwiceIsOwedOnce) {
  const auto twice = candidate(1, "");
  twice->types = {"survey.submitted", "survey.submitted"};
  EXPECT_EQ(match(*Matcher::build({twice}, nullptr), "{}").ids, (Ids{1}));
}

TEST(Matcher, OneOfAThousandIsFoundWithoutLookingAtTheOthers) {
  Candidates candidates;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    candidates.push_back(
        candidate(i, fmt::format(R"({{"all":[{},{},{{"property":"nps","operator":"exists"}}]}})",
                                 is("wm.language", R"("de")"), is("oId", fmt::to_string(i)))));
  }
  const auto matcher = Matcher::build(candidates, nullptr);
  const Matched matched = match(*matcher, R"({"wm":{"language":"de"},"oId":7,"nps":1})");
  EXPECT_EQ(matched.ids, (Ids{7}));
  EXPECT_EQ(matched.evaluated_count, 1U);
  EXPECT_EQ(match(*matcher, R"({"wm":{"language":"de"},"oId":"7","nps":1})").ids, (Ids{7}));
  EXPECT_EQ(match(*matcher, R"({"wm":{"language":"de"},"nps":1})").evaluated_count, 0U);
}

TEST(Matcher, EqualityIsNecessaryInThesePlacesToo) {
  for (const std::string& conditions : std::vector<std::string>{
           is("oId", "7"),
           R"({"property":"oId","operator":"in","value":[6,7,"eight"]})",
           R"({"property":"oId","operator":"is","value":"SEVEN","ignore_case":true})",
           R"({"all":[{"all":[)" + is("oId", "7") + "]}]}",
           R"({"any":[)" + is("oId", "7") + "," + is("nps", "7") + "]}",
           is("answers.*.id", "7"),
           R"({"any":[]})",
       }) {
    const auto matcher = Matcher::build({candidate(1, conditions)}, nullptr);
    EXPECT_EQ(match(*matcher, R"({"oId":5,"nps":5,"answers":[{"id":5}]})").evaluated_count, 0U)
        << conditions;
  }
  const auto folded = Matcher::build(
      {candidate(1, R"({"property":"oId","operator":"is","value":"SEVEN","ignore_case":true})")},
      nullptr);
  EXPECT_EQ(match(*folded, R"({"oId":"seven"})").ids, (Ids{1}));
  const auto wild = Matcher::build({candidate(1, is("answers.*.id", "7"))}, nullptr);
  EXPECT_EQ(match(*wild, R"({"answers":[{"id":5},{"id":"7"}]})").ids, (Ids{1}));
  const auto time = Matcher::build({candidate(1, is("at", R"("2026-11-24T09:00:00Z")"))}, nullptr);
  EXPECT_EQ(match(*time, R"({"at":"2026-11-24T10:00:00+01:00"})").ids, (Ids{1}));
}

TEST(Matcher, NegationIsNoNecessaryEquality) {
  for (const std::string& conditions : std::vector<std::string>{
           R"({"not":)" + is("oId", "7") + "}",
           std::string(R"({"property":"oId","operator":"is_not","value":7})"),
           R"({"any":[{"property":"nps","operator":"exists"},)" + is("oId", "7") + "]}",
       }) {
    const auto matcher = Matcher::build({candidate(1, conditions)}, nullptr);
    EXPECT_EQ(match(*matcher, R"({"oId":5,"nps":5})").ids, (Ids{1})) << conditions;
  }
}

TEST(Matcher, ScratchMayServeSeveralMatchers) {
  const auto first = Matcher::build({candidate(1, is("nps", "9"))}, nullptr);
  const auto second = Matcher::build({candidate(2, is("oId", "9"))}, nullptr);
  Scratch scratch;
  const TestEvent event(R"({"nps":9})");
  for (int i = 0; i < 3; ++i) {
    std::vector<Owed> owed;
    first->match(EnvironmentId::production, "survey.submitted", event.document(), scratch, owed);
    second->match(EnvironmentId::production, "survey.submitted", event.document(), scratch, owed);
    EXPECT_EQ(ids_of(owed), (Ids{1}));
  }
}

TEST(Matcher, PartsWhoseWebhooksDidNotChangeAreShared) {
  const auto survey = candidate(1, "");
  const auto menu = candidate(2, "");
  menu->types = {"menu.opened"};
  const auto first = Matcher::build({survey, menu}, nullptr);
  const auto changed = candidate(1, is("nps", "9"));
  const auto second = Matcher::build({changed, menu}, first);
  EXPECT_EQ(first->shared_count(*first), 2U);
  EXPECT_EQ(second->shared_count(*first), 1U);
  EXPECT_EQ(match(*second, R"({"nps":8})").ids, (Ids{}));
  EXPECT_EQ(match(*second, R"({"nps":9})").ids, (Ids{1}));
  const auto third = Matcher::build({menu}, second);
  EXPECT_EQ(third->shared_count(*second), 1U);
  EXPECT_EQ(match(*third, R"({"nps":9})").ids, (Ids{}));
  const auto fourth = Matcher::build({changed, candidate(3, ""), menu}, second);
  EXPECT_EQ(fourth->shared_count(*second), 1U);
  EXPECT_EQ(match(*fourth, R"({"nps":9})").ids, (Ids{1, 3}));
}

}  // namespace
}  // namespace eilpost::match
