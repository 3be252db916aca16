#include "base/parse.h"

#include <cstdint>
#include <gtest/gtest.h>

namespace eilpost {
namespace {

TEST(Parse, IntegersMustFillTheTextAndFitTheType) {
  EXPECT_EQ(parse_integer<std::uint8_t>("255"), 255);
  EXPECT_EQ(parse_integer<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parse_integer<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_integer<int>("007"), 7);
  for (const char* text : {"", "-", "256", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1a"}) {
    EXPECT_EQ(parse_integer<std::uint8_t>(text), std::nullopt) << text;
  }
  EXPECT_EQ(parse_integer<std::uint64_t>("18446744073709551616"), std::nullopt);
}

TEST(Parse, DoublesMustBeFiniteDecimals) {
  EXPECT_EQ(parse_double("-1.5e3"), -1500.0);
  EXPECT_EQ(parse_double("42"), 42.0);
  for (const char* text : {"", ".", "inf", "nan", "1e999", "+1", " 1", "1 ", "0x1p3", "1e"}) {
    EXPECT_EQ(parse_double(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace eilpost
