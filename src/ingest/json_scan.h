#pragma once
// Says what is wrong with JSON that the fast parser refused, and where.
//
// It is the slow way: used once the fast one has failed, to tell a person the place, and to find
// the good events around a bad one.
// Limits: memory grows with the nesting, not with the text.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eilpost::ingest {

// The text is no JSON (RFC 8259).
struct SyntaxFault {
  std::size_t offset = 0;  // in bytes, of what is wrong
  std::size_t line = 1;
  std::size_t column = 1;  // in characters
  std::string detail;
};

// The text is JSON, but a value in it cannot be taken.
struct ValueFault {
  std::string code;  // number_out_of_range, invalid_unicode
  std::string detail;
  std::string pointer;  // from the event on
};

// One event's text.
struct ScannedEvent {
  std::string_view text;
  std::optional<ValueFault> fault;  // the first
};

struct Scan {
  std::optional<SyntaxFault> fault;
  // If there is no fault: the elements of the array that the text is, or the one value.
  std::vector<ScannedEvent> events;
};

[[nodiscard]] Scan scan_json(std::string_view text);

}  // namespace eilpost::ingest
