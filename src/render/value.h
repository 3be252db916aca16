#pragma once
// What a placeholder stands for, on its way from the event through filters into the request.
//
// Lifetime: a Value points into the parsed event, a compiled webhook or the Arena of the render.

#include <cstddef>
#include <cstdint>
#include <simdjson.h>
#include <span>
#include <string>
#include <string_view>

#include "render/arena.h"

namespace eilpost::render {

struct Value {
  enum class Kind : std::uint8_t {
    missing,
    null,
    boolean,
    integer,
    natural,  // an integer above the signed range
    real,
    text,
    tree,  // an array or an object of the event
    list,  // made here: the matches of a wildcard, the result of map()
    json,  // made here: JSON text of an object
  };

  Kind kind = Kind::missing;
  union {
    bool boolean = false;
    std::int64_t integer;
    std::uint64_t natural;
    double real;
    std::size_t items_count;
  };
  std::string_view text;         // of text and json
  simdjson::dom::element tree;   // of tree
  const Value* items = nullptr;  // of list

  [[nodiscard]] static Value null();
  [[nodiscard]] static Value of(bool boolean);
  [[nodiscard]] static Value of(std::int64_t integer);
  [[nodiscard]] static Value of(double real);
  [[nodiscard]] static Value of(std::string_view text);
  static Value of(const char* text) = delete;  // it would be a boolean
  [[nodiscard]] static Value of(std::span<const Value> items);
  [[nodiscard]] static Value of(simdjson::dom::element element);
  [[nodiscard]] static Value of_json(std::string_view json);

  [[nodiscard]] std::span<const Value> list() const { return {items, items_count}; }

  [[nodiscard]] bool is_missing_or_null() const {
    return kind == Kind::missing || kind == Kind::null;
  }
  [[nodiscard]] bool is_number() const {
    return kind == Kind::integer || kind == Kind::natural || kind == Kind::real;
  }
  [[nodiscard]] bool is_scalar() const { return is_number() || is_text() || is_boolean(); }
  [[nodiscard]] bool is_text() const { return kind == Kind::text; }
  [[nodiscard]] bool is_boolean() const { return kind == Kind::boolean; }
  [[nodiscard]] bool is_array() const;
  [[nodiscard]] bool is_object() const;
  // What {{#if}} takes for false: missing, null, false, an empty text, array or object. Zero counts
  // as true: it is a value (a survey's answer may be 0).
  [[nodiscard]] bool is_falsy() const;
};

// As JSON. A missing value is null.
void append_json(std::string& out, const Value& value);
// As part of a text: texts as they are, nothing for missing and null, everything else as JSON.
void append_text(std::string& out, const Value& value);
// The same as a view: into the value where it can be, else into `arena`.
[[nodiscard]] std::string_view text_of(const Value& value, Arena& arena);

// For error messages: `the text "abc"`, `the number 7`, `a list`, …
[[nodiscard]] std::string describe(const Value& value);

// The elements of an array or a list, in the arena where they must be made. REQUIRES: is_array().
[[nodiscard]] std::span<const Value> elements_of(const Value& value, Arena& arena);

// The value at a dotted path below `value`; a literally dotted key is read before a nested one.
[[nodiscard]] Value find_below(const Value& value, std::string_view path);

}  // namespace eilpost::render
