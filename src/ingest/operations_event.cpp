#include "ingest/operations_event.h"

#include <simdjson.h>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/iso_time.h"
#include "ingest/event_builder.h"

namespace eilpost::ingest {

Event operations_event(const Notice& notice, const Catalog& catalog, WallTime now,
                       std::uint64_t seed) {
  Json json = {{"type", notice.type}, {"time", format_iso_time(now)}, {"data", notice.data}};
  if (!notice.id.empty()) json["id"] = notice.id;
  const std::string text = to_text(json);
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  EILPOST_ASSERT(parser.parse(text).get(element) == simdjson::SUCCESS);
  const Source nobody{.environment = EnvironmentId::production, .environment_name = "production"};
  const EventContext context{.source = nobody,
                             .catalog = catalog,
                             .received_at = now,
                             .data_bytes_max = limits::kEventBytesMax,
                             .takes_operations = true};
  std::vector<Problem> problems;
  EventBuilder builder(seed);
  std::optional<Event> event = builder.build(context, element, problems);
  EILPOST_ASSERT(event.has_value());
  return std::move(*event);
}

}  // namespace eilpost::ingest
