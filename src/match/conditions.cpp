#include "match/conditions.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/assert.h"
#include "match/case_folding.h"

namespace eilpost::match {
namespace {

using simdjson::dom::element;

// Longer terms are left to evaluation.
constexpr std::size_t kTermEntriesMax = 2048;

// What an operator says of a property that is missing, or of a type that it cannot work with.
bool result_of_missing(Operator op) {
  return op == Operator::does_not_exist || op == Operator::is_not ||
         op == Operator::does_not_contain || op == Operator::not_in;
}

// Runs a program over one event.
class Run {
 public:
  Run(const CompiledConditions& conditions, const Reading& reading,
      std::vector<ConditionResult>* explained)
      : conditions_(conditions), reading_(reading), explained_(explained) {}

  bool run() {
    if (conditions_.steps.empty()) return true;
    if (explained_ != nullptr) pointer_ = "/conditions";
    return run_step(0);
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  bool run_step(std::uint32_t index) {
    const Step& step = conditions_.steps[index];
    if (explained_ == nullptr) return result_of(index, step);
    const std::size_t entry = explained_->size();
    explained_->push_back({.pointer = pointer_, .result = false});
    const bool result = result_of(index, step);
    (*explained_)[entry].result = result;
    return result;
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  bool result_of(std::uint32_t index, const Step& step) {
    switch (step.kind) {
      case Condition::Kind::all:
        return run_group(index, step, /*stop_at=*/false);
      case Condition::Kind::any:
        return run_group(index, step, /*stop_at=*/true);
      case Condition::Kind::not_:
        return !run_child(index + 1, "/not");
      case Condition::Kind::compare:
        return compare_property(step);
    }
    assert_failed("unknown Condition::Kind");
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  bool run_group(std::uint32_t index, const Step& step, bool stop_at) {
    bool result = !stop_at;
    std::size_t ordinal = 0;
    for (std::uint32_t child = index + 1; child < step.end; child = conditions_.steps[child].end) {
      const std::string_view name = stop_at ? "any" : "all";
      const bool child_result = explained_ == nullptr
                                    ? run_step(child)
                                    : run_child(child, fmt::format("/{}/{}", name, ordinal++));
      if (child_result != stop_at) continue;
      result = stop_at;
      if (explained_ == nullptr) return result;
    }
    return result;
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  bool run_child(std::uint32_t child, std::string_view below) {
    if (explained_ == nullptr) return run_step(child);
    const std::size_t length = pointer_.size();
    pointer_ += below;
    const bool result = run_step(child);
    pointer_.resize(length);
    return result;
  }

  bool compare_property(const Step& step) {
    const std::uint32_t slot = reading_.slots[step.path];
    if (!step.has_wildcard) {
      const auto value = reading_.values.value(slot);
      return value ? holds(step, *value) : result_of_missing(step.op);
    }
    const auto& matches = reading_.values.matches(slot);
    if (matches.empty()) return result_of_missing(step.op);
    return std::ranges::any_of(
        matches, [&](const WildcardMatch& match) { return holds(step, match.value); });
  }

  bool holds(const Step& step, element value) {
    switch (step.op) {
      case Operator::exists:
        return true;
      case Operator::does_not_exist:
        return false;
      case Operator::is:
      case Operator::in:
        return is_one(step, value);
      case Operator::is_not:
      case Operator::not_in:
        return !is_one(step, value);
      case Operator::contains:
        return contains(step, value);
      case Operator::does_not_contain:
        return !contains(step, value);
      case Operator::starts_with:
      case Operator::ends_with:
      case Operator::matches:
        return text_holds(step, value);
      case Operator::greater_than:
      case Operator::greater_or_equal:
      case Operator::less_than:
      case Operator::less_or_equal:
      case Operator::between:
        return order_holds(step, value);
    }
    assert_failed("unknown Operator");
  }

  bool is_one(const Step& step, element value) {
    const auto scalar = scalar_of(value);
    if (!scalar) return false;
    const auto is_equal = [&](std::uint32_t operand) {
      return equals(*scalar, conditions_.operands[operand], step.ignore_case, reading_.buffer);
    };
    if (step.keyed_begin == step.keyed_end) {
      for (std::uint32_t i = step.operands_begin; i < step.operands_end; ++i) {
        if (is_equal(i)) return true;
      }
      return false;
    }
    const auto begin = conditions_.keyed.begin();
    const std::span keyed(begin + step.keyed_begin, begin + step.keyed_end);
    for (const std::uint64_t key : Keys::of(*scalar, reading_.buffer)) {
      for (const KeyedOperand& found :
           std::ranges::equal_range(keyed, key, {}, &KeyedOperand::key)) {
        if (is_equal(found.operand)) return true;
      }
    }
    return false;
  }

  bool contains(const Step& step, element value) {
    if (!value.is_array()) return text_holds(step, value);
    for (const element item : value.get_array().value_unsafe()) {
      if (is_one(step, item)) return true;
    }
    return false;
  }

  bool text_holds(const Step& step, element value) {
    if (!value.is_string()) return false;
    std::string_view text = value.get_string().value_unsafe();
    if (step.op == Operator::matches) {
      return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()),
                                    *conditions_.patterns[step.pattern]);
    }
    const Operand& operand = conditions_.operands[step.operands_begin];
    if (operand.kind != ScalarKind::text) return false;
    if (step.ignore_case) {
      fold_case(text, reading_.buffer);
      text = reading_.buffer;
    }
    if (step.op == Operator::starts_with) return text.starts_with(operand.text);
    if (step.op == Operator::ends_with) return text.ends_with(operand.text);
    return text.contains(operand.text);
  }

  bool order_holds(const Step& step, element value) {
    const auto scalar = scalar_of(value);
    if (!scalar) return false;
    const auto order = compare(*scalar, conditions_.operands[step.operands_begin]);
    if (!order) return false;
    if (step.op == Operator::greater_than) return *order > 0;
    if (step.op == Operator::greater_or_equal) return *order >= 0;
    if (step.op == Operator::less_than) return *order < 0;
    if (step.op == Operator::less_or_equal) return *order <= 0;
    EILPOST_ASSERT(step.op == Operator::between);
    const auto high = compare(*scalar, conditions_.operands[step.operands_begin + 1]);
    return *order >= 0 && high && *high <= 0;
  }

  const CompiledConditions& conditions_;
  const Reading& reading_;
  std::vector<ConditionResult>* explained_;
  std::string pointer_;
};

// The necessary terms of one step and what is in it.
// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
std::vector<IndexTerm> terms_of(const CompiledConditions& conditions, std::uint32_t index) {
  const Step& step = conditions.steps[index];
  std::vector<IndexTerm> terms;
  if (step.kind == Condition::Kind::compare) {
    if (step.op != Operator::is && step.op != Operator::in) return terms;
    IndexTerm& term = terms.emplace_back();
    for (std::uint32_t i = step.operands_begin; i < step.operands_end; ++i) {
      for (const std::uint64_t key : Keys::of(conditions.operands[i])) {
        term.push_back({.path = step.path, .key = key});
      }
    }
  }
  if (step.kind == Condition::Kind::all) {
    for (std::uint32_t child = index + 1; child < step.end; child = conditions.steps[child].end) {
      for (IndexTerm& term : terms_of(conditions, child)) terms.push_back(std::move(term));
    }
  }
  if (step.kind == Condition::Kind::any) {  // one term of each: one of their entries is met
    IndexTerm& term = terms.emplace_back();
    for (std::uint32_t child = index + 1; child < step.end; child = conditions.steps[child].end) {
      const std::vector<IndexTerm> below = terms_of(conditions, child);
      if (below.empty()) return {};
      const IndexTerm& shortest = *std::ranges::min_element(below, {}, &IndexTerm::size);
      term.insert(term.end(), shortest.begin(), shortest.end());
    }
  }
  std::erase_if(terms, [](const IndexTerm& term) { return term.size() > kTermEntriesMax; });
  return terms;
}

}  // namespace

bool run(const CompiledConditions& conditions, const Reading& reading) {
  return Run(conditions, reading, nullptr).run();
}

void find_terms(CompiledConditions& conditions) {
  if (!conditions.steps.empty()) conditions.terms = terms_of(conditions, 0);
}

bool evaluate(const CompiledConditions& conditions, const EventDocument& document,
              std::vector<ConditionResult>* explained) {
  PropertyTrie trie;
  std::vector<std::uint32_t> slots;
  slots.reserve(conditions.paths.size());
  for (const PropertyPath& path : conditions.paths) {
    slots.push_back(static_cast<std::uint32_t>(trie.add(path)));
  }
  PropertyValues values;
  trie.walk(document, values);
  std::string buffer;
  return Run(conditions, {.values = values, .slots = slots, .buffer = buffer}, explained).run();
}

}  // namespace eilpost::match
