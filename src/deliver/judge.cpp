#include "deliver/judge.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "base/utf8.h"
#include "model/json_pointer.h"

namespace eilpost::deliver {
namespace {

constexpr std::string_view kEvery = "*";
constexpr std::size_t kShownBytesMax = 200;
constexpr std::uint16_t kStatusGone = 410;

bool is_in(const std::vector<StatusRange>& ranges, std::uint16_t status) {
  return std::ranges::any_of(ranges, [status](const StatusRange& range) {
    return status >= range.first && status <= range.last;
  });
}

const Json* step_into(const Json& json, const std::string& step) {
  if (json.is_object()) {
    const auto found = json.find(step);
    return found == json.end() ? nullptr : &*found;
  }
  const auto index = parse_integer<std::size_t>(step);
  return json.is_array() && index && *index < json.size() ? &json[*index] : nullptr;
}

const Json* find_at(const Json& json, std::string_view pointer) {
  const Json* here = &json;
  for (const std::string& step : pointer_steps(pointer)) {
    here = step_into(*here, step);
    if (here == nullptr) return nullptr;
  }
  return here;
}

// Everything at `pointer`, whose steps may be `*`; whether the list that it goes through is there.
bool collect_at(const Json& json, std::string_view pointer, std::vector<std::string>& found) {
  std::vector<const Json*> here = {&json};
  bool has_list = false;
  for (const std::string& step : pointer_steps(pointer)) {
    std::vector<const Json*> next;
    for (const Json* each : here) {
      if (step != kEvery) {
        if (const Json* inner = step_into(*each, step)) next.push_back(inner);
        continue;
      }
      if (!each->is_structured()) continue;
      has_list = true;
      for (const Json& inner : *each) next.push_back(&inner);
    }
    here = std::move(next);
  }
  for (const Json* each : here) {
    found.push_back(each->is_string() ? each->get<std::string>() : to_text(*each));
  }
  return has_list || !here.empty();
}

std::string shown(std::string_view text) {
  const std::string_view beginning = truncate_to_bytes(text, kShownBytesMax);
  return fmt::format("\"{}{}\"", beginning, beginning.size() < text.size() ? "…" : "");
}

// What is wrong with the body; nothing if the rule holds.
std::optional<std::string> broken(const AnswerBodyRule& rule, std::string_view answer) {
  switch (rule.kind) {
    case AnswerBodyRule::Kind::equals:
      if (trim_ascii(answer) == trim_ascii(rule.text)) return std::nullopt;
      return fmt::format("its body is {}, not {}", shown(trim_ascii(answer)), shown(rule.text));
    case AnswerBodyRule::Kind::contains:
      if (answer.contains(rule.text)) return std::nullopt;
      return fmt::format("its body does not contain {}", shown(rule.text));
    case AnswerBodyRule::Kind::does_not_contain:
      if (!answer.contains(rule.text)) return std::nullopt;
      return fmt::format("its body contains {}", shown(rule.text));
    case AnswerBodyRule::Kind::pointer:
      break;
  }
  const Result<Json> json = parse_json(answer);
  if (!json) return "its body is not JSON";
  const Json* value = find_at(*json, rule.text);
  if (value == nullptr) return fmt::format("its body has nothing at {}", rule.text);
  if (*value == rule.value) return std::nullopt;
  return fmt::format("its body has {} at {}, not {}", shown(to_text(*value)), rule.text,
                     to_text(rule.value));
}

// What the elements of a list hold at `pointer`, as text; those that hold nothing have no name.
std::vector<std::string> names_in(std::string_view content, std::string_view pointer) {
  std::vector<std::string> names;
  const Result<Json> list = parse_json(fmt::format("[{}]", content));
  if (!list) return names;
  for (const Json& element : *list) {
    const Json* name = find_at(element, pointer);
    if (name == nullptr) continue;
    names.push_back(name->is_string() ? name->get<std::string>() : to_text(*name));
  }
  return names;
}

// The names by which an answer can mean a part, whose first element is the batch's `index`-th.
std::vector<std::string> names_of(const PartialRule& rule, const BatchPart& part,
                                  std::size_t index) {
  if (!rule.named_by.empty()) return names_in(part.content, rule.named_by);
  std::vector<std::string> names;
  names.reserve(part.count);
  for (std::size_t i = 0; i < part.count; ++i) names.push_back(fmt::to_string(index + i));
  return names;
}

bool is_partial(const SuccessRule& rule, const Outcome& outcome) {
  return outcome.kind == OutcomeKind::answered && rule.partial &&
         is_in(rule.partial->statuses, outcome.status);
}

}  // namespace

std::optional<std::vector<std::string>> refused_in(const PartialRule& rule,
                                                   std::string_view answer) {
  const Result<Json> json = parse_json(answer);
  if (!json) return std::nullopt;
  std::vector<std::string> refused;
  bool has_list = false;
  for (const std::string& pointer : rule.failed) {
    has_list = collect_at(*json, pointer, refused) || has_list;
  }
  if (!has_list) return std::nullopt;
  return refused;
}

std::optional<RefusedParts> refused_parts(const SuccessRule& rule, const Outcome& outcome,
                                          std::span<const BatchPart> parts) {
  if (!is_partial(rule, outcome)) return std::nullopt;
  const auto named = refused_in(*rule.partial, outcome.answer);
  if (!named) return std::nullopt;
  RefusedParts refused{.is_refused = std::vector<bool>(parts.size()), .unknown_name = {}};
  if (named->empty()) return refused;
  if (parts.size() == 1) {
    refused.is_refused[0] = true;
    return refused;
  }
  std::map<std::string_view, bool> is_known;  // by name
  for (const std::string& name : *named) is_known.emplace(name, false);
  std::size_t index = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const std::string& name : names_of(*rule.partial, parts[i], index)) {
      const auto found = is_known.find(name);
      if (found == is_known.end()) continue;
      found->second = true;
      refused.is_refused[i] = true;
    }
    index += parts[i].count;
  }
  const auto unknown =
      std::ranges::find(is_known, false, &std::pair<const std::string_view, bool>::second);
  if (unknown != is_known.end()) refused.unknown_name = std::string(unknown->first);
  return refused;
}

