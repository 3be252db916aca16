#pragma once
// Values of an event as JSON text. Whatever they hold, the text is valid JSON (RFC 8259), and also
// valid inside a script (U+2028 and U+2029 are escaped).

#include <cstdint>
#include <simdjson.h>
#include <string>
#include <string_view>

namespace eilpost::render {

// With the quotes. REQUIRES: `text` is valid UTF-8.
void append_json_string(std::string& out, std::string_view text);
// Without the quotes.
void append_json_escaped(std::string& out, std::string_view text);

void append_number(std::string& out, std::int64_t number);
void append_number(std::string& out, std::uint64_t number);
// The shortest text that reads back as the same number; it always shows that it is no integer
// (9.0, 1e+20). REQUIRES: finite.
void append_number(std::string& out, double number);

// A whole value; blanks between its parts are not kept.
void append_json(std::string& out, simdjson::dom::element element);

}  // namespace eilpost::render
