#pragma once
// Words for the tests of match: webhooks, conditions and events from JSON text.

#include <fmt/format.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/assert.h"
#include "match/matcher.h"
#include "model/json.h"

namespace eilpost::match {

// REQUIRES: `json` has the shape of SPEC's conditions.
inline Condition condition_from(const Json& json) {
  Condition condition;
  for (const auto& [name, kind] :
       {std::pair{"all", Condition::Kind::all}, std::pair{"any", Condition::Kind::any}}) {
    if (!json.contains(name)) continue;
    condition.kind = kind;
    for (const Json& child : json[name]) condition.children.push_back(condition_from(child));
    return condition;
  }
  if (json.contains("not")) {
    condition.kind = Condition::Kind::not_;
    condition.children.push_back(condition_from(json["not"]));
    return condition;
  }
  condition.kind = Condition::Kind::compare;
  condition.property = json.at("property").get<std::string>();
  condition.op = *parse_operator(json.at("operator").get<std::string>());
  if (json.contains("value")) condition.value = json["value"];
  condition.ignore_case = json.value("ignore_case", false);
  return condition;
}

inline Condition condition_from(const std::string& text) {
  const auto json = parse_json(text);
  EILPOST_ASSERT(json.has_value());
  return condition_from(*json);
}

inline const Catalog& test_catalog() {
  static const Catalog kCatalog;
  return kCatalog;
}

inline Webhook webhook_with(std::optional<Condition> conditions,
                            std::vector<std::string> events = {"survey.submitted"}) {
  Webhook webhook;
  webhook.events = std::move(events);
  webhook.conditions = std::move(conditions);
  return webhook;
}

inline Webhook webhook_with(const std::string& conditions,
                            std::vector<std::string> events = {"survey.submitted"}) {
  return webhook_with(conditions.empty() ? std::nullopt : std::optional(condition_from(conditions)),
                      std::move(events));
}

// REQUIRES: nothing is wrong with it.
inline std::shared_ptr<const CompiledConditions> compiled(const Webhook& webhook) {
  Problems problems;
  auto result = compile(webhook, test_catalog(), problems);
  for (const Problem& problem : problems.errors) {
    fmt::print(stderr, "{} {} {}\n", problem.code, problem.pointer, problem.detail);
  }
  EILPOST_ASSERT(result != nullptr);
  return result;
}

inline std::shared_ptr<const CompiledConditions> compiled(const std::string& conditions) {
  return compiled(webhook_with(conditions));
}

// An event whose `data` is this.
class TestEvent {
 public:
  explicit TestEvent(const std::string& data)
      : document_(EventDocument::parse(
            parser_,
            fmt::format(R"({{"event":{{"id":"e1","type":"survey.submitted",)"
                        R"("time":"2026-11-24T09:00:00.123Z"}},"created_at":1764000000123,)"
                        R"("data":{}}})",
                        data))) {
    if (!document_) fmt::print(stderr, "{}: {}\n", document_.error().detail, data);
    EILPOST_ASSERT(document_.has_value());
  }

  [[nodiscard]] const EventDocument& document() const { return *document_; }

 private:
  simdjson::dom::parser parser_;
  Result<EventDocument> document_;
};

inline bool holds(const std::string& conditions, const std::string& data) {
  return evaluate(*compiled(conditions), TestEvent(data).document(), nullptr);
}

}  // namespace eilpost::match
