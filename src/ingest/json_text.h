#pragma once
// Writes JSON: strings with as few escapes as JSON allows, numbers without loss.

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace eilpost::ingest {

// The text in quotes. `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

// The shortest text that reads back as the same number; a whole number that an integer of 64 bits
// cannot surely hold is written as no integer: 3e+25, 36893488147419103232.0.
void append_json_double(std::string& out, double value);

// One step of a JSON Pointer (RFC 6901), with its slash.
void append_pointer_token(std::string& out, std::string_view token);

template <std::integral T>
void append_json_integer(std::string& out, T value) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace eilpost::ingest
