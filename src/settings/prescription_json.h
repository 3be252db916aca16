#pragma once
// What a destination prescribes, as the API's JSON, and back: fields, secrets, body, success rule,
// final statuses (SPEC "Destinations").

#include <string>
#include <string_view>
#include <vector>

#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"
#include "settings/object_reader.h"

namespace eilpost::settings {

[[nodiscard]] Json fields_to_json(const std::vector<Field>& fields);
// A secret is {"set":true} unless `show_secrets`.
[[nodiscard]] Json secrets_to_json(const std::vector<Secret>& secrets, bool show_secrets);
[[nodiscard]] Json success_to_json(const SuccessRule& success);
[[nodiscard]] Json final_statuses_to_json(const std::vector<StatusRange>& ranges);

// Reads "fields", "secrets", "body", "success" and "final_statuses". `kept` lends its secrets.
void read_prescription(ObjectReader& reader, const Destination* kept, Destination& destination,
                       Problems& problems);

}  // namespace eilpost::settings
