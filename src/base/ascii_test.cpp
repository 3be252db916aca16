#include "base/ascii.h"

#include <gtest/gtest.h>

namespace eilpost {
namespace {

TEST(Ascii, OnlyAsciiLettersChangeCase) {
  EXPECT_EQ(to_ascii_lower("AZ@[az{\xC3\x84"), "az@[az{\xC3\x84");
  EXPECT_EQ(to_ascii_upper("AZ@[az`{\xC3\xA4"), "AZ@[AZ`{\xC3\xA4");
}

TEST(Ascii, TrimTakesBlanksOfBothEndsOnly) {
  EXPECT_EQ(trim_ascii(" \t\r\n\v\fa b \t"), "a b");
  EXPECT_EQ(trim_ascii(" \t "), "");
  EXPECT_EQ(trim_ascii("\xC2\xA0x"), "\xC2\xA0x");
}

TEST(Ascii, EqualButForCase) {
  EXPECT_TRUE(iequals("Content-Type", "content-TYPE"));
  EXPECT_FALSE(iequals("Content-Type", "Content-Typ"));
  EXPECT_FALSE(iequals("@", "`"));  // They differ by the same bit as letters do.
}

}  // namespace
}  // namespace eilpost
