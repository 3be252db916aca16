#include "match/comparison_check.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

#include "base/assert.h"
#include "match/scalar.h"
#include "model/limits.h"

namespace eilpost::match {
namespace {

// Operators that take the same values.
enum class Family : std::uint8_t { existence, equality, containment, text, order };

Family family_of(Operator op) {
  switch (op) {
    case Operator::exists:
    case Operator::does_not_exist:
      return Family::existence;
    case Operator::is:
    case Operator::is_not:
    case Operator::in:
    case Operator::not_in:
      return Family::equality;
    case Operator::contains:
    case Operator::does_not_contain:
      return Family::containment;
    case Operator::starts_with:
    case Operator::ends_with:
    case Operator::matches:
      return Family::text;
    case Operator::greater_than:
    case Operator::greater_or_equal:
    case Operator::less_than:
    case Operator::less_or_equal:
    case Operator::between:
      return Family::order;
  }
  assert_failed("unknown Operator");
}

bool may_be_text(PropertyType type) {
  return type == PropertyType::string || type == PropertyType::id || type == PropertyType::scalar ||
         type == PropertyType::any;
}

bool operator_fits(Family family, PropertyType type) {
  switch (family) {
    case Family::existence:
      return true;
    case Family::equality:
      return type != PropertyType::array && type != PropertyType::object;
    case Family::containment:
      return may_be_text(type) || type == PropertyType::array;
    case Family::text:
      return may_be_text(type);
    case Family::order:
      return type != PropertyType::array && type != PropertyType::object &&
             type != PropertyType::boolean;
  }
  assert_failed("unknown Family");
}

// Whether the value is one that the operator works with, whatever the property's type.
bool value_fits_operator(Family family, const Operand& value) {
  switch (family) {
    case Family::existence:
      return false;
    case Family::equality:
      return true;
    case Family::containment:
      return value.kind != ScalarKind::text || !value.text.empty();
    case Family::text:
      return value.kind == ScalarKind::text && !value.text.empty();
    case Family::order:
      return value.number || value.instant;
  }
  assert_failed("unknown Family");
}

// REQUIRES: operator_fits() and value_fits_operator().
bool value_fits_type(Family family, PropertyType type, const Operand& value) {
  switch (type) {
    case PropertyType::any:
      return true;
    case PropertyType::array:
      return true;
    case PropertyType::object:
      return false;
    case PropertyType::boolean:
      return value.kind == ScalarKind::boolean;
    case PropertyType::integer:
    case PropertyType::number:
      return value.number.has_value();
    case PropertyType::id:
      return value.kind != ScalarKind::boolean &&
             (family != Family::order || value.number.has_value()) &&
             (family != Family::containment || value.kind == ScalarKind::text);
    case PropertyType::string:
      return value.kind != ScalarKind::boolean &&
             (family != Family::containment || value.kind == ScalarKind::text);
    case PropertyType::scalar:
      return family != Family::containment || value.kind == ScalarKind::text;
  }
  assert_failed("unknown PropertyType");
}

// What a person would have to write: "`is` needs …".
std::string_view needed_value(Family family, PropertyType type) {
  if (family == Family::text) return "text that is not empty";
  if (family == Family::containment) {
    return type == PropertyType::array || type == PropertyType::any
               ? "text that is not empty, a number, true or false"
               : "text that is not empty";
  }
  const bool is_order = family == Family::order;
  switch (type) {
    case PropertyType::integer:
    case PropertyType::number:
      return "a number";
    case PropertyType::boolean:
      return "true or false";
    case PropertyType::id:
      return is_order ? "a number" : "text or a number";
    case PropertyType::string:
      return is_order ? "a number or a time such as 2026-11-24T09:00:00Z" : "text or a number";
    case PropertyType::array:
    case PropertyType::object:
    case PropertyType::scalar:
    case PropertyType::any:
      return is_order ? "a number or a time such as 2026-11-24T09:00:00Z"
                      : "text, a number, true or false";
  }
  assert_failed("unknown PropertyType");
}

std::string_view described(PropertyType type) {
  switch (type) {
    case PropertyType::string:
      return "text";
    case PropertyType::integer:
      return "an integer";
    case PropertyType::number:
      return "a number";
    case PropertyType::boolean:
      return "true or false";
    case PropertyType::array:
      return "an array";
    case PropertyType::object:
      return "an object";
    case PropertyType::id:
      return "an id (text or an integer)";
    case PropertyType::scalar:
      return "text, a number, true or false";
    case PropertyType::any:
      return "of any type";
  }
  assert_failed("unknown PropertyType");
}

std::string_view operators_for(PropertyType type) {
  switch (type) {
    case PropertyType::integer:
    case PropertyType::number:
      return "use `is`, `in`, `greater_than`, `less_than` or `between`";
    case PropertyType::boolean:
      return "use `is` or `exists`";
    case PropertyType::array:
      return "use `contains`, or a path with * such as answers.*.value";
    case PropertyType::object:
      return "choose one of the properties in it, or use `exists`";
    case PropertyType::string:
    case PropertyType::id:
    case PropertyType::scalar:
    case PropertyType::any:
      return "use another one";
  }
  assert_failed("unknown PropertyType");
}

class Check {
 public:
  Check(const Condition& comparison, std::span<const PropertyType> declared,
        const std::string& pointer, Problems& problems)
      : comparison_(comparison),
        family_(family_of(comparison.op)),
        declared_(declared),
        pointer_(pointer),
        problems_(problems),
        errors_before_(problems.errors.size()) {}