void judge_part(const PartialRule& rule, bool is_refused, Outcome& outcome) {
  outcome.success = !is_refused && rule.rest == PartialRule::Rest::delivered;
  outcome.detail.clear();
  if (outcome.success) return;
  if (!is_refused) {
    outcome.detail = fmt::format(
        "The receiver answered {}: it took nothing of this request, and names other events as "
        "wrong. This one is sent again.",
        outcome.status);
    return;
  }
  outcome.final_reason = FailReason::rejected;
  outcome.detail = fmt::format(
      "The receiver answered {} and names this event as wrong, so it is not sent again; the answer "
      "says why.",
      outcome.status);
}

void judge(const SuccessRule& rule, const std::vector<StatusRange>& final_statuses,
           Outcome& outcome) {
  if (outcome.kind != OutcomeKind::answered) return;
  if (is_partial(rule, outcome)) {
    if (const auto refused = refused_in(*rule.partial, outcome.answer)) {
      judge_part(*rule.partial, !refused->empty(), outcome);
      return;
    }
  }
  outcome.success = is_in(rule.statuses, outcome.status);
  outcome.detail.clear();
  if (!outcome.success) {
    outcome.detail = fmt::format("The receiver answered {}.", outcome.status);
  } else if (rule.body) {
    if (const auto why = broken(*rule.body, outcome.answer)) {
      outcome.success = false;
      outcome.detail = fmt::format("The receiver answered {}, but {}.", outcome.status, *why);
    }
  }
  // 410 has a meaning of its own, whatever else is final.
  if (outcome.success || outcome.status == kStatusGone) return;
  if (!is_in(final_statuses, outcome.status)) return;
  outcome.final_reason = FailReason::final_status;
  outcome.detail.pop_back();
  outcome.detail += ", which is final for this destination.";
}

}  // namespace eilpost::deliver
