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

void read_batch(const Json* json, BatchSettings& batch, Problems& problems) {
  if (json == nullptr) return;
  ObjectReader reader(*json, "/delivery/batch", problems);
  if (const auto events =
          reader.integer("events_max", {.min = 1, .max = limits::kBatchEventsMax})) {
    batch.events_max = static_cast<std::uint32_t>(*events);
  }
  if (const auto most = reader.integer("bytes_max", {.min = 1, .max = INT64_MAX})) {
    batch.bytes_max = static_cast<std::uint64_t>(*most);
  }
  if (const auto wait =
          reader.integer("wait_ms", {.min = 0, .max = limits::kBatchWaitMax.count()})) {
    batch.wait = milliseconds(*wait);
  }
  if (const Json* template_json = reader.given("template")) batch.template_json = *template_json;
  reader.finish();
}

Json prescribed(const presets::Preset* preset, const char* key) {
  if (preset == nullptr || !preset->destination.contains("delivery")) return nullptr;
  return preset->destination.at("delivery").value(key, Json());
}

void check(const Json& given, const Json& usual, const Json& of_preset, const std::string& name,
           Problems& problems) {
  if (given == usual || given == of_preset) return;
  problems.error("not_available",
                 fmt::format("\"delivery.{}\" is not available yet: leave it out, or let it be {}.",
                             name, to_text(of_preset.is_null() ? usual : of_preset)),
                 "/delivery/" + name);
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
          {"template", batch.template_json}};
}

void read_policies(ObjectReader& reader, DeliverySettings& delivery, Problems& problems) {
  read_rate_limit(reader.given("rate_limit"), delivery, problems);
  read_batch(reader.given("batch"), delivery.batch, problems);
}

void check_policies(const presets::Preset* preset, const Destination& destination,
                    Problems& problems) {
  const DeliverySettings& delivery = destination.delivery;
  check(batch_to_json(delivery.batch), batch_to_json({}), prescribed(preset, "batch"), "batch",
        problems);
}

}  // namespace eilpost::settings
