#include "render/value.h"

#include <vector>

#include "base/parse.h"
#include "base/utf8.h"
#include "model/json_text.h"

namespace eilpost::render {

using simdjson::dom::element_type;

Value Value::null() {
  Value value;
  value.kind = Kind::null;
  return value;
}

Value Value::of(bool boolean) {
  Value value;
  value.kind = Kind::boolean;
  value.boolean = boolean;
  return value;
}

Value Value::of(std::int64_t integer) {
  Value value;
  value.kind = Kind::integer;
  value.integer = integer;
  return value;
}

Value Value::of(double real) {
  Value value;
  value.kind = Kind::real;
  value.real = real;
  return value;
}

Value Value::of(std::string_view text) {
  Value value;
  value.kind = Kind::text;
  value.text = text;
  return value;
}

Value Value::of(std::span<const Value> items) {
  Value value;
  value.kind = Kind::list;
  value.items = items.data();
  value.items_count = items.size();
  return value;
}

Value Value::of_json(std::string_view json) {
  Value value;
  value.kind = Kind::json;
  value.text = json;
  return value;
}

Value Value::of(simdjson::dom::element element) {
  switch (element.type()) {
    case element_type::ARRAY:
    case element_type::OBJECT:
      break;
    case element_type::STRING:
      return of(std::string_view(element));
    case element_type::INT64:
      return of(std::int64_t(element));
    case element_type::UINT64: {
      Value value;
      value.kind = Kind::natural;
      value.natural = std::uint64_t(element);
      return value;
    }
    case element_type::DOUBLE:
      return of(double(element));
    case element_type::BOOL:
      return of(bool(element));
    case element_type::NULL_VALUE:
      return null();
  }
  Value value;
  value.kind = Kind::tree;
  value.tree = element;
  return value;
}

bool Value::is_array() const {
  return kind == Kind::list || (kind == Kind::tree && tree.is_array());
}

bool Value::is_object() const {
  return kind == Kind::json || (kind == Kind::tree && tree.is_object());
}

bool Value::is_falsy() const {
  switch (kind) {
    case Kind::missing:
    case Kind::null:
      return true;
    case Kind::boolean:
      return !boolean;
    case Kind::integer:
    case Kind::natural:
    case Kind::real:
      return false;
    case Kind::text:
      return text.empty();
    case Kind::tree:
      return tree.is_array() ? simdjson::dom::array(tree).size() == 0
                             : simdjson::dom::object(tree).size() == 0;
    case Kind::list:
      return items_count == 0;
    case Kind::json:
      return text == "{}";
  }
  return true;
}

// NOLINTNEXTLINE(misc-no-recursion): a list's elements are of the event, so never lists of lists.
void append_json(std::string& out, const Value& value) {
  switch (value.kind) {
    case Value::Kind::missing:
    case Value::Kind::null:
      out += "null";
      return;
    case Value::Kind::boolean:
      out += value.boolean ? "true" : "false";
      return;
    case Value::Kind::integer:
      return append_json_integer(out, value.integer);
    case Value::Kind::natural:
      return append_json_integer(out, value.natural);
    case Value::Kind::real:
      return append_json_real(out, value.real);
    case Value::Kind::text:
      return append_script_string(out, value.text);
    case Value::Kind::tree:
      return append_script_json(out, value.tree);
    case Value::Kind::json:
      out += value.text;
      return;
    case Value::Kind::list:
      break;
  }
  char separator = '[';
  for (const Value& item : value.list()) {
    out += separator;
    append_json(out, item);
    separator = ',';
  }
  out += separator == '[' ? "[]" : "]";
}

void append_text(std::string& out, const Value& value) {
  if (value.is_text()) {
    out += value.text;
  } else if (!value.is_missing_or_null()) {
    append_json(out, value);
  }
}

std::string_view text_of(const Value& value, Arena& arena) {
  if (value.is_text()) return value.text;
  std::string text;
  append_text(text, value);
  return arena.copy(text);
}

std::string describe(const Value& value) {
  constexpr std::size_t kShownMax = 40;
  switch (value.kind) {
    case Value::Kind::missing:
    case Value::Kind::null:
      return "missing";
    case Value::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Value::Kind::integer:
    case Value::Kind::natural:
    case Value::Kind::real: {
      std::string text = "the number ";
      append_json(text, value);
      return text;
    }
    case Value::Kind::text: {
      const std::string_view shown = truncate_to_code_points(value.text, kShownMax);
      return "the text \"" + std::string(shown) + (shown == value.text ? "\"" : "…\"");
    }
    case Value::Kind::tree:
    case Value::Kind::list:
    case Value::Kind::json:
      break;
  }
  return value.is_array() ? "a list" : "an object";
}

std::span<const Value> elements_of(const Value& value, Arena& arena) {
  if (value.kind == Value::Kind::list) return value.list();
  std::vector<Value> items;
  for (const auto element : simdjson::dom::array(value.tree)) items.push_back(Value::of(element));
  return arena.copy(items);
}

namespace {

// The value of one key of an object or one index of an array.
Value step(const Value& value, std::string_view key) {
  if (value.kind == Value::Kind::tree && value.tree.is_object()) {
    simdjson::dom::element found;
    if (simdjson::dom::object(value.tree).at_key(key).get(found) != simdjson::SUCCESS) return {};
    return Value::of(found);
  }
  if (!value.is_array()) return {};
  const auto index = parse_integer<std::uint32_t>(key);
  if (!index) return {};
  if (value.kind == Value::Kind::list) {
    return *index < value.items_count ? value.items[*index] : Value{};
  }
  simdjson::dom::element found;
  if (simdjson::dom::array(value.tree).at(*index).get(found) != simdjson::SUCCESS) return {};
  return Value::of(found);
}

}  // namespace

Value find_below(const Value& value, std::string_view path) {
  Value here = value;
  while (!path.empty()) {
    // The longest key first: a literally dotted one.
    std::size_t end = path.size();
    Value next = step(here, path);
    while (next.kind == Value::Kind::missing && end != std::string_view::npos && end > 0) {
      end = path.rfind('.', end - 1);
      if (end != std::string_view::npos) next = step(here, path.substr(0, end));
    }
    if (next.kind == Value::Kind::missing) return {};
    here = next;
    path = end == path.size() ? std::string_view{} : path.substr(end + 1);
  }
  return here;
}

}  // namespace eilpost::render
