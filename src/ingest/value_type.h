#pragma once
// Whether a JSON value has a declared property type, and the words for both.

#include <simdjson.h>
#include <string_view>

#include "model/property_type.h"

namespace eilpost::ingest {

// 9.0 counts as an integer.
[[nodiscard]] bool has_type(simdjson::dom::element value, PropertyType type);

[[nodiscard]] inline bool is_container(simdjson::dom::element value) {
  return value.is_object() || value.is_array();
}

// "a string", "an integer", …
[[nodiscard]] std::string_view words_for(simdjson::dom::element value);
[[nodiscard]] std::string_view words_for(PropertyType type);

}  // namespace eilpost::ingest
