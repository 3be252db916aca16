#pragma once
// The types that properties of events are declared with.

#include <cstdint>
#include <optional>
#include <string_view>

namespace eilpost {

enum class PropertyType : std::uint8_t {
  string,
  integer,
  number,
  boolean,
  array,
  object,
  id,      // a string or an integer
  scalar,  // a string, a number or a boolean
  any,
};

[[nodiscard]] std::string_view to_string(PropertyType type);
[[nodiscard]] std::optional<PropertyType> parse_property_type(std::string_view text);

}  // namespace eilpost
