#include "base/utf8.h"

#include <gtest/gtest.h>
#include <string>

namespace eilpost {
namespace {

// By the definition: encode every code point and nothing else.
std::string encode(std::uint32_t point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xC0 | point >> 6), byte(0x80 | (point & 63))};
  if (point < 0x10000) {
    return {byte(0xE0 | point >> 12), byte(0x80 | (point >> 6 & 63)), byte(0x80 | (point & 63))};
  }
  return {byte(0xF0 | point >> 18), byte(0x80 | (point >> 12 & 63)), byte(0x80 | (point >> 6 & 63)),
          byte(0x80 | (point & 63))};
}

TEST(Utf8, EveryCodePointButSurrogatesIsValid) {
  for (std::uint32_t point = 0; point < 0x110000 + 0x1000; ++point) {
    const bool is_allowed = point < 0x110000 && (point < 0xD800 || point > 0xDFFF);
    ASSERT_EQ(is_valid_utf8(encode(point)), is_allowed) << point;
  }
}

TEST(Utf8, BrokenFormsAreRefusedWhereverTheyStand) {
  const std::string broken[] = {"\x80",
                                "\xBF",
                                "\xC0\x80",
                                "\xC1\xBF",
                                "\xE0\x9F\xBF",
                                "\xED\xA0\x80",
                                "\xF5\x80\x80\x80",
                                "\xF0\x8F\xBF\xBF",
                                "\xF4\x90\x80\x80",
                                "\xFF",
                                "\xC3",
                                "\xE2\x82",
                                "\xF0\x9F\x98",
                                "\xC3\x28",
                                "\xE2\x28\xAC",
                                "\xE2\x82\x28",
                                "\xF0\x9F\x98\x28"};
  for (const std::string& bytes : broken) {
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string padding(before, 'a');
      EXPECT_FALSE(is_valid_utf8(padding + bytes)) << before;
      EXPECT_FALSE(is_valid_utf8(padding + bytes + "aaaaaaaaaa")) << before;
    }
  }
}

TEST(Utf8, TruncationNeverCutsACodePoint) {
  const std::string text = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z";  // 1, 2, 3, 4, 1 bytes
  EXPECT_EQ(count_code_points(text), 5U);
  const std::size_t bytes[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
  for (std::size_t limit = 0; limit < std::size(bytes); ++limit) {
    EXPECT_EQ(truncate_to_bytes(text, limit).size(), bytes[limit]) << limit;
  }
  const std::size_t points[] = {0, 1, 3, 6, 10, 11, 11};
  for (std::size_t limit = 0; limit < std::size(points); ++limit) {
    EXPECT_EQ(truncate_to_code_points(text, limit).size(), points[limit]) << limit;
  }
}

}  // namespace
}  // namespace eilpost
