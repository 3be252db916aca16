// A webhook as the API's JSON (SPEC "Webhooks"), and back.

#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/iso_time.h"
#include "model/limits.h"
#include "settings/body_json.h"
#include "settings/object_reader.h"
#include "settings/settings.h"

namespace eilpost::settings {
namespace {

constexpr std::string_view kOperators =
    "is, is_not, contains, does_not_contain, starts_with, ends_with, matches, in, not_in, "
    "greater_than, greater_or_equal, less_than, less_or_equal, between, exists, does_not_exist";

std::string_view to_string(Missing missing) {
  return missing == Missing::null ? "null" : "leave_out";
}

// ---- to JSON

// NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
Json condition_to_json(const Condition& condition) {
  Json json = Json::object();
  if (condition.kind == Condition::Kind::not_) {
    json["not"] = condition_to_json(condition.children.front());
    return json;
  }
  if (condition.kind != Condition::Kind::compare) {
    Json children = Json::array();
    for (const Condition& child : condition.children) children.push_back(condition_to_json(child));
    json[condition.kind == Condition::Kind::all ? "all" : "any"] = std::move(children);
    return json;
  }
  json["property"] = condition.property;
  json["operator"] = eilpost::to_string(condition.op);
  if (!condition.value.is_null()) json["value"] = condition.value;
  if (condition.ignore_case) json["ignore_case"] = true;
  return json;
}

Json properties_to_json(const std::vector<ChosenProperty>& properties) {
  Json json = Json::array();
  for (const ChosenProperty& property : properties) {
    Json item = {{"property", property.property}};
    if (!property.as.empty()) item["as"] = property.as;
    if (property.missing) item["missing"] = to_string(*property.missing);
    json.push_back(std::move(item));
  }
  return json;
}

// ---- from JSON

std::optional<Missing> read_missing(ObjectReader& reader) {
  const Json* field = reader.find("missing");
  if (field == nullptr) return std::nullopt;
  // {"missing":null} is what many will write for "null".
  if (field->is_null() || *field == "null") return Missing::null;
  if (*field == "leave_out") return Missing::leave_out;
  reader.error(
      "unknown_value",
      "\"missing\" says what is sent for a property that the event lacks: \"leave_out\" or "
      "\"null\".",
      "missing");
  return std::nullopt;
}

// A list of texts, or where `also_one` a single one.
std::vector<std::string> read_texts(ObjectReader& reader, std::string_view key, bool also_one) {
  std::vector<std::string> texts;
  const Json* field = reader.given(key);
  if (field == nullptr) return texts;
  if (field->is_string() && also_one) {
    texts.push_back(field->get<std::string>());
    return texts;
  }
  if (!field->is_array()) {
    reader.wrong_type(key, also_one ? "a text or an array of texts" : "an array of texts");
    return texts;
  }
  for (std::size_t i = 0; i < field->size(); ++i) {
    const Json& item = (*field)[i];
    if (item.is_string()) {
      texts.push_back(item.get<std::string>());
    } else {
      reader.wrong_type(key, "an array of texts");
      break;
    }
  }
  return texts;
}

class ConditionReader {
 public:
  explicit ConditionReader(Problems& problems) : problems_(problems) {}

  // What cannot be read becomes an empty `all`, which nobody else complains of.
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  Condition read(const Json& json, const std::string& pointer, std::size_t depth) {
    // One level more than is allowed: match says what is wrong with it.
    if (depth > limits::kConditionDepthMax + 1) return {};
    ObjectReader reader(json, pointer, problems_);
    if (!reader.is_object()) return {};
    const bool is_comparison = json.contains("property") || json.contains("operator");
    const std::size_t kinds_count = (json.contains("all") ? 1U : 0U) +
                                    (json.contains("any") ? 1U : 0U) +
                                    (json.contains("not") ? 1U : 0U) + (is_comparison ? 1U : 0U);
    if (kinds_count != 1) {
      problems_.error("unclear_condition",
                      "A condition is exactly one of {\"all\":[…]}, {\"any\":[…]}, {\"not\":{…}} "
                      "and {\"property\":…,\"operator\":…,\"value\":…}.",
                      pointer);
      return {};
    }
    if (is_comparison) return read_comparison(reader);
    Condition condition;
    if (const Json* inner = reader.find("not")) {
      condition.kind = Condition::Kind::not_;
      condition.children.push_back(read(*inner, pointer + "/not", depth + 1));
    } else {
      const std::string key = json.contains("all") ? "all" : "any";
      condition.kind = key == "all" ? Condition::Kind::all : Condition::Kind::any;
      read_children(reader, key, depth, condition);
    }
    reader.finish();
    return condition;
  }

 private:
  // NOLINTNEXTLINE(misc-no-recursion): bounded by limits::kConditionDepthMax.
  void read_children(ObjectReader& reader, const std::string& key, std::size_t depth,
                     Condition& condition) {
    const Json* children = reader.find(key);
    if (!children->is_array()) {
      reader.wrong_type(key, "an array of conditions");
      return;
    }
    for (std::size_t i = 0; i < children->size(); ++i) {
      condition.children.push_back(
          read((*children)[i], fmt::format("{}/{}", reader.pointer(key), i), depth + 1));
    }
  }

