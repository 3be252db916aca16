#pragma once
// Text, numbers and booleans: what conditions compare, from events and from settings.

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <simdjson.h>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "match/number.h"
#include "model/json.h"

namespace eilpost::match {

enum class ScalarKind : std::uint8_t { text, number, boolean };

// A value of an event. `text` belongs to the document.
struct Scalar {
  ScalarKind kind = ScalarKind::boolean;
  std::string_view text;
  Number number;
  bool boolean = false;
};

// Nothing for arrays, objects and null.
[[nodiscard]] std::optional<Scalar> scalar_of(simdjson::dom::element value);

// A value of a condition, with everything that it may be compared as.
struct Operand {
  ScalarKind kind = ScalarKind::boolean;
  std::string text;                 // folded where case is ignored
  std::optional<Number> number;     // of a number, and of text that is one
  std::optional<WallTime> instant;  // of text that is an ISO time or date
  bool boolean = false;
};

// Nothing for arrays, objects and null.
[[nodiscard]] std::optional<Operand> operand_of(const Json& value, bool ignore_case);

// A time as base/iso_time.h reads it, or a date alone, which is its first moment in UTC.
[[nodiscard]] std::optional<WallTime> parse_instant(std::string_view text);

// Text is equal byte for byte (folded, if case is ignored) or as the same instant; a number also to
// text that is that number. `buffer` is working memory.
[[nodiscard]] bool equals(const Scalar& value, const Operand& operand, bool ignore_case,
                          std::string& buffer);

// How `value` compares with a number or an instant; nothing if it is neither.
// REQUIRES: `operand` has a number or an instant; with both it is taken as a number.
[[nodiscard]] std::optional<std::strong_ordering> compare(const Scalar& value,
                                                          const Operand& operand);

// Hashes by which equal values are found: whenever equals(), with or without case, holds, the two
// have one in common. The reverse need not be true.
class Keys {
 public:
  [[nodiscard]] static Keys of(const Scalar& value, std::string& buffer);
  [[nodiscard]] static Keys of(const Operand& operand);

  [[nodiscard]] const std::uint64_t* begin() const { return keys_.data(); }
  [[nodiscard]] const std::uint64_t* end() const { return keys_.data() + count_; }

 private:
  void add(std::uint64_t kind, std::uint64_t hash);
  void add_text(std::string_view folded, const std::optional<Number>& number,
                const std::optional<WallTime>& instant);

  std::array<std::uint64_t, 3> keys_{};
  std::size_t count_ = 0;
};

}  // namespace eilpost::match
