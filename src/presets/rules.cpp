#include "presets/rules.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/utf8.h"

namespace eilpost::presets {
namespace {

constexpr std::size_t kShownCharactersMax = 60;

bool is_letter(char c) {
  return is_ascii_letter(c);
}

bool has_characters(TextRules::Characters characters, std::string_view text) {
  using Characters = TextRules::Characters;
  switch (characters) {
    case Characters::any:
      return true;
    case Characters::id:
      return std::ranges::all_of(
          text, [](char c) { return is_letter(c) || is_ascii_digit(c) || c == '-'; });
    case Characters::identifier:
      return !text.empty() && is_letter(text[0]) && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_ascii_digit(c) || c == '_';
      });
    case Characters::lower_identifier:
      return !text.empty() && is_ascii_lower(text[0]) && std::ranges::all_of(text, [](char c) {
        return is_ascii_lower(c) || is_ascii_digit(c) || c == '_';
      });
  }
  assert_failed("TextRules::Characters");
}

std::string_view describe(TextRules::Characters characters) {
  using Characters = TextRules::Characters;
  switch (characters) {
    case Characters::any:
      return "anything";
    case Characters::id:
      return "A-Z, a-z, 0-9 and - only";
    case Characters::identifier:
      return "a letter, then letters, digits and _ only";
    case Characters::lower_identifier:
      return "a small letter, then a-z, 0-9 and _ only";
  }
  assert_failed("TextRules::Characters");
}

// Something before and behind one @, a dot behind it, no blanks. What a mailbox takes is its own.
bool is_email(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) {
    return false;
  }
  const std::string_view host = text.substr(at + 1);
  const std::size_t dot = host.rfind('.');
  const bool has_blank = std::ranges::any_of(
      text, [](char c) { return is_ascii_space(c) || static_cast<unsigned char>(c) < 0x20; });
  return dot != std::string_view::npos && dot > 0 && dot + 1 < host.size() && !has_blank;
}

std::string shown(std::string_view text) {
  const std::string_view beginning = truncate_to_code_points(text, kShownCharactersMax);
  return fmt::format("\"{}{}\"", beginning, beginning.size() < text.size() ? "…" : "");
}

