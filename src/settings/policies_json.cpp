// Rates and batches of a destination as the API's JSON, and back.

#include <fmt/format.h>
#include <utility>

#include "model/limits.h"
#include "settings/prescription_json.h"

namespace eilpost::settings {
namespace {

using std::chrono::milliseconds;

void read_rate_limit(const Json* json, DeliverySettings& delivery, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/delivery/rate_limit", problems);
  const auto requests = reader.integer("requests", {.min = 1, .max = limits::kRateRequestsMax});
  const auto per = reader.integer("per_ms", {.min = 1, .max = limits::kRatePeriodMax.count()});
  for (const char* key : {"requests", "per_ms"}) {
    if (reader.is_object() && reader.given(key) == nullptr) {
      reader.error("missing", fmt::format("A rate limit needs \"{}\".", key), key);
    }
  }
  reader.finish();
  if (!requests || !per) return;
  delivery.rate_limit =
      RateLimit{.requests = static_cast<std::uint32_t>(*requests), .per = milliseconds(*per)};
}

void read_join(ObjectReader& reader, BatchSettings& batch) {
  batch.join = reader.text("join");
  if (!batch.join) return;
  const std::string& join = *batch.join;
  if ((!join.empty() && !join.starts_with('/')) || join.size() > limits::kPointerBytesMax) {
    reader.error(
        "bad_pointer",
        fmt::format("A JSON Pointer to a list in the body is needed, such as /events, of at "
                    "most {} bytes; \"\" is the body itself.",
                    limits::kPointerBytesMax),
        "join");
  }
  if (!batch.template_json.is_null()) {
    reader.error("conflict",
                 "\"join\" puts the lists of bodies together, \"template\" the bodies: leave one "
                 "of them out.",
                 "join");
  }
}

void read_batch(const Json* json, BatchSettings& batch, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/delivery/batch", problems);
  if (const auto events =
          reader.integer("events_max", {.min = 1, .max = limits::kBatchEventsMax})) {
    batch.events_max = static_cast<std::uint32_t>(*events);
  }
  constexpr auto kBytesMax = static_cast<std::int64_t>(limits::kBatchBytesMax);
  if (const auto most = reader.integer("bytes_max", {.min = 1, .max = kBytesMax})) {
    batch.bytes_max = static_cast<std::uint64_t>(*most);
  }
  if (const auto wait =
          reader.integer("wait_ms", {.min = 0, .max = limits::kBatchWaitMax.count()})) {
    batch.wait = milliseconds(*wait);
  }
  if (const Json* template_json = reader.given("template")) batch.template_json = *template_json;
  read_join(reader, batch);
  reader.finish();
}

}  // namespace

Json rate_limit_to_json(const std::optional<RateLimit>& rate_limit) {
  if (!rate_limit) return nullptr;
  return {{"requests", rate_limit->requests}, {"per_ms", rate_limit->per.count()}};
}

Json batch_to_json(const BatchSettings& batch) {
  return {{"events_max", batch.events_max},
          {"bytes_max", batch.bytes_max ? Json(*batch.bytes_max) : Json()},
          {"wait_ms", batch.wait.count()},
          {"template", batch.template_json},
          {"join", batch.join ? Json(*batch.join) : Json()}};
}

void read_policies(ObjectReader& reader, DeliverySettings& delivery, Problems& problems) {
  read_rate_limit(reader.given("rate_limit"), delivery, problems);
  read_batch(reader.given("batch"), delivery.batch, problems);
}

}  // namespace eilpost::settings
