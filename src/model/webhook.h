#pragma once
// A webhook as the user sees it (SPEC "Webhooks"): event type + conditions + properties + body.

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/json.h"

namespace eilpost {

enum class Operator : std::uint8_t {
  is,
  is_not,
  contains,
  does_not_contain,
  starts_with,
  ends_with,
  matches,
  in,
  not_in,
  greater_than,
  greater_or_equal,
  less_than,
  less_or_equal,
  between,
  exists,
  does_not_exist,
};

[[nodiscard]] std::string_view to_string(Operator op);
[[nodiscard]] std::optional<Operator> parse_operator(std::string_view text);

// A node of the condition tree.
struct Condition {  // NOLINT(misc-no-recursion): a copy goes kConditionDepthMax deep
  enum class Kind : std::uint8_t { all, any, not_, compare };

  Kind kind = Kind::all;
  std::vector<Condition> children;  // of all and any; exactly one of not_

  // Of compare:
  std::string property;
  Operator op = Operator::exists;
  Json value;  // absent (null) for exists and does_not_exist
  bool ignore_case = false;
};

enum class Missing : std::uint8_t { leave_out, null };

struct ChosenProperty {
  std::string property;
  std::string as;  // empty: the property's own name
  std::optional<Missing> missing;
};

struct StaticProperty {
  std::string name;
  Json value;  // text (may hold placeholders), number or boolean
};

struct Body {
  enum class Format : std::uint8_t { destination, flat, nested, envelope, form, template_ };

  Format format = Format::destination;
  bool underscores = false;  // "keys":"underscores", of flat
  Json template_json;        // of template_
};

struct Webhook {
  WebhookId id{};
  std::uint32_t version = 1;
  std::string name;
  bool enabled = true;
  std::vector<std::string> events;  // codes, or groups such as "survey.*"; at least one
  std::vector<std::string> environments = {"production"};
  std::optional<Condition> conditions;  // nothing: every event
  std::vector<ChosenProperty> properties;
  std::vector<StaticProperty> static_properties;
  Missing missing = Missing::leave_out;
  Body body;
  DestinationId destination{};
  WallTime created_at;
  WallTime updated_at;
};

}  // namespace eilpost
