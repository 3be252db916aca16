// Any tree of conditions is either refused with a reason or runs on any document; a Matcher says
// what evaluating says, and `not` turns it round.
//
// Format of the input: bytes that build the tree, a line feed, then the event's data as JSON.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "match/matcher.h"
#include "model/catalog.h"

namespace {

using namespace eilpost;

constexpr int kDepthMax = 7;  // above the limit that is tested
constexpr std::string_view kPaths[] = {
    "nps",      "oId",  "wm.language", "env.mobile", "answers",    "answers.*.value",
    "a.b",      "a.*",  "*",           "event.time", "created_at", "wm.userVars.*",
    "list.0.v", "a..b", "a*",          "list.*.*"};

// Builds conditions from bytes; when they are used up, everything is zero.
class Builder {
 public:
  explicit Builder(std::string_view bytes) : bytes_(bytes) {}

  // NOLINTNEXTLINE(misc-no-recursion): bounded by kDepthMax.
  Condition condition(int depth) {
    Condition result;
    const std::uint8_t kind = byte() % 6;
    if (kind > 2 || depth >= kDepthMax) {
      result.kind = Condition::Kind::compare;
      result.property = kPaths[byte() % std::size(kPaths)];
      result.op = static_cast<Operator>(byte() % 16);
      result.ignore_case = byte() % 4 == 1;
      result.value = value(result.op);
      return result;
    }
    result.kind = static_cast<Condition::Kind>(kind);
    const int count = result.kind == Condition::Kind::not_ ? 1 : byte() % 4;
    for (int i = 0; i < count; ++i) result.children.push_back(condition(depth + 1));
    return result;
  }

 private:
  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto result = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return result;
  }

  Json value(Operator op) {
    if (op == Operator::exists || op == Operator::does_not_exist) return {};
    if (op != Operator::between && op != Operator::in && op != Operator::not_in) return scalar();
    Json list = Json::array();
    for (int count = op == Operator::between ? 2 : byte() % 12; count > 0; --count) {
      list.push_back(scalar());
    }
    return list;
  }

  Json scalar() {
    switch (byte() % 8) {
      case 0:
        return static_cast<std::int64_t>(byte()) - 5;
      case 1:
        return static_cast<double>(byte()) / 4;
      case 2:
        return byte() % 2 == 0;
      case 3:
        return "2026-11-24T09:00:00Z";
      case 4:
        return ~std::uint64_t{byte()};
      case 5:
        return nullptr;
      default:
        return text();
    }
  }

  std::string text() {
    const std::size_t length = std::min<std::size_t>(byte() % 12, bytes_.size());
    const std::string result(bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    return result;
  }

  std::string_view bytes_;
};

bool matches(std::shared_ptr<const match::CompiledConditions> conditions,
             const EventDocument& document) {
  const auto candidate = std::make_shared<match::Candidate>(
      match::Candidate{.webhook = WebhookId{1},
                       .environments = {EnvironmentId::production},
                       .types = {"survey.submitted"},
                       .conditions = std::move(conditions)});
  const auto matcher = match::Matcher::build({candidate}, nullptr);
  match::Scratch scratch;
  std::vector<Owed> owed;
  matcher->match(EnvironmentId::production, "survey.submitted", document, scratch, owed);
  return !owed.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Catalog kCatalog;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(input.find('\n'), input.size());
  Webhook webhook;
  webhook.events = {"survey.submitted"};
  webhook.conditions = Builder(input.substr(0, split)).condition(0);
  Problems problems;
  const auto conditions = match::compile(webhook, kCatalog, problems);
  EILPOST_ASSERT((conditions != nullptr) == problems.ok());

  simdjson::dom::parser parser;
  const std::string_view json = split == input.size() ? "{}" : input.substr(split + 1);
  const auto document = EventDocument::parse(
      parser,
      fmt::format(R"({{"event":{{"time":"2026-11-24T09:00:00Z"}},"created_at":1,"data":{}}})",
                  json));
  if (!document || conditions == nullptr) return 0;

  std::vector<match::ConditionResult> explained;
  const bool result = match::evaluate(*conditions, *document, &explained);
  EILPOST_ASSERT(match::evaluate(*conditions, *document, nullptr) == result);
  EILPOST_ASSERT(explained.front().result == result);
  EILPOST_ASSERT(matches(conditions, *document) == result);

  Condition negated{.kind = Condition::Kind::not_, .children = {*webhook.conditions}};
  webhook.conditions = std::move(negated);
  if (const auto opposite = match::compile(webhook, kCatalog, problems)) {
    EILPOST_ASSERT(match::evaluate(*opposite, *document, nullptr) != result);
  }
  return 0;
}
