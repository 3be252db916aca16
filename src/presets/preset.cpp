#include "presets/preset.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "model/event_document.h"
#include "model/limits.h"
#include "presets/platforms.h"

namespace eilpost::presets {
namespace {

FormField::Type type_of(const std::string& name) {
  using Type = FormField::Type;
  constexpr std::pair<std::string_view, Type> kTypes[] = {
      {"text", Type::text},       {"choice", Type::choice},     {"number", Type::number},
      {"boolean", Type::boolean}, {"property", Type::property}, {"list", Type::list}};
  const auto* const found =
      std::ranges::find(kTypes, std::string_view(name), &std::pair<std::string_view, Type>::first);
  EILPOST_ASSERT(found != std::end(kTypes));
  return found->second;
}

FormField::Form form_of(const std::string& name) {
  if (name == "url") return FormField::Form::url;
  if (name == "digits") return FormField::Form::digits;
  if (name == "word") return FormField::Form::word;
  EILPOST_ASSERT(name == "any");
  return FormField::Form::any;
}

std::vector<FormField> fields_of(const Json& list) {
  std::vector<FormField> fields;
  for (const Json& json : list) {
    FormField field;
    field.name = json.at("name").get<std::string>();
    field.type = type_of(json.value("type", "text"));
    field.form = form_of(json.value("form", "any"));
    field.is_required = json.value("required", false);
    field.is_open = json.value("open", false);
    field.default_value = json.value("default", Json());
    for (const Json& choice : json.value("choices", Json::array())) {
      field.choices.push_back(choice.at("value"));
    }
    field.label = json.at("label").at("en").get<std::string>();
    field.help = json.at("help").at("en").get<std::string>();
    fields.push_back(std::move(field));
  }
  return fields;
}

NameRules name_rules_of(const Json& json) {
  NameRules rules;
  rules.should_choose = json.value("choose", false);
  rules.properties_max = json.value("properties_max", SIZE_MAX);
  rules.has_underscores = json.value("names_as", "") == "underscores";
  rules.names = text_rules_of(json.at("names"));
  for (const Json& name : json.at("control")) rules.control.push_back(name.get<std::string>());
  rules.why = json.at("why").get<std::string>();
  return rules;
}

// Our presets have one rule about the answer to a test.
SuccessRule test_success_of(const Json& json) {
  const Json& body = json.at("success").at("body");
  return {.body = AnswerBodyRule{.kind = AnswerBodyRule::Kind::pointer,
                                 .text = body.at("pointer").get<std::string>(),
                                 .value = body.at("equals")}};
}

Preset read(std::string_view text) {
  const Result<Json> parsed = parse_json(text);
  EILPOST_ASSERT(parsed.has_value());
  const Json& json = *parsed;
  Preset preset;
  preset.platform = json.at("platform").get<std::string>();
  preset.name = json.at("name").get<std::string>();
  for (const char* key : {"platform", "name", "summary", "documentation", "fields", "secrets"}) {
    preset.form[key] = json.at(key);
  }
  preset.fields = fields_of(json.at("fields"));
  preset.secrets = fields_of(json.at("secrets"));
  preset.destination = json.at("destination");
  if (json.contains("test")) {
    preset.test_url = json.at("test").at("url").get<std::string>();
    preset.test_success = test_success_of(json.at("test"));
  }
  preset.slow_statuses = json.value("slow_statuses", std::vector<std::uint16_t>());
  if (json.contains("webhook")) preset.webhook = name_rules_of(json.at("webhook"));
  for (const Json& rule : json.at("rules")) preset.rules.push_back(rule_of(rule));
  return preset;
}

// Puts what `defaults` has where `json` has nothing. What is one thing is not mixed from two.
// NOLINTNEXTLINE(misc-no-recursion): bounded by the depth of our own texts.
void fill_absent(Json& json, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    const auto found = json.find(key);
    if (found == json.end()) {
      json[key] = value;
    } else if (found->is_object() && value.is_object() && key != "body" &&
               key != "authentication" && key != "partial") {
      fill_absent(*found, value);
    }
  }
}

bool has_form(FormField::Form form, std::string_view text) {
  switch (form) {
    case FormField::Form::any:
      return true;
    case FormField::Form::url:
      return text.starts_with("https://") || text.starts_with("http://");
    case FormField::Form::digits:
      return !text.empty() && std::ranges::all_of(text, is_ascii_digit);
    case FormField::Form::word:
      return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '_';
      });
  }
  assert_failed("FormField::Form");
}