  bool run() {
    check_operator();
    check_ignore_case();
    switch (comparison_.op) {
      case Operator::exists:
      case Operator::does_not_exist:
        check_no_value();
        break;
      case Operator::in:
      case Operator::not_in:
        check_list();
        break;
      case Operator::between:
        check_range();
        break;
      case Operator::is:
      case Operator::is_not:
      case Operator::contains:
      case Operator::does_not_contain:
      case Operator::starts_with:
      case Operator::ends_with:
      case Operator::matches:
      case Operator::greater_than:
      case Operator::greater_or_equal:
      case Operator::less_than:
      case Operator::less_or_equal:
        check_value(comparison_.value, value_pointer());
        break;
    }
    return problems_.errors.size() == errors_before_;
  }

 private:
  [[nodiscard]] std::string_view op() const { return to_string(comparison_.op); }
  [[nodiscard]] std::string value_pointer() const { return pointer_ + "/value"; }
  [[nodiscard]] bool fits_any_type() const {
    return declared_.empty() || std::ranges::any_of(declared_, [this](PropertyType type) {
             return operator_fits(family_, type);
           });
  }

  void check_operator() {
    if (fits_any_type()) return;
    problems_.error(
        "invalid_operator",
        fmt::format("`{}` does not go with `{}`, which is {}: {}.", op(), comparison_.property,
                    described(declared_.front()), operators_for(declared_.front())),
        pointer_ + "/operator");
  }

  void check_ignore_case() {
    if (!comparison_.ignore_case || (family_ != Family::existence && family_ != Family::order)) {
      return;
    }
    problems_.error("invalid_ignore_case",
                    fmt::format("`ignore_case` is for text: leave it out with `{}`.", op()),
                    pointer_ + "/ignore_case");
  }

  void check_no_value() {
    if (comparison_.value.is_null()) return;
    problems_.error("invalid_value", fmt::format("`{}` takes no value: leave it out.", op()),
                    value_pointer());
  }

  void check_list() {
    const Json& list = comparison_.value;
    if (!list.is_array() || list.empty()) {
      problems_.error("invalid_value",
                      fmt::format("`{}` needs a list of at least one value.", op()),
                      value_pointer());
      return;
    }
    if (list.size() > limits::kConditionListMax) {
      problems_.error("invalid_value",
                      fmt::format("`{}` takes at most {} values; these are {}.", op(),
                                  limits::kConditionListMax, list.size()),
                      value_pointer());
      return;
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      check_value(list[i], fmt::format("{}/{}", value_pointer(), i));
    }
  }

  void check_range() {
    const Json& range = comparison_.value;
    if (!range.is_array() || range.size() != 2) {
      problems_.error("invalid_value",
                      "`between` needs a list of two values, the lower one first: [1, 10].",
                      value_pointer());
      return;
    }
    const bool low_fits = check_value(range[0], value_pointer() + "/0");
    const bool high_fits = check_value(range[1], value_pointer() + "/1");
    if (!low_fits || !high_fits || !fits_any_type()) return;
    const Operand low = *operand_of(range[0], /*ignore_case=*/false);
    const Operand high = *operand_of(range[1], /*ignore_case=*/false);
    if (low.number.has_value() != high.number.has_value()) {
      problems_.error("invalid_value", "`between` needs two numbers or two times, not one of each.",
                      value_pointer());
    } else if (low.number ? *high.number < *low.number : *high.instant < *low.instant) {
      problems_.error("invalid_value",
                      "`between` needs the lower value first; no property is between these.",
                      value_pointer());
    }
  }

  // Whether it fits. Says nothing more if the operator does not fit the property anyway.
  bool check_value(const Json& value, std::string pointer) {
    const auto operand = operand_of(value, /*ignore_case=*/false);
    const bool fits = operand && value_fits_operator(family_, *operand);
    if (declared_.empty()) {
      if (!fits) complain(PropertyType::any, value, std::move(pointer));
      return fits;
    }
    if (!fits_any_type()) return true;
    const auto type = std::ranges::find_if(
        declared_, [this](PropertyType each) { return operator_fits(family_, each); });
    const bool fits_type =
        fits && std::ranges::any_of(declared_, [&](PropertyType each) {
          return operator_fits(family_, each) && value_fits_type(family_, each, *operand);
        });
    if (!fits_type) complain(*type, value, std::move(pointer));
    return fits_type;
  }

  void complain(PropertyType type, const Json& value, std::string pointer) {
    std::string detail = fmt::format("`{}` needs {}", op(), needed_value(family_, type));
    if (type != PropertyType::any) {
      detail += fmt::format("; `{}` is {}", comparison_.property, described(type));
    }
    if (value.is_null() && family_ == Family::equality) {
      detail += ". To ask for a property that is missing use `does_not_exist`";
    }
    problems_.error("invalid_value", detail + ".", std::move(pointer));
  }

  const Condition& comparison_;
  Family family_;
  std::span<const PropertyType> declared_;
  const std::string& pointer_;
  Problems& problems_;
  std::size_t errors_before_;
};

}  // namespace

bool check_comparison(const Condition& comparison, std::span<const PropertyType> declared,
                      const std::string& pointer, Problems& problems) {
  return Check(comparison, declared, pointer, problems).run();
}

}  // namespace eilpost::match
