#pragma once
// A body, of webhooks and destinations, as the API's JSON, and back.

#include "model/json.h"
#include "model/problem.h"
#include "model/webhook.h"
#include "settings/object_reader.h"

namespace eilpost::settings {

[[nodiscard]] Json body_to_json(const Body& body);

// Reads the field "body"; what is absent stays as it is.
void read_body(ObjectReader& reader, Body& body, Problems& problems);

}  // namespace eilpost::settings
