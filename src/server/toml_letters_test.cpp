#include "server/toml_letters.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config.h"

namespace eilpost::server {
namespace {

// LINE:COLUMN TEXT, or nothing.
std::string problem_in(std::string_view toml) {
  const auto ascii = to_ascii_toml(toml);
  if (ascii) return "";
  return fmt::format("{}:{} {}", ascii.error().line, ascii.error().column, ascii.error().text);
}

TEST(TomlLetters, TextsAndCommentsMayHaveAnyLetter) {
  for (const std::string_view toml : {
           "",
           "data = \"é\"",
           "data = 'é'",
           "data = \"\"\"é\n é \"é\" \"\"\"",
           "\"é\" = 1\n'é' = 1",
           "# é\nlanes = 1 # é",
           "data = \"\\\"é\"",
           "data = '\\' # é",
           "data = \"\\\\\" # é",
           "data = \"\" # é",
           "data = '' # é",
           "data = \"\"\"\"\"\" # é",
           "data = \"\"\"é\"\"\"\"\" # é",
           "data = \"\"\"a\\\"\"\"é\"\"\"",
           "data = '''e''''' # é",
           "data = \"\"\"a\\\n  b é\"\"\"",
           "\xEF\xBB\xBFlanes = 1",
       }) {
    EXPECT_EQ(problem_in(toml), "") << toml;
  }
}

TEST(TomlLetters, ElsewhereTheyAreNamedWithTheirPlaceAndWhatWouldBeRight) {
  constexpr std::string_view kWhy =
      "cannot stand outside of texts and comments: put quotes around the key or text";
  const struct {
    std::string_view toml;
    std::string_view place;
  } kCases[] = {
      {"é = 1", "1:1"},
      {"lanes = 1\nrégion = 1", "2:2"},
      {"lanes = é", "1:9"},
      {"[é]", "1:2"},
      {"data = \"éé\" é", "1:13"},
      {"data = '\\' é", "1:12"},
      {"data = \"\\\\\" é", "1:13"},
      {"data = \"\"\"a\"\"\"\"\"é", "1:17"},
      {"data = '''a\n'''é", "2:4"},
      {"# é\né = 1", "2:1"},
      {"data = \"open\né = 1", "2:1"},
      {"\xEF\xBB\xBFé = 1", "1:1"},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(problem_in(one.toml), fmt::format("{} the letter é (U+00E9) {}", one.place, kWhy))
        << one.toml;
  }
  EXPECT_THAT(problem_in("x \xEF\xBB\xB7= 2"), testing::HasSubstr("(U+FEF7)"));
  EXPECT_THAT(problem_in("x\xC2\xA0= 2"), testing::HasSubstr("(U+00A0)"));
  EXPECT_THAT(problem_in("\xF0\x9F\x98\x80 = 2"), testing::HasSubstr("(U+1F600)"));
}

TEST(TomlLetters, LettersBecomeEscapesAndMeanTheSame) {
  EXPECT_EQ(to_ascii_toml("data = \"é\" # é"), "data = \"\\u00e9\" # ?");
  EXPECT_EQ(to_ascii_toml("data = 'a\\\"é'"), "data = \"a\\\\\\\"\\u00e9\"");
  EXPECT_EQ(to_ascii_toml("data = 'a\\b'"), "data = 'a\\b'");
  EXPECT_EQ(to_ascii_toml("\"\xF0\x9F\x98\x80\" = 1"), "\"\\U0001f600\" = 1");
  EXPECT_EQ(to_ascii_toml("data = 'é\nlanes = 1"), "data = \"\\u00e9\nlanes = 1");
  EXPECT_EQ(to_ascii_toml("data = '''é\"''''' # a"), "data = \"\"\"\\u00e9\\\"''\"\"\" # a");
  EXPECT_EQ(to_ascii_toml("data = '''a''''' # a"), "data = '''a''''' # a");
  for (const std::string_view text :
       {"\"/é/日本\"", "'/é/日本'", "'''\n/é/日本'''", "\"\"\"/\\\n é/日本\"\"\""}) {
    const auto config = parse_config({.toml = fmt::format("data = {}", text), .toml_name = "c"});
    ASSERT_TRUE(config.has_value()) << config.error().detail;
    EXPECT_EQ(config->data, "/é/日本");
  }
}

TEST(TomlLetters, WhatHasNoEscapesOrIsNoneIsRefused) {
  EXPECT_THAT(problem_in("data = \"\"\"a\\é\"\"\""), testing::StartsWith("1:13 the letter é"));
  EXPECT_THAT(problem_in("data = \"\\é\""), testing::HasSubstr("is no escape"));
}

TEST(TomlLetters, BytesThatAreNotUtf8AreNamedWithTheirPlace) {
  EXPECT_EQ(problem_in("lanes = 1\n# \xFC"),
            "2:3 the byte 0xfc is not UTF-8: save the file as UTF-8");
  EXPECT_THAT(problem_in("data = \"\xC3\""), testing::StartsWith("1:9 the byte 0xc3"));
  EXPECT_THAT(problem_in("data = \"\xED\xA0\x80\""), testing::StartsWith("1:9 the byte 0xed"));
}

TEST(TomlLetters, TheConfigurationIsRefusedWithTheNameOfTheFile) {
  const auto config = parse_config({.toml = "\nrégion = 1", .toml_name = "eilpost.toml"});
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().detail, testing::StartsWith("eilpost.toml:2:2 the letter é"));
  const auto quoted = parse_config({.toml = "\"région\" = 1", .toml_name = "c"});
  ASSERT_FALSE(quoted);
  EXPECT_THAT(quoted.error().detail, testing::StartsWith("c:1: région is not an option"));
}

}  // namespace
}  // namespace eilpost::server
