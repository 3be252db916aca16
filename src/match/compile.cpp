#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "match/comparison_check.h"
#include "match/conditions.h"
#include "model/limits.h"

namespace eilpost::match {
namespace {

// Lists from this length on are looked up by hash.
constexpr std::size_t kKeyedFrom = 8;
// Of one compiled pattern; one that needs more is refused.
constexpr std::int64_t kPatternMemoryBytesMax = 1024 * 1024;

bool is_order(Operator op) {
  return op == Operator::greater_than || op == Operator::greater_or_equal ||
         op == Operator::less_than || op == Operator::less_or_equal || op == Operator::between;
}

class Compiler {
 public:
  Compiler(const Webhook& webhook, const Catalog& catalog, Problems& problems)
      : webhook_(webhook), catalog_(catalog), problems_(problems) {}

  std::shared_ptr<const CompiledConditions> compile() {
    const std::size_t errors_before = problems_.errors.size();
    check_events();
    check_environments();
    if (webhook_.conditions) {
      add(*webhook_.conditions, "/conditions", /*depth=*/0);
      check_count(comparisons_count_, "conditions");
      check_count(groups_count_, "groups of conditions");
    }
    if (problems_.errors.size() != errors_before) return nullptr;
    find_terms(*result_);
    return std::move(result_);
  }

 private:
  void check_events() {
    if (webhook_.events.empty()) {
      problems_.error("event_missing", "Choose the event that this webhook waits for.", "/event");
    }
    for (std::size_t i = 0; i < webhook_.events.size(); ++i) {
      const std::string& pattern = webhook_.events[i];
      const std::string pointer =
          webhook_.events.size() == 1 ? "/event" : fmt::format("/event/{}", i);
      const std::vector<const EventType*> selected = catalog_.select(pattern);
      if (selected.empty()) {
        problems_.error("unknown_event_type", describe_unknown(pattern), pointer);
      }
      bool is_new = false;
      for (const EventType* type : selected) {
        if (std::ranges::find(types_, type) != types_.end()) continue;
        types_.push_back(type);
        is_new = true;
      }
      if (!selected.empty() && !is_new) {
        problems_.warn("duplicate_event",
                       fmt::format("\"{}\" is chosen already; it is sent once.", pattern), pointer);
      }
    }
  }

  [[nodiscard]] std::string describe_unknown(std::string_view pattern) const {
    const std::string_view shown = truncate_to_bytes(pattern, limits::kTypeBytesMax);
    if (pattern.ends_with('*')) {
      std::vector<std::string> groups;
      for (const EventGroup& group : catalog_.groups()) groups.push_back(group.code + ".*");
      return fmt::format("There is no group \"{}\". There are {}.", shown, fmt::join(groups, ", "));
    }
    const std::string_view close = catalog_.closest_code(pattern);
    if (close.empty()) return fmt::format("There is no event type \"{}\".", shown);
    return fmt::format("There is no event type \"{}\". Did you mean {}?", shown, close);
  }

  void check_environments() {
    if (webhook_.environments.empty()) {
      problems_.error("environment_missing", "Choose at least one environment, such as production.",
                      "/environments");
    }
    for (std::size_t i = 0; i < webhook_.environments.size(); ++i) {
      const std::string& name = webhook_.environments[i];
      const std::string pointer = fmt::format("/environments/{}", i);
      if (name.empty() || name.size() > limits::kEnvironmentNameMax || !is_valid_utf8(name) ||
          std::ranges::any_of(name, is_ascii_space)) {
        problems_.error("invalid_environment",
                        fmt::format("An environment's name is one word of at most {} characters.",
                                    limits::kEnvironmentNameMax),
                        pointer);
      } else if (std::ranges::count(webhook_.environments.begin(),
                                    webhook_.environments.begin() + static_cast<std::ptrdiff_t>(i),
                                    name) > 0) {
        problems_.warn("duplicate_environment", fmt::format("\"{}\" is chosen already.", name),
                       pointer);
      }
    }
  }

  void check_count(std::size_t count, std::string_view what) {
    if (count <= limits::kConditionsMax) return;
    problems_.error("too_many_conditions",
                    fmt::format("A webhook has at most {} {}. `in` takes many values at once.",
                                limits::kConditionsMax, what),
                    "/conditions");
  }

  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  void add(const Condition& condition, const std::string& pointer, std::size_t depth) {
    if (condition.kind == Condition::Kind::compare) {
      if (++comparisons_count_ <= limits::kConditionsMax) add_comparison(condition, pointer);
      return;
    }
    if (++groups_count_ > limits::kConditionsMax) return;
    if (depth == limits::kConditionDepthMax) {
      problems_.error("conditions_too_deep",
                      fmt::format("`all`, `any` and `not` are nested at most {} deep.",
                                  limits::kConditionDepthMax),
                      pointer);
      return;
    }
    const std::size_t step = result_->steps.size();
    result_->steps.push_back({.kind = condition.kind});
    if (condition.kind == Condition::Kind::not_) {
      if (condition.children.size() == 1) {
        add(condition.children.front(), pointer + "/not", depth + 1);
      } else {
        problems_.error("invalid_condition", "`not` holds exactly one condition.", pointer);
      }
    } else {
      const std::string_view name = condition.kind == Condition::Kind::all ? "all" : "any";
      for (std::size_t i = 0; i < condition.children.size(); ++i) {
        add(condition.children[i], fmt::format("{}/{}/{}", pointer, name, i), depth + 1);
      }
    }
    result_->steps[step].end = static_cast<std::uint32_t>(result_->steps.size());
  }

