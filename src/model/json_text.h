#pragma once
// Writes JSON text (RFC 8259): numbers without loss, strings with as few escapes as JSON demands,
// or so that they are valid inside a script too.

#include <charconv>
#include <concepts>
#include <cstdint>
#include <simdjson.h>
#include <string>
#include <string_view>

namespace eilpost {

// The text in quotes. REQUIRES: `text` is valid UTF-8; so of all functions here.
void append_json_string(std::string& out, std::string_view text);

// The shortest text that reads back as the same number; a whole number that an integer of 64 bits
// cannot surely hold is written as no integer: 3e+25, 36893488147419103232.0.
void append_json_double(std::string& out, double value);
// The same, but it always shows that it is no integer: 9.0, 1e+20. REQUIRES: finite.
void append_json_real(std::string& out, double number);

// One step of a JSON Pointer (RFC 6901), with its slash.
void append_pointer_token(std::string& out, std::string_view token);

template <std::integral T>
void append_json_integer(std::string& out, T value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

// ---- valid inside a script too: U+007F, U+2028 and U+2029 are escaped

// With the quotes.
void append_script_string(std::string& out, std::string_view text);
// Without the quotes.
void append_script_escaped(std::string& out, std::string_view text);
// A whole value; blanks between its parts are not kept.
void append_script_json(std::string& out, simdjson::dom::element element);

}  // namespace eilpost
