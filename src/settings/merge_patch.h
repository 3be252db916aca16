#pragma once
// JSON merge patches (RFC 7396) of settings.
//
// They differ from the RFC where it would surprise: a secret's null stays in the result, where it
// says "remove"; trees of conditions, templates and samples are replaced as a whole; and another
// type of authentication, or format of the body, begins without the fields of the one before it.

#include "model/json.h"

namespace eilpost::settings {

// RFC 7396 to the letter. REQUIRES: `patch` is nested at most 64 deep, as parse_json() sees to.
void merge_patch(Json& target, const Json& patch);

[[nodiscard]] Json patched_webhook(Json webhook, const Json& patch);
// `destination` with its secrets masked.
[[nodiscard]] Json patched_destination(Json destination, const Json& patch);
[[nodiscard]] Json patched_event_type(Json type, const Json& patch);

}  // namespace eilpost::settings
