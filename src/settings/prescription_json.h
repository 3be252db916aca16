#pragma once
// What a destination prescribes, as the API's JSON, and back: fields, secrets, body, success rule,
// final statuses (SPEC "Destinations").

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"
#include "presets/preset.h"
#include "settings/object_reader.h"

namespace eilpost::settings {

[[nodiscard]] Json fields_to_json(const std::vector<Field>& fields);
// A secret is {"set":true} unless `show_secrets`.
[[nodiscard]] Json secrets_to_json(const std::vector<Secret>& secrets, bool show_secrets);
[[nodiscard]] Json success_to_json(const SuccessRule& success);
[[nodiscard]] Json final_statuses_to_json(const std::vector<StatusRange>& ranges);

[[nodiscard]] Json rate_limit_to_json(const std::optional<RateLimit>& rate_limit);
[[nodiscard]] Json batch_to_json(const BatchSettings& batch);
// Reads the fields "rate_limit" and "batch" of /delivery.
void read_policies(ObjectReader& reader, DeliverySettings& delivery, Problems& problems);

// Reads "fields", "secrets", "body", "success" and "final_statuses". `kept` lends its secrets.
void read_prescription(ObjectReader& reader, const Destination* kept, Destination& destination,
                       Problems& problems);

}  // namespace eilpost::settings
