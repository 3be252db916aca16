#pragma once
// What Eilpost knows of a platform beforehand (SPEC "Presets"): what people must fill in, what it
// prescribes to a destination, and what it would refuse.
//
// Threads: any; presets are made once and never change.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"
#include "model/webhook.h"
#include "presets/rules.h"

namespace eilpost::presets {

// A value that people fill in.
struct FormField {
  enum class Type : std::uint8_t { text, choice, number, boolean, property, list };
  enum class Form : std::uint8_t { any, url, digits, word };

  std::string name;
  Type type = Type::text;
  Form form = Form::any;
  bool is_required = false;
  bool is_open = false;       // of choice: other values are taken too
  Json default_value;         // null: none
  std::vector<Json> choices;  // of choice
  std::string label;          // English
  std::string help;           // English
};

// The names under which a webhook may send properties.
struct NameRules {
  bool should_choose = false;  // sending all of an event is seldom what is wanted
  std::size_t properties_max = SIZE_MAX;
  bool has_underscores = false;  // dots become underscores on the way
  TextRules names;
  std::vector<std::string> control;  // names that the body takes for something else
  std::string why;
};

struct Preset {
  std::string platform;
  std::string name;
  Json form;  // for people: name, summary, documentation, fields, secrets
  std::vector<FormField> fields;
  std::vector<FormField> secrets;
  Json destination;                     // what it prescribes, as the API writes it
  std::optional<std::string> test_url;  // of a test, instead of the destination's own
  std::optional<SuccessRule> test_success;
  // By which it asks for fewer requests at once, beside 429 and 503.
  std::vector<std::uint16_t> slow_statuses;
  std::optional<NameRules> webhook;
  std::vector<Rule> rules;
};

// Null pointer: there is no preset of this name.
[[nodiscard]] const Preset* find(std::string_view platform);
// In the order in which people see them.
[[nodiscard]] const std::vector<Preset>& all();

// Puts what the preset prescribes, and its defaults, where `input`, the API's JSON of a
// destination, says nothing.
void fill(const Preset& preset, Json& input);

// Reports what is missing or wrong in fields and secrets.
void check_form(const Preset& preset, const Destination& destination, Problems& problems);

// Reports the properties of a webhook, with the body that the preset prescribes, whose names the
// platform would refuse, and what people will probably be surprised by.
void check_webhook(const Preset& preset, const Webhook& webhook, Problems& problems);

}  // namespace eilpost::presets
