#include "ingest/value_type.h"

#include <cmath>

#include "base/assert.h"

namespace eilpost::ingest {
namespace {

using simdjson::dom::element_type;
using Element = simdjson::dom::element;

// 9.0 counts as an integer.
bool is_integer(Element value) {
  if (value.is_int64() || value.is_uint64()) return true;
  if (!value.is_double()) return false;
  const double number = value.get_double().value_unsafe();
  return std::trunc(number) == number && std::abs(number) < 0x1p63;
}

}  // namespace

std::string_view words_for(Element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "an array";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
      return "an integer";
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  assert_failed("unknown element_type");
}

std::string_view words_for(PropertyType type) {
  switch (type) {
    case PropertyType::string:
      return "a string";
    case PropertyType::integer:
      return "an integer";
    case PropertyType::number:
      return "a number";
    case PropertyType::boolean:
      return "a boolean";
    case PropertyType::array:
      return "an array";
    case PropertyType::object:
      return "an object";
    case PropertyType::id:
      return "a string or an integer";
    case PropertyType::scalar:
      return "a string, a number or a boolean";
    case PropertyType::any:
      return "anything";
  }
  assert_failed("unknown PropertyType");
}

bool has_type(Element value, PropertyType type) {
  switch (type) {
    case PropertyType::string:
      return value.is_string();
    case PropertyType::integer:
      return is_integer(value);
    case PropertyType::number:
      return value.is_number();
    case PropertyType::boolean:
      return value.is_bool();
    case PropertyType::array:
      return value.is_array();
    case PropertyType::object:
      return value.is_object();
    case PropertyType::id:
      return value.is_string() || is_integer(value);
    case PropertyType::scalar:
      return !is_container(value);
    case PropertyType::any:
      return true;
  }
  assert_failed("unknown PropertyType");
}

}  // namespace eilpost::ingest
