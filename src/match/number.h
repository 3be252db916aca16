#pragma once
// Numbers as JSON has them, compared exactly: 2^53 + 1 is more than 9007199254740992.0.

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace eilpost::match {

// An integer from -2^63 to 2^64 - 1 or a double. One number has one form: 9.0 is the integer 9.
class Number {
 public:
  Number() = default;
  explicit Number(std::int64_t value)
      : is_negative_(value < 0),
        magnitude_(value < 0 ? 0 - static_cast<std::uint64_t>(value)
                             : static_cast<std::uint64_t>(value)) {}
  explicit Number(std::uint64_t value) : magnitude_(value) {}
  explicit Number(double value);  // REQUIRES: `value` is finite.

  // A decimal number and nothing else: "9", "-1.5e3". Integers beyond 64 bits become doubles.
  [[nodiscard]] static std::optional<Number> parse(std::string_view text);

  friend bool operator==(const Number&, const Number&) = default;
  friend std::strong_ordering operator<=>(const Number& a, const Number& b);

  // Equal numbers have equal hashes.
  [[nodiscard]] std::uint64_t hash() const;

 private:
  // REQUIRES: neither is real, or only the double is.
  static std::strong_ordering compare_integers(const Number& a, const Number& b);
  static std::strong_ordering compare_with_real(const Number& integer, double real);

  bool is_real_ = false;  // no integer in the range above
  bool is_negative_ = false;
  std::uint64_t magnitude_ = 0;
  double real_ = 0;
};

}  // namespace eilpost::match