std::string_view describe(FormField::Form form) {
  switch (form) {
    case FormField::Form::any:
      return "a text";
    case FormField::Form::url:
      return "an address that begins with https://";
    case FormField::Form::digits:
      return "a number, digits only";
    case FormField::Form::word:
      return "made of letters, digits, - and _";
  }
  assert_failed("FormField::Form");
}

// A text, or a whole number that stands for one.
std::string text_in(const Json& value) {
  return value.is_string() ? value.get<std::string>() : to_text(value);
}

// What a value must be, if it is something else.
std::optional<std::string> wanted(const FormField& field, const Json& value) {
  using Type = FormField::Type;
  switch (field.type) {
    case Type::choice:
      if (std::ranges::find(field.choices, value) != field.choices.end()) return std::nullopt;
      if (!field.is_open) return "one of " + to_text(Json(field.choices));
      [[fallthrough]];
    case Type::text:
      if (!value.is_structured() && has_form(field.form, text_in(value))) return std::nullopt;
      return std::string(describe(field.form));
    case Type::number:
      if (value.is_number_unsigned()) return std::nullopt;
      return "a whole number";
    case Type::boolean:
      if (value.is_boolean()) return std::nullopt;
      return "true or false";
    case Type::property:
      if (value.is_string() && PropertyPath::parse(value.get<std::string>())) return std::nullopt;
      return "the path of a property, such as wm.euId";
    case Type::list:
      break;
  }
  const bool is_good =
      value.is_array() && !value.empty() && std::ranges::all_of(value, [&](const Json& item) {
        return !item.is_structured() && has_form(field.form, text_in(item));
      });
  if (is_good) return std::nullopt;
  return fmt::format("a list, each {}", describe(field.form));
}

void check_field(const Preset& preset, const FormField& field, const Json* value,
                 const std::string& place, Problems& problems) {
  const std::string pointer = place + field.name;
  if (value == nullptr) {
    if (!field.is_required) return;
    problems.error(
        "required",
        fmt::format("{} needs \"{}\": {}. {}", preset.name, field.name, field.label, field.help),
        pointer);
    return;
  }
  if (const auto what = wanted(field, *value)) {
    problems.error(
        "bad_value",
        fmt::format("\"{}\" ({}) must be {}. {}", field.name, field.label, *what, field.help),
        pointer);
  }
}

std::string names_in(const std::vector<FormField>& fields) {
  std::string names;
  for (const FormField& field : fields) names += (names.empty() ? "" : ", ") + field.name;
  return names.empty() ? "none" : names;
}

bool knows(const std::vector<FormField>& fields, std::string_view name) {
  return std::ranges::find(fields, name, &FormField::name) != fields.end();
}

void check_unknown(const Preset& preset, const Destination& destination, Problems& problems) {
  for (const Field& field : destination.fields) {
    if (knows(preset.fields, field.name)) continue;
    problems.error("unknown_field",
                   fmt::format("{} has no field \"{}\". There are {}.", preset.name, field.name,
                               names_in(preset.fields)),
                   "/fields/" + field.name);
  }
  for (const Secret& secret : destination.secrets) {
    if (knows(preset.secrets, secret.name)) continue;
    problems.error("unknown_field",
                   fmt::format("{} has no secret \"{}\". There are {}.", preset.name, secret.name,
                               names_in(preset.secrets)),
                   "/secrets/" + secret.name);
  }
}

// Checks the names under which a webhook sends its properties.
class NameChecker {
 public:
  NameChecker(const Preset& preset, const Webhook& webhook, Problems& problems)
      : preset_(preset), rules_(*preset.webhook), webhook_(webhook), problems_(problems) {}

