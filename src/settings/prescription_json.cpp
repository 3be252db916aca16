#include "settings/prescription_json.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "model/limits.h"
#include "settings/body_json.h"
#include "settings/secret_json.h"

namespace eilpost::settings {
namespace {

constexpr std::uint16_t kStatusMin = 100;
constexpr std::uint16_t kStatusMax = 599;
constexpr std::uint16_t kClass = 100;  // statuses of one class: 2xx
constexpr std::string_view kStatusForms =
    "A status is written \"204\", all of a class \"2xx\", a range \"200-204\".";

// ---- names

bool is_name(std::string_view name) {
  const auto is_good = [](char c) { return is_ascii_lower(c) || is_ascii_digit(c) || c == '_'; };
  return !name.empty() && name.size() <= limits::kFieldNameBytesMax && is_ascii_lower(name[0]) &&
         std::ranges::all_of(name, is_good);
}

// Reports a bad name at its place in the object `key`.
bool check_name(ObjectReader& reader, const std::string& name, Problems& problems) {
  if (is_name(name)) return true;
  problems.error("bad_name",
                 fmt::format("Such a name is made of a-z, 0-9 and _, begins with a letter and has "
                             "at most {} characters, so that placeholders can hold it.",
                             limits::kFieldNameBytesMax),
                 reader.pointer(name));
  return false;
}

// ---- statuses

std::string text_of(const StatusRange& range) {
  if (range.first == range.last) return fmt::to_string(range.first);
  if (range.first % kClass == 0 && range.last == range.first + kClass - 1) {
    return fmt::format("{}xx", range.first / kClass);
  }
  return fmt::format("{}-{}", range.first, range.last);
}

std::optional<std::uint16_t> parse_status(std::string_view text) {
  const auto status = parse_integer<std::uint16_t>(text);
  if (!status || *status < kStatusMin || *status > kStatusMax) return std::nullopt;
  return status;
}

std::optional<StatusRange> parse_range(const Json& json) {
  if (const auto number = integer_in(json, {.min = kStatusMin, .max = kStatusMax})) {
    const auto status = static_cast<std::uint16_t>(*number);
    return StatusRange{.first = status, .last = status};
  }
  if (!json.is_string()) return std::nullopt;
  const std::string& text = json.get_ref<const std::string&>();
  if (text.size() == 3 && text[0] >= '1' && text[0] <= '5' && text.ends_with("xx")) {
    const auto first = static_cast<std::uint16_t>((text[0] - '0') * kClass);
    return StatusRange{.first = first, .last = static_cast<std::uint16_t>(first + kClass - 1)};
  }
  const std::size_t hyphen = text.find('-');
  const auto first = parse_status(std::string_view(text).substr(0, hyphen));
  const auto last =
      hyphen == std::string::npos ? first : parse_status(std::string_view(text).substr(hyphen + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return StatusRange{.first = *first, .last = *last};
}

std::vector<StatusRange> read_ranges(ObjectReader& reader, std::string_view key,
                                     Problems& problems) {
  std::vector<StatusRange> ranges;
  const Json* list = reader.array(key);
  if (list == nullptr) return ranges;
  if (list->size() > limits::kStatusRangesMax) {
    reader.error("too_many",
                 fmt::format("At most {} entries are possible.", limits::kStatusRangesMax), key);
    return ranges;
  }
  for (std::size_t i = 0; i < list->size(); ++i) {
    if (const auto range = parse_range((*list)[i])) {
      ranges.push_back(*range);
    } else {
      problems.error("bad_status", std::string(kStatusForms),
                     fmt::format("{}/{}", reader.pointer(key), i));
    }
  }
  return ranges;
}

Json ranges_to_json(const std::vector<StatusRange>& ranges) {
  Json json = Json::array();
  for (const StatusRange& range : ranges) json.push_back(text_of(range));
  return json;
}

// ---- rules about answers

Json body_rule_to_json(const AnswerBodyRule& rule) {
  using Kind = AnswerBodyRule::Kind;
  switch (rule.kind) {
    case Kind::equals:
      return {{"equals", rule.text}};
    case Kind::contains:
      return {{"contains", rule.text}};
    case Kind::does_not_contain:
      return {{"does_not_contain", rule.text}};
    case Kind::pointer:
      return {{"pointer", rule.text}, {"equals", rule.value}};
  }
  assert_failed("AnswerBodyRule::Kind");
}

bool is_pointer(std::string_view text) {
  return text.starts_with('/') && text.size() <= limits::kRuleTextBytesMax;
}

// A text of a rule about a body.
std::string read_rule_text(ObjectReader& reader, std::string_view key) {
  std::string text = reader.text(key).value_or("");
  if (text.empty() || text.size() > limits::kRuleTextBytesMax) {
    reader.error("bad_rule",
                 fmt::format("\"{}\" is a text of 1 to {} bytes.", key, limits::kRuleTextBytesMax),
                 key);
  }
  return text;
}

std::optional<AnswerBodyRule> read_body_rule(const Json* json, Problems& problems) {
  if (json == nullptr) return std::nullopt;
  using Kind = AnswerBodyRule::Kind;
  ObjectReader reader(*json, "/success/body", problems);
  if (!reader.is_object()) return std::nullopt;
  AnswerBodyRule rule;
  if (json->contains("pointer")) {
    rule.kind = Kind::pointer;
    rule.text = reader.text("pointer").value_or("");
    if (!is_pointer(rule.text)) {
      reader.error("bad_pointer", "A JSON Pointer begins with \"/\", as in \"/result/ok\".",
                   "pointer");
    }
    if (const Json* value = reader.find("equals")) {
      rule.value = *value;
    } else {
      reader.error("missing", "Say which value is wanted there: \"equals\".", "equals");
    }
  } else if (json->contains("equals")) {
    rule.text = read_rule_text(reader, "equals");
  } else if (json->contains("contains")) {
    rule.kind = Kind::contains;
    rule.text = read_rule_text(reader, "contains");
  } else if (json->contains("does_not_contain")) {
    rule.kind = Kind::does_not_contain;
    rule.text = read_rule_text(reader, "does_not_contain");
  } else {
    problems.error("unclear_rule",
                   "A rule about the body is one of {\"equals\":\"ok\"}, {\"contains\":…}, "
                   "{\"does_not_contain\":…} and {\"pointer\":\"/ok\",\"equals\":true}.",
                   "/success/body");
  }
  reader.finish();
  return rule;
}

Json partial_to_json(const PartialRule& rule) {
  return {{"statuses", ranges_to_json(rule.statuses)},
          {"failed", rule.failed},
          {"named_by", rule.named_by.empty() ? Json() : Json(rule.named_by)},
          {"rest", rule.rest == PartialRule::Rest::again ? "again" : "delivered"}};
}

void read_failed(ObjectReader& reader, PartialRule& rule) {
  const Json* list = reader.array("failed");
  const bool is_usable = list != nullptr && !list->empty() &&
                         list->size() <= limits::kPartialPointersMax &&
                         std::ranges::all_of(*list, [](const Json& item) {
                           return item.is_string() && is_pointer(item.get<std::string>());
                         });
  if (!is_usable) {
    reader.error("bad_pointer",
                 fmt::format("\"failed\" has 1 to {} JSON Pointers to what an answer names as "
                             "refused, such as \"/failed_records/*/index\".",
                             limits::kPartialPointersMax),
                 "failed");
    return;
  }
  for (const Json& item : *list) rule.failed.push_back(item.get<std::string>());
}

std::optional<PartialRule> read_partial(const Json* json, Problems& problems) {
  if (json == nullptr) return std::nullopt;
  ObjectReader reader(*json, "/success/partial", problems);
  if (!reader.is_object()) return std::nullopt;
  PartialRule rule;
  rule.statuses = read_ranges(reader, "statuses", problems);
  if (rule.statuses.empty()) {
    reader.error("missing", "Say which statuses come with such a list: \"statuses\".", "statuses");
  }
  read_failed(reader, rule);
  rule.named_by = reader.text("named_by").value_or("");
  if (!rule.named_by.empty() && !is_pointer(rule.named_by)) {
    reader.error("bad_pointer", "A JSON Pointer begins with \"/\", as in \"/id\".", "named_by");
  }
  const std::string rest = reader.text("rest").value_or("delivered");
  if (rest == "again") {
    rule.rest = PartialRule::Rest::again;
  } else if (rest != "delivered") {
    reader.error("unknown_value", "\"rest\" is \"delivered\" or \"again\".", "rest");
  }
  reader.finish();
  return rule;
}

void read_success(const Json* json, SuccessRule& success, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/success", problems);
  if (reader.given("statuses") != nullptr) {
    success.statuses = read_ranges(reader, "statuses", problems);
    if (success.statuses.empty()) {
      reader.error("missing", "Say at least one status that is a success, such as \"2xx\".",
                   "statuses");
    }
  }
  success.body = read_body_rule(reader.given("body"), problems);
  success.partial = read_partial(reader.given("partial"), problems);
  reader.finish();
}

// ---- fields and secrets

bool is_scalar(const Json& json) {
  return json.is_string() || json.is_number() || json.is_boolean();
}

void read_fields(const Json* json, Destination& destination, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/fields", problems);
  if (!reader.is_object()) return;
  if (json->size() > limits::kFieldsMax) {
    problems.error("too_many", fmt::format("At most {} fields are possible.", limits::kFieldsMax),
                   "/fields");
    return;
  }
  for (const auto& [name, value] : json->items()) {
    if (!check_name(reader, name, problems) || value.is_null()) continue;
    const bool is_usable =
        is_scalar(value) || (value.is_array() && std::ranges::all_of(value, is_scalar));
    if (!is_usable) {
      reader.wrong_type(name, "a text, a number, a boolean, or a list of these");
    } else if (to_text(value).size() > limits::kFieldBytesMax) {
      reader.error("too_large",
                   fmt::format("A field has at most {} bytes.", limits::kFieldBytesMax), name);
    } else {
      destination.fields.push_back({.name = name, .value = value});
    }
  }
}

std::string_view kept_secret(const Destination* kept, std::string_view name) {
  if (kept == nullptr) return {};
  const auto found = std::ranges::find(kept->secrets, name, &Secret::name);
  return found == kept->secrets.end() ? std::string_view{} : std::string_view(found->value);
}

void read_secrets(const Json* json, const Destination* kept, Destination& destination,
                  Problems& problems) {
  static const Json kNothing = Json::object();
  const Json& secrets = json == nullptr ? kNothing : *json;
  ObjectReader reader(secrets, "/secrets", problems);
  if (!reader.is_object()) return;
  for (const auto& [name, value] : secrets.items()) {
    if (!check_name(reader, name, problems)) continue;
    std::string secret = read_secret(reader, name, kept_secret(kept, name));
    if (secret.size() > limits::kSecretBytesMax) {
      reader.error("too_large",
                   fmt::format("A secret has at most {} bytes.", limits::kSecretBytesMax), name);
    } else if (!secret.empty()) {
      destination.secrets.push_back({.name = name, .value = std::move(secret)});
    }
  }
  if (kept != nullptr) {
    for (const Secret& secret : kept->secrets) {
      if (!secrets.contains(secret.name)) destination.secrets.push_back(secret);
    }
  }
  if (destination.secrets.size() > limits::kSecretsMax) {
    problems.error("too_many", fmt::format("At most {} secrets are possible.", limits::kSecretsMax),
                   "/secrets");
  }
}

void read_destination_body(ObjectReader& reader, Destination& destination, Problems& problems) {
  const Json* json = reader.given("body");
  if (json == nullptr) return;
  Body body{.format = Body::Format::flat, .template_json = {}};
  read_body(reader, body, problems);
  if (body.format == Body::Format::destination) {
    problems.error("unknown_format",
                   "What a destination prescribes is one of flat, nested, envelope, form, "
                   "template.",
                   "/body/format");
  }
  if (body.underscores) {
    problems.error("not_used",
                   "Dots are replaced by the webhook: give its body \"keys\":\"underscores\".",
                   "/body/keys");
  }
  destination.body = std::move(body);
}

}  // namespace

Json fields_to_json(const std::vector<Field>& fields) {
  Json json = Json::object();
  for (const Field& field : fields) json[field.name] = field.value;
  return json;
}

Json secrets_to_json(const std::vector<Secret>& secrets, bool show_secrets) {
  Json json = Json::object();
  for (const Secret& secret : secrets) {
    json[secret.name] = secret_to_json(secret.value, show_secrets);
  }
  return json;
}

Json success_to_json(const SuccessRule& success) {
  Json json = {{"statuses", ranges_to_json(success.statuses)}};
  json["body"] = success.body ? body_rule_to_json(*success.body) : Json();
  if (success.partial) json["partial"] = partial_to_json(*success.partial);
  return json;
}

Json final_statuses_to_json(const std::vector<StatusRange>& ranges) {
  Json json = Json::array();
  for (const StatusRange& range : ranges) {
    json.push_back(range.first == range.last ? Json(range.first) : Json(text_of(range)));
  }
  return json;
}

void read_prescription(ObjectReader& reader, const Destination* kept, Destination& destination,
                       Problems& problems) {
  read_fields(reader.given("fields"), destination, problems);
  read_secrets(reader.given("secrets"), kept, destination, problems);
  read_destination_body(reader, destination, problems);
  read_success(reader.given("success"), destination.success, problems);
  destination.final_statuses = read_ranges(reader, "final_statuses", problems);
}

}  // namespace eilpost::settings