  static Condition read_comparison(ObjectReader& reader) {
    Condition condition{.kind = Condition::Kind::compare};
    bool is_readable = true;
    const auto property = reader.text("property");
    if (property) {
      condition.property = *property;
    } else {
      is_readable = false;
      if (reader.given("property") == nullptr) {
        reader.error("property_missing", "Choose the property that is compared.", "property");
      }
    }
    const auto name = reader.text("operator");
    const auto op = name ? parse_operator(*name) : std::nullopt;
    if (op) {
      condition.op = *op;
    } else {
      is_readable = false;
      if (name) {
        reader.error("unknown_operator",
                     fmt::format("There is no such operator; it is one of {}.", kOperators),
                     "operator");
      } else if (reader.given("operator") == nullptr) {
        reader.error("operator_missing",
                     fmt::format("The operator is missing; choose one of {}.", kOperators),
                     "operator");
      }
    }
    if (const Json* value = reader.find("value")) condition.value = *value;
    condition.ignore_case = reader.boolean("ignore_case").value_or(false);
    reader.finish();
    if (!is_readable) return {};
    return condition;
  }

  Problems& problems_;
};

void read_properties(ObjectReader& reader, Webhook& webhook, Problems& problems) {
  const Json* list = reader.array("properties");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    ChosenProperty chosen;
    const std::string pointer = fmt::format("/properties/{}", i);
    if ((*list)[i].is_string()) {  // the short form
      chosen.property = (*list)[i].get<std::string>();
    } else {
      ObjectReader item((*list)[i], pointer, problems);
      chosen.property = item.text("property").value_or("");
      if (item.is_object() && item.given("property") == nullptr) {
        item.error("property_missing", "Choose the property that is sent.", "property");
      }
      chosen.as = item.text("as").value_or("");
      chosen.missing = read_missing(item);
      item.finish();
    }
    webhook.properties.push_back(std::move(chosen));
  }
}

void read_static_properties(ObjectReader& reader, Webhook& webhook, Problems& problems) {
  const Json* list = reader.array("static_properties");
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    ObjectReader item((*list)[i], fmt::format("/static_properties/{}", i), problems);
    StaticProperty property{.name = item.text("name").value_or(""), .value = ""};
    if (item.is_object() && item.given("name") == nullptr) {
      item.error("name_missing", "A static property needs a name.", "name");
    }
    const Json* value = item.find("value");
    if (value != nullptr && (value->is_string() || value->is_number() || value->is_boolean())) {
      property.value = *value;
    } else if (item.is_object()) {
      item.wrong_type("value", "a text, a number or a boolean");
    }
    item.finish();
    webhook.static_properties.push_back(std::move(property));
  }
}

}  // namespace

Json to_json(const Webhook& webhook) {
  Json json = {
      {"id", eilpost::to_string(webhook.id)}, {"name", webhook.name}, {"enabled", webhook.enabled}};
  if (webhook.events.size() == 1) {
    json["event"] = webhook.events.front();
  } else {
    json["event"] = webhook.events;
  }
  json["environments"] = webhook.environments;
  json["conditions"] = webhook.conditions ? condition_to_json(*webhook.conditions) : Json();
  json["properties"] = properties_to_json(webhook.properties);
  Json statics = Json::array();
  for (const StaticProperty& property : webhook.static_properties) {
    statics.push_back({{"name", property.name}, {"value", property.value}});
  }
  json["static_properties"] = std::move(statics);
  json["missing"] = to_string(webhook.missing);
  json["body"] = body_to_json(webhook.body);
  json["destination"] = eilpost::to_string(webhook.destination);
  json["version"] = webhook.version;
  json["created_at"] = format_iso_time(webhook.created_at);
  json["updated_at"] = format_iso_time(webhook.updated_at);
  return json;
}

Webhook webhook_from_json(const Json& json, Problems& problems) {
  Webhook webhook;
  ObjectReader reader(json, "", problems);
  reader.ignore({"id"});
  webhook.name = reader.name("name");
  webhook.enabled = reader.boolean("enabled").value_or(true);
  webhook.events = read_texts(reader, "event", /*also_one=*/true);
  if (reader.given("environments") != nullptr) {
    webhook.environments = read_texts(reader, "environments", /*also_one=*/false);
  }
  if (const Json* conditions = reader.given("conditions")) {
    webhook.conditions = ConditionReader(problems).read(*conditions, "/conditions", 0);
  }
  read_properties(reader, webhook, problems);
  read_static_properties(reader, webhook, problems);
  webhook.missing = read_missing(reader).value_or(Missing::leave_out);
  read_body(reader, webhook.body, problems);
  const auto destination = reader.text("destination");
  if (const auto id = parse_id<DestinationId>(destination.value_or(""))) {
    webhook.destination = *id;
  } else if (destination) {
    reader.error("unknown_destination",
                 "There is no such destination. The id of one looks like dst_01d6x3kq9m2vz.",
                 "destination");
  } else if (reader.is_object() && reader.given("destination") == nullptr) {
    reader.error("destination_missing", "Choose the destination that it is sent to.",
                 "destination");
  }
  reader.ignore({"version", "created_at", "updated_at", "warnings"});
  reader.finish();
  return webhook;
}

}  // namespace eilpost::settings
