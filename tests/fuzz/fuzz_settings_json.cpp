// Whatever a client sends as a webhook, a destination or an event type is refused with reasons or
// taken; what was taken is shown in a form that is taken again and shown the same.
//
// Format of the input: one character that says which (w, d or e), then the JSON.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "model/json.h"
#include "settings/settings.h"

namespace {

using namespace eilpost;

void check_problems(const Problems& problems) {
  for (const Problem& problem : problems.errors) {
    EILPOST_ASSERT(!problem.code.empty() && !problem.detail.empty());
  }
}

// `read` makes an object of JSON, `show` JSON of an object.
template <typename Read, typename Show>
void check_round_trip(const Json& json, const Read& read, const Show& show) {
  Problems problems;
  const auto object = read(json, problems);
  check_problems(problems);
  if (!problems.ok()) return;
  const Json shown = show(object);
  Problems none;
  const auto again = read(shown, none);
  EILPOST_ASSERT(none.ok());
  EILPOST_ASSERT(show(again) == shown);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Result<Json> json = parse_json(input.substr(1));
  if (!json) return 0;
  switch (input.front()) {
    case 'w':
      check_round_trip(*json, settings::webhook_from_json,
                       [](const Webhook& webhook) { return settings::to_json(webhook); });
      break;
    case 'd':
      check_round_trip(
          *json,
          [](const Json& from, Problems& problems) {
            return settings::destination_from_json(from, nullptr, problems);
          },
          [](const Destination& destination) { return settings::to_json(destination, true); });
      break;
    default:
      check_round_trip(*json, settings::event_type_from_json,
                       [](const EventType& type) { return settings::to_json(type); });
  }
  return 0;
}