  void add_comparison(const Condition& comparison, const std::string& pointer) {
    const auto path = PropertyPath::parse(comparison.property);
    if (!path) problems_.error("invalid_path", path.error().detail, pointer + "/property");
    const std::vector<PropertyType> declared = declared_types(comparison.property);
    if (path && declared.empty() && !types_.empty()) warn_undeclared(comparison, pointer);
    if (!check_comparison(comparison, declared, pointer, problems_) || !path) return;

    Step step{.kind = Condition::Kind::compare,
              .op = comparison.op,
              .ignore_case = comparison.ignore_case,
              .has_wildcard = path->has_wildcard(),
              .end = static_cast<std::uint32_t>(result_->steps.size() + 1),
              .path = path_index(*path)};
    add_operands(comparison, step);
    if (comparison.op == Operator::matches) add_pattern(comparison, pointer, step);
    result_->steps.push_back(step);
  }

  [[nodiscard]] std::vector<PropertyType> declared_types(std::string_view property) const {
    std::vector<PropertyType> types;
    for (const EventType* event_type : types_) {
      const auto type = catalog_.declared_type(*event_type, property);
      if (type && std::ranges::find(types, *type) == types.end()) types.push_back(*type);
    }
    return types;
  }

  void warn_undeclared(const Condition& comparison, const std::string& pointer) {
    std::string detail = fmt::format(
        "`{}` is not declared for {}. It is read where an event brings it", comparison.property,
        types_.size() == 1 ? types_.front()->code : std::string("any of these events"));
    const std::string_view close = differently_written(comparison.property);
    detail += close.empty() ? "." : fmt::format("; did you mean `{}`?", close);
    problems_.warn("undeclared_property", std::move(detail), pointer + "/property");
  }

  // A declared property whose name differs in case only.
  [[nodiscard]] std::string_view differently_written(std::string_view property) const {
    const auto is_close = [property](const PropertyDeclaration& declaration) {
      return iequals(declaration.path, property);
    };
    const auto& common = catalog_.common_properties();
    if (const auto found = std::ranges::find_if(common, is_close); found != common.end()) {
      return found->path;
    }
    for (const EventType* type : types_) {
      const auto found = std::ranges::find_if(type->properties, is_close);
      if (found != type->properties.end()) return found->path;
    }
    return {};
  }

  std::uint32_t path_index(const PropertyPath& path) {
    std::vector<PropertyPath>& paths = result_->paths;
    const auto found = std::ranges::find(paths, path.segments, &PropertyPath::segments);
    const auto index = static_cast<std::uint32_t>(found - paths.begin());
    if (found == paths.end()) paths.push_back(path);
    return index;
  }

  // REQUIRES: check_comparison() found nothing wrong.
  void add_operands(const Condition& comparison, Step& step) {
    std::vector<Operand>& operands = result_->operands;
    step.operands_begin = static_cast<std::uint32_t>(operands.size());
    const auto add_operand = [&](const Json& value) {
      auto operand = operand_of(value, comparison.ignore_case);
      if (operand) operands.push_back(std::move(*operand));
    };
    if (comparison.value.is_array()) {
      for (const Json& value : comparison.value) add_operand(value);
    } else {
      add_operand(comparison.value);
    }
    step.operands_end = static_cast<std::uint32_t>(operands.size());
    if (!is_order(comparison.op)) add_keys(step);
  }

  void add_keys(Step& step) {
    std::vector<KeyedOperand>& keyed = result_->keyed;
    step.keyed_begin = step.keyed_end = static_cast<std::uint32_t>(keyed.size());
    if (step.operands_end - step.operands_begin < kKeyedFrom) return;
    for (std::uint32_t i = step.operands_begin; i < step.operands_end; ++i) {
      for (const std::uint64_t key : Keys::of(result_->operands[i])) {
        keyed.push_back({.key = key, .operand = i});
      }
    }
    step.keyed_end = static_cast<std::uint32_t>(keyed.size());
    std::ranges::sort(keyed.begin() + step.keyed_begin, keyed.end());
  }

  void add_pattern(const Condition& comparison, const std::string& pointer, Step& step) {
    const auto& text = comparison.value.get_ref<const std::string&>();
    if (text.size() > limits::kPatternBytesMax) {
      problems_.error("invalid_pattern",
                      fmt::format("A pattern has at most {} bytes; this one has {}.",
                                  limits::kPatternBytesMax, text.size()),
                      pointer + "/value");
      return;
    }
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!comparison.ignore_case);
    options.set_max_mem(kPatternMemoryBytesMax);
    auto pattern = std::make_unique<const re2::RE2>(text, options);
    if (!pattern->ok()) {
      problems_.error("invalid_pattern",
                      fmt::format("This is no valid pattern (RE2 syntax): {}.", pattern->error()),
                      pointer + "/value");
      return;
    }
    step.pattern = static_cast<std::uint32_t>(result_->patterns.size());
    result_->patterns.push_back(std::move(pattern));
  }

  const Webhook& webhook_;
  const Catalog& catalog_;
  Problems& problems_;
  std::vector<const EventType*> types_;
  std::size_t comparisons_count_ = 0;
  std::size_t groups_count_ = 0;
  std::shared_ptr<CompiledConditions> result_ = std::make_shared<CompiledConditions>();
};

}  // namespace

std::shared_ptr<const CompiledConditions> compile(const Webhook& webhook, const Catalog& catalog,
                                                  Problems& problems) {
  return Compiler(webhook, catalog, problems).compile();
}

}  // namespace eilpost::match
