#include "model/json.h"

#include <gtest/gtest.h>

namespace eilpost {
namespace {

std::string error_of(std::string_view text, std::size_t depth_max = 64) {
  const auto json = parse_json(text, depth_max);
  if (json.has_value()) return "";
  EXPECT_EQ(json.error().code, ErrorCode::bad_input);
  return json.error().detail;
}

TEST(Json, TextComesBackInTheOrderOfItsKeys) {
  const std::string text = R"({"z":1,"a":[true,null,-2,1.5,18446744073709551615],"ä":"ö\n"})";
  EXPECT_EQ(to_text(*parse_json(text)), text);
}

TEST(Json, BrokenTextIsRefusedWithItsPlace) {
  EXPECT_EQ(error_of("{\"a\":1,\n \"b\":x}").find("not valid JSON at line 2, column 6: "), 0U)
      << error_of("{\"a\":1,\n \"b\":x}");
  for (const std::string_view text : {"", " ", "{", "[1,]", "{\"a\":1} x", "'a'", "nul", "1e999",
                                      "\"\xff\"", "\"\x01\"", "{\"a\" 1}", "\"\\ud800\""}) {
    EXPECT_NE(error_of(text), "") << text;
  }
}

TEST(Json, ErrorsAreValidUtf8) {
  EXPECT_EQ(to_text(Json(error_of("\"\xff\""))).find("\xef\xbf\xbd"), std::string::npos);
}

TEST(Json, NestingAboveTheLimitIsRefused) {
  EXPECT_EQ(error_of("[[{}]]", 3), "");
  EXPECT_NE(error_of("[[{\"a\":[]}]]", 3).find("deeper than 3"), std::string::npos);
  EXPECT_NE(error_of(std::string(1'000'000, '[')).find("deeper than 64"), std::string::npos);
}

TEST(Json, KeyThatStandsTwiceIsRefused) {
  EXPECT_NE(error_of(R"({"a":1,"b":{"a":2},"a":3})").find("\"a\" stands twice"), std::string::npos);
  EXPECT_EQ(error_of(R"([{"a":1},{"a":2,"b":{"a":1}}])"), "");
}

TEST(Json, BytesThatAreNotUtf8AreReplacedInText) {
  EXPECT_EQ(to_text(Json("a\xff")), "\"a\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace eilpost