bool is_empty(const Json* json) {
  if (json == nullptr || json->is_null()) return true;
  if (json->is_string()) return json->get_ref<const std::string&>().empty();
  return json->is_structured() && json->empty();
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth that parse_json() lets through.
std::size_t depth_of(const Json& json) {
  if (!json.is_structured()) return 0;
  std::size_t inner = 0;
  for (const Json& item : json) inner = std::max(inner, depth_of(item));
  return inner + 1;
}

// The value at a JSON Pointer of our own, which has no escapes.
const Json* find_at(const Json& json, std::string_view pointer) {
  const Json* here = &json;
  while (!pointer.empty() && here != nullptr) {
    pointer.remove_prefix(1);
    const std::string step(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(step.size());
    if (here->is_object()) {
      const auto found = here->find(step);
      here = found == here->end() ? nullptr : &*found;
    } else {
      here = here->is_array() && step == "0" && !here->empty() ? &here->front() : nullptr;
    }
  }
  return here;
}

// "/events/0/name" for people: name.
std::string_view name_of(const Rule& rule) {
  const std::size_t slash = rule.at.rfind('/');
  return slash == std::string::npos ? std::string_view("the body")
                                    : std::string_view(rule.at).substr(slash + 1);
}

std::optional<std::string> broken_members(const Rule& rule, const Json& object) {
  if (object.size() > rule.members_max) {
    return fmt::format("{} has {} members, and at most {} are taken", name_of(rule), object.size(),
                       rule.members_max);
  }
  for (const auto& [name, value] : object.items()) {
    if (rule.names) {
      if (const auto why = broken(*rule.names, name)) {
        return fmt::format("the name {} {}", shown(name), *why);
      }
    }
    if (!rule.values || !value.is_string()) continue;
    if (const auto why = broken(*rule.values, value.get_ref<const std::string&>())) {
      return fmt::format("the value of \"{}\" {}", name, *why);
    }
  }
  return std::nullopt;
}

std::optional<std::string> broken_text(const Rule& rule, const Json& value,
                                       const CheckInput& input) {
  TextRules rules = *rule.text;
  if (!rule.length_min_field.empty() && input.find_field != nullptr) {
    const Json* field = input.find_field(input.context, rule.length_min_field);
    if (field != nullptr && field->is_number_integer()) {
      rules.length_min =
          static_cast<std::size_t>(std::max<std::int64_t>(field->get<std::int64_t>(), 0));
    }
  }
  const std::string text = value.is_string() ? value.get<std::string>() : to_text(value);
  const auto why = broken(rules, text);
  if (!why) return std::nullopt;
  return fmt::format("{} is {}, which {}", name_of(rule), shown(text), *why);
}

std::optional<std::string> broken_age(const Rule& rule, const Json& value, WallTime now) {
  if (!value.is_number_integer()) return std::nullopt;
  const auto number = value.get<std::int64_t>();
  const WallTime time{std::chrono::milliseconds(rule.is_in_microseconds ? number / 1000 : number)};
  const auto age = std::chrono::duration_cast<std::chrono::hours>(now - time);
  if (age < *rule.age_max) return std::nullopt;
  constexpr std::int64_t kDayHours = 24;
  return age.count() >= 4 * kDayHours
             ? fmt::format("the event is {} days old", age.count() / kDayHours)
             : fmt::format("the event is {} hours old", age.count());
}

std::optional<std::string> broken_value(const Rule& rule, const Json& value,
                                        const CheckInput& input) {
  if (!rule.any_of.empty()) {
    const bool has_one = std::ranges::any_of(rule.any_of, [&](const std::string& member) {
      const auto found = value.is_object() ? value.find(member) : value.end();
      return found != value.end() && !is_empty(&*found);
    });
    if (!has_one) return fmt::format("there is no {}", fmt::join(rule.any_of, " and no "));
  }
  if (rule.at.empty() && input.body.size() > rule.bytes_max) {
    return fmt::format("the body has {} bytes, and at most {} are taken", input.body.size(),
                       rule.bytes_max);
  }
  if (value.is_array() && value.size() > rule.items_max) {
    return fmt::format("{} has {} entries, and at most {} are taken", name_of(rule), value.size(),
                       rule.items_max);
  }
  if (rule.depth_max != SIZE_MAX && depth_of(value) > rule.depth_max) {
    return fmt::format("{} is nested {} deep, and at most {} is taken", name_of(rule),
                       depth_of(value), rule.depth_max);
  }
  if (value.is_object()) {
    if (auto why = broken_members(rule, value)) return why;
  }
  if (rule.text && !value.is_structured()) {
    if (auto why = broken_text(rule, value, input)) return why;
  }
  if (rule.age_max) return broken_age(rule, value, input.now);
  return std::nullopt;
}

std::vector<std::string> texts_in(const Json& json, const char* key) {
  std::vector<std::string> texts;
  if (!json.contains(key)) return texts;
  for (const Json& text : json.at(key)) texts.push_back(text.get<std::string>());
  return texts;
}

TextRules::Characters characters_of(const std::string& name) {
  using Characters = TextRules::Characters;
  if (name == "id") return Characters::id;
  if (name == "identifier") return Characters::identifier;
  EILPOST_ASSERT(name == "lower_identifier");
  return Characters::lower_identifier;
}

}  // namespace

std::optional<std::string> broken(const TextRules& rules, std::string_view text) {
  const std::size_t length = count_code_points(text);
  if (length > rules.length_max) {
    return fmt::format("has {} characters, and at most {} are taken", length, rules.length_max);
  }
  if (length < rules.length_min) {
    return fmt::format("has {} characters, and at least {} are wanted", length, rules.length_min);
  }
  if (!has_characters(rules.characters, text)) {
    return fmt::format("may be made of {}", describe(rules.characters));
  }
  if (std::ranges::find(rules.refused, to_ascii_lower(text)) != rules.refused.end()) {
    return "is a text that is not taken";
  }
  for (const std::string& prefix : rules.refused_prefixes) {
    if (to_ascii_lower(text).starts_with(to_ascii_lower(prefix))) {
      return fmt::format("begins with \"{}\", which is not taken", prefix);
    }
  }
  if (rules.is_email && !is_email(text)) return "is no e-mail address";
  return std::nullopt;
}

std::optional<std::string> broken(const std::vector<Rule>& rules, const CheckInput& input) {
  const Result<Json> body = parse_json(input.body);
  if (!body) return std::nullopt;  // A body of another kind is the operator's own.
  for (const Rule& rule : rules) {
    const Json* value = find_at(*body, rule.at);
    std::optional<std::string> why;
    if ((rule.is_required && is_empty(value)) || (rule.is_present && value == nullptr)) {
      why = fmt::format("{} is missing", name_of(rule));
    } else if (value != nullptr) {
      why = broken_value(rule, *value, input);
    }
    if (!why) continue;
    return fmt::format("Nothing was sent, because {}. {}", *why, rule.why);
  }
  return std::nullopt;
}

TextRules text_rules_of(const Json& json) {
  TextRules rules;
  rules.length_max = json.value("length_max", SIZE_MAX);
  if (json.contains("characters")) {
    rules.characters = characters_of(json.at("characters").get<std::string>());
  }
  rules.refused = texts_in(json, "not");
  rules.refused_prefixes = texts_in(json, "not_prefix");
  rules.is_email = json.value("email", false);
  return rules;
}

Rule rule_of(const Json& json) {
  Rule rule;
  rule.at = json.at("at").get<std::string>();
  rule.is_required = json.value("required", false);
  rule.is_present = json.value("present", false);
  rule.any_of = texts_in(json, "any_of");
  rule.bytes_max = json.value("bytes_max", SIZE_MAX);
  rule.items_max = json.value("items_max", SIZE_MAX);
  rule.members_max = json.value("members_max", SIZE_MAX);
  rule.depth_max = json.value("depth_max", SIZE_MAX);
  rule.length_min_field = json.value("length_min_field", "");
  for (const char* key : {"length_max", "characters", "not", "not_prefix", "email"}) {
    if (json.contains(key)) rule.text = text_rules_of(json);
  }
  if (!rule.length_min_field.empty() && !rule.text) rule.text = TextRules{};
  if (json.contains("names")) rule.names = text_rules_of(json.at("names"));
  if (json.contains("values")) rule.values = text_rules_of(json.at("values"));
  if (json.contains("age_hours_max")) {
    rule.age_max = std::chrono::hours(json.at("age_hours_max").get<std::int64_t>());
  }
  if (json.contains("age_days_max")) {
    rule.age_max = std::chrono::hours(24 * json.at("age_days_max").get<std::int64_t>());
  }
  rule.is_in_microseconds = json.value("unit", "ms") == "us";
  rule.why = json.at("why").get<std::string>();
  return rule;
}

}  // namespace eilpost::presets
