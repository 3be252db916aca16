#pragma once
// The schemas of what the API takes and answers, written in short and expanded to JSON Schema.
//
// Format: a member of an object is its name, with a '?' if it may be missing, and what it is:
//   "string" "integer" "number" "boolean" "null" "any" "time" "object" (with any members)
//   "#Name"              another schema
//   "[…]"                an array of it
//   "a|b"                either
//   "enum one two"       one of these texts
//   "…: Words."          with a description
//   ["…", "…"]           one long text in several lines
//   {…}                  an object with these members and no others; "...":true lets others be
// A list's page is "page #Name".

#include <string_view>

#include "model/json.h"

namespace eilpost::admin {

// What one short text means. REQUIRES: it is of the form above.
[[nodiscard]] Json expand_schema(const Json& text);

// All schemas, by name.
[[nodiscard]] Json openapi_schemas();

// In openapi_settings.cpp and openapi_log.cpp: JSON objects of short texts by name.
extern const std::string_view kSettingsSchemas;
extern const std::string_view kLogSchemas;

}  // namespace eilpost::admin