  void check() {
    for (std::size_t i = 0; i < webhook_.properties.size(); ++i) {
      const ChosenProperty& property = webhook_.properties[i];
      const bool is_renamed = !property.as.empty();
      check_name(is_renamed ? property.as : property.property,
                 fmt::format("/properties/{}/{}", i, is_renamed ? "as" : "property"));
    }
    for (std::size_t i = 0; i < webhook_.static_properties.size(); ++i) {
      check_name(webhook_.static_properties[i].name, fmt::format("/static_properties/{}/name", i));
    }
    if (count_ > rules_.properties_max) {
      problems_.error("too_many",
                      fmt::format("{} takes at most {} properties, and these are {}.", preset_.name,
                                  rules_.properties_max, count_),
                      "/properties");
    }
    if (webhook_.properties.empty() && rules_.should_choose) {
      problems_.warn("choose_properties",
                     fmt::format("All properties of each event are sent, and what {} does not take "
                                 "is not sent at all. Choose which ones.",
                                 preset_.name),
                     "/properties");
    }
  }

 private:
  void check_name(const std::string& name, const std::string& pointer) {
    if (std::ranges::find(rules_.control, name) != rules_.control.end()) return;
    if (name.contains('*')) return;  // Its names are known when it is sent.
    ++count_;
    std::string sent = name;
    if (rules_.has_underscores) std::ranges::replace(sent, '.', '_');
    if (const auto why = broken(rules_.names, sent)) {
      problems_.error(
          "bad_name",
          fmt::format("The name \"{}\" {}. {} Rename it (`as`).", sent, *why, rules_.why), pointer);
    }
    const auto [other, is_new] = seen_.emplace(sent, name);
    if (is_new || other->second == name) return;
    problems_.error("duplicate_name",
                    fmt::format("\"{}\" and \"{}\" would both reach {} as \"{}\"; rename one of "
                                "them (`as`).",
                                other->second, name, preset_.name, sent),
                    pointer);
  }

  const Preset& preset_;
  const NameRules& rules_;
  const Webhook& webhook_;
  Problems& problems_;
  std::map<std::string, std::string> seen_;
  std::size_t count_ = 0;
};

}  // namespace

const std::vector<Preset>& all() {
  static const std::vector<Preset> kAll = [] {
    std::vector<Preset> presets;
    presets.reserve(kPlatforms.size());
    for (const std::string_view text : kPlatforms) presets.push_back(read(text));
    return presets;
  }();
  return kAll;
}

const Preset* find(std::string_view platform) {
  if (platform == "custom") return nullptr;
  const auto found = std::ranges::find(all(), platform, &Preset::platform);
  return found == all().end() ? nullptr : &*found;
}

void fill(const Preset& preset, Json& input) {
  if (!input.is_object()) return;
  fill_absent(input, preset.destination);
  if (!input.contains("fields")) input["fields"] = Json::object();
  Json& fields = input["fields"];
  if (!fields.is_object()) return;
  for (const FormField& field : preset.fields) {
    const bool is_absent = !fields.contains(field.name) || fields[field.name].is_null();
    if (is_absent && !field.default_value.is_null()) fields[field.name] = field.default_value;
  }
}

void check_form(const Preset& preset, const Destination& destination, Problems& problems) {
  for (const FormField& field : preset.fields) {
    const auto found = std::ranges::find(destination.fields, field.name, &Field::name);
    check_field(preset, field, found == destination.fields.end() ? nullptr : &found->value,
                "/fields/", problems);
  }
  for (const FormField& field : preset.secrets) {
    const auto found = std::ranges::find(destination.secrets, field.name, &Secret::name);
    const Json value = found == destination.secrets.end() ? Json() : Json(found->value);
    check_field(preset, field, value.is_null() ? nullptr : &value, "/secrets/", problems);
  }
  check_unknown(preset, destination, problems);
}

void check_webhook(const Preset& preset, const Webhook& webhook, Problems& problems) {
  if (!preset.webhook || webhook.body.format != Body::Format::destination) return;
  NameChecker(preset, webhook, problems).check();
}

}  // namespace eilpost::presets
