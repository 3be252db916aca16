// Goal:   a Matcher with its index and its shared walk says what evaluating each webhook says; the
//         laws of logic hold for conditions.
// Method: random webhooks and events over few properties and values, so that they often meet.

#include <algorithm>
#include <gtest/gtest.h>

#include "base/random.h"
#include "match/conditions.h"
#include "match/match_test_support.h"

namespace eilpost::match {
namespace {

constexpr std::uint64_t kSeeds = 2000;

const std::vector<std::string> kScalars = {"1",
                                           "2",
                                           "2.0",
                                           "2.5",
                                           R"("2")",
                                           R"("two")",
                                           R"("TWO")",
                                           R"("Ä")",
                                           R"("ä")",
                                           "true",
                                           "false",
                                           R"("2026-11-24T09:00:00Z")",
                                           R"("2026-11-24T10:00:00+01:00")"};
const std::vector<std::string> kPaths = {"a", "b", "a.b", "a.*", "list.*.v", "list.0.v", "*"};
const std::vector<std::string> kNames = {"a", "b", "a.b", "list", "v"};

const std::string& pick(const std::vector<std::string>& from, Random& random) {
  return from[random.below(from.size())];
}

Json random_scalar(Random& random) {
  return *parse_json(pick(kScalars, random));
}

Json random_list(Random& random, std::uint64_t count) {
  Json list = Json::array();
  for (std::uint64_t i = 0; i < count; ++i) list.push_back(random_scalar(random));
  return list;
}

Condition comparison(std::string path, Operator op, Json value = {}, bool ignore_case = false) {
  return {.kind = Condition::Kind::compare,
          .property = std::move(path),
          .op = op,
          .value = std::move(value),
          .ignore_case = ignore_case};
}

Condition group(Condition::Kind kind, std::vector<Condition> children) {
  return {.kind = kind, .children = std::move(children)};
}

Condition all_of(Condition a, Condition b) {
  return group(Condition::Kind::all, {std::move(a), std::move(b)});
}

Condition any_of(Condition a, Condition b) {
  return group(Condition::Kind::any, {std::move(a), std::move(b)});
}

Condition not_of(Condition a) {
  return group(Condition::Kind::not_, {std::move(a)});
}

Condition random_comparison(Random& random) {
  const std::string& path = pick(kPaths, random);
  const bool ignore_case = random.chance(1, 4);
  const bool first = random.chance(1, 2);
  switch (random.below(9)) {
    case 0:
    case 1:
      return comparison(path, first ? Operator::is : Operator::is_not, random_scalar(random),
                        ignore_case);
    case 2:
      return comparison(path, first ? Operator::in : Operator::not_in,
                        random_list(random, random.chance(1, 4) ? 10 : 2), ignore_case);
    case 3:
      return comparison(path, first ? Operator::contains : Operator::does_not_contain,
                        random_scalar(random), ignore_case);
    case 4:
      return comparison(path, first ? Operator::starts_with : Operator::ends_with, "t",
                        ignore_case);
    case 5:
      return comparison(path, Operator::matches, "^t.o$", ignore_case);
    case 6:
      return comparison(path, first ? Operator::greater_than : Operator::less_or_equal,
                        random.chance(1, 2) ? Json(2) : Json("2026-11-24T09:00:00Z"));
    case 7:
      return comparison(path, Operator::between, Json::array({1.5, 2}));
    default:
      return comparison(path, first ? Operator::exists : Operator::does_not_exist);
  }
}

Condition random_conditions(Random& random, int depth) {
  const std::uint64_t kind = random.below(depth >= 3 ? 1 : 5);
  if (kind <= 1) return random_comparison(random);
  if (kind == 2) return not_of(random_conditions(random, depth + 1));
  std::vector<Condition> children;
  for (std::uint64_t i = random.below(4); i > 0; --i) {
    children.push_back(random_conditions(random, depth + 1));
  }
  return group(kind == 3 ? Condition::Kind::all : Condition::Kind::any, std::move(children));
}

std::string random_value(Random& random, int depth) {
  const std::uint64_t kind = random.below(depth >= 2 ? 5 : 8);
  if (kind == 0) return "null";
  if (kind < 5) return pick(kScalars, random);
  std::string text;
  if (kind == 5) {
    for (std::uint64_t i = random.below(3); i > 0; --i) {
      text += random_value(random, depth + 1) + (i > 1 ? "," : "");
    }
    return "[" + text + "]";
  }
  for (const std::string& name : kNames) {
    if (random.chance(1, 2)) continue;
    text +=
        fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", name, random_value(random, depth + 1));
  }
  return "{" + text + "}";
}

std::string random_data(Random& random) {
  std::string text;
  for (const std::string& name : kNames) {
    if (random.chance(1, 3)) continue;
    text += fmt::format(R"({}"{}":{})", text.empty() ? "" : ",", name, random_value(random, 0));
  }
  return "{" + text + "}";
}

std::shared_ptr<const Candidate> candidate(std::uint64_t id,
                                           std::shared_ptr<const CompiledConditions> conditions) {
  return std::make_shared<Candidate>(Candidate{.webhook = WebhookId{id},
                                               .environments = {EnvironmentId::production},
                                               .types = {"survey.submitted"},
                                               .conditions = std::move(conditions)});
}

std::vector<Owed> owed_by(const Matcher& matcher, const TestEvent& event, Scratch& scratch) {
  std::vector<Owed> owed;
  matcher.match(EnvironmentId::production, "survey.submitted", event.document(), scratch, owed);
  return owed;
}

TEST(MatcherProperty, MatchingIsEvaluatingEachWebhook) {
  std::uint64_t owed_count = 0;
  std::uint64_t skipped_count = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<std::shared_ptr<const Candidate>> candidates;
    for (std::uint64_t i = 0; i < 6; ++i) {
      std::optional<Condition> conditions;
      if (!random.chance(1, 10)) conditions = random_conditions(random, 0);
      candidates.push_back(candidate(i, compiled(webhook_with(std::move(conditions)))));
    }
    const auto matcher = Matcher::build(candidates, nullptr);
    Scratch scratch;
    for (int event_index = 0; event_index < 3; ++event_index) {
      const std::string data = random_data(random);
      SCOPED_TRACE(data);
      const TestEvent event(data);
      const std::uint64_t evaluated_before = scratch.evaluated_count;
      const std::vector<Owed> owed = owed_by(*matcher, event, scratch);
      skipped_count += candidates.size() - (scratch.evaluated_count - evaluated_before);
      owed_count += owed.size();
      ASSERT_TRUE(std::ranges::is_sorted(owed, {}, &Owed::webhook));
      for (const auto& each : candidates) {
        const bool is_owed = std::ranges::find(owed, each->webhook, &Owed::webhook) != owed.end();
        std::vector<ConditionResult> explained;
        ASSERT_EQ(evaluate(*each->conditions, event.document(), nullptr), is_owed);
        ASSERT_EQ(evaluate(*each->conditions, event.document(), &explained), is_owed);
        ASSERT_EQ(explained.empty() || explained[0].result, is_owed);
      }
    }
  }
  // Otherwise this test would have shown nothing.
  EXPECT_GT(owed_count, 8'000U);
  EXPECT_GT(skipped_count, 4'000U);
}

TEST(MatcherProperty, IndexChangesNoResult) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto indexed = compiled(webhook_with(random_conditions(random, 0)));
    const auto plain = std::make_shared<CompiledConditions>();  // the same without its terms
    plain->paths = indexed->paths;
    plain->steps = indexed->steps;
    plain->operands = indexed->operands;
    plain->keyed = indexed->keyed;
    for (const auto& pattern : indexed->patterns) {
      plain->patterns.push_back(
          std::make_unique<const re2::RE2>(pattern->pattern(), pattern->options()));
    }
    const auto with_index = Matcher::build({candidate(1, indexed)}, nullptr);
    const auto without_index = Matcher::build({candidate(1, plain)}, nullptr);
    Scratch scratch;
    for (int i = 0; i < 4; ++i) {
      const std::string data = random_data(random);
      const TestEvent event(data);
      ASSERT_EQ(owed_by(*with_index, event, scratch).size(),
                owed_by(*without_index, event, scratch).size())
          << data;
    }
  }
}

TEST(MatcherProperty, LawsOfLogicHold) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    Random random(seed);
    const Condition a = random_conditions(random, 2);
    const Condition b = random_conditions(random, 2);
    const std::string data = random_data(random);
    SCOPED_TRACE(fmt::format("seed {}: {}", seed, data));
    const TestEvent event(data);
    const auto says = [&event](Condition condition) {
      return evaluate(*compiled(webhook_with(std::move(condition))), event.document(), nullptr);
    };
    const bool a_holds = says(a);
    const bool b_holds = says(b);
    ASSERT_EQ(says(not_of(a)), !a_holds);
    ASSERT_EQ(says(not_of(not_of(a))), a_holds);
    ASSERT_EQ(says(all_of(a, b)), a_holds && b_holds);
    ASSERT_EQ(says(any_of(a, b)), a_holds || b_holds);
    ASSERT_EQ(says(not_of(all_of(a, b))), says(any_of(not_of(a), not_of(b))));
    ASSERT_EQ(says(not_of(any_of(a, b))), says(all_of(not_of(a), not_of(b))));
  }
}

TEST(MatcherProperty, NegativeOperatorsAreNegationsOffWildcards) {
  const std::vector<std::string> paths = {"a", "b", "a.b", "list.0.v"};
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const TestEvent event(random_data(random));
    const std::string& path = pick(paths, random);
    const Json value = random_scalar(random);
    const Json list = random_list(random, 1 + random.below(12));
    const auto says = [&](Operator op, const Json& operand) {
      return evaluate(*compiled(webhook_with(comparison(path, op, operand))), event.document(),
                      nullptr);
    };
    ASSERT_NE(says(Operator::is, value), says(Operator::is_not, value));
    ASSERT_NE(says(Operator::in, list), says(Operator::not_in, list));
    ASSERT_NE(says(Operator::contains, value), says(Operator::does_not_contain, value));
    ASSERT_NE(says(Operator::exists, {}), says(Operator::does_not_exist, {}));
    ASSERT_EQ(says(Operator::between, Json::array({1.5, 2})),
              says(Operator::greater_or_equal, 1.5) && says(Operator::less_or_equal, 2));
    ASSERT_FALSE(says(Operator::greater_than, 2) && says(Operator::less_or_equal, 2));
  }
}

}  // namespace
}  // namespace eilpost::match
