#include "model/json_text.h"

#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <simdjson.h>

#include "base/random.h"

namespace eilpost {
namespace {

std::string in_quotes(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string written(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

TEST(JsonText, EscapesOnlyWhatJsonDemands) {
  EXPECT_EQ(in_quotes(""), R"("")");
  EXPECT_EQ(in_quotes("plain / text with ümlauts and \U0001F600"),
            "\"plain / text with ümlauts and \U0001F600\"");
  EXPECT_EQ(in_quotes("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(in_quotes("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(in_quotes(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
}

TEST(JsonText, EscapesAtEveryPlaceOfAWord) {
  for (std::size_t length = 1; length < 20; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (const char c : {'"', '\\', '\n', '\x01'}) {
        std::string text(length, 'x');
        text[at] = c;
        const std::string out = in_quotes(text);
        EXPECT_GT(out.size(), length + 2) << out;
        EXPECT_EQ(out.find('\\'), at + 1) << out;
      }
      std::string text(length, 'x');
      text[at] = '\xC3';  // a high byte is no escape
      EXPECT_EQ(in_quotes(text).size(), length + 2);
    }
  }
}

TEST(JsonText, NumbersAreShortAndStayWhatTheyWere) {
  EXPECT_EQ(written(9.0), "9");
  EXPECT_EQ(written(0.1), "0.1");
  EXPECT_EQ(written(-2.5), "-2.5");
  EXPECT_EQ(written(1e300), "1e+300");
  EXPECT_EQ(written(0x1p65), "36893488147419103232.0");
  EXPECT_EQ(written(-0x1p65), "-36893488147419103232.0");
}

TEST(JsonText, RandomNumbersReadBackAsTheSame) {
  Random random(1);
  simdjson::dom::parser parser;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random.next();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (random.chance(1, 3)) value = static_cast<double>(static_cast<std::int64_t>(bits));
    if (!(value - value == 0)) continue;  // inf, nan
    const std::string text = written(value);
    double back = 0;
    ASSERT_EQ(parser.parse("[" + text + "]").at(0).get_double().get(back), simdjson::SUCCESS)
        << text;
    EXPECT_EQ(back, value) << text;
  }
}

TEST(JsonText, IntegersKeepAllDigits) {
  std::string out;
  append_json_integer(out, std::numeric_limits<std::uint64_t>::max());
  out += ' ';
  append_json_integer(out, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(out, "18446744073709551615 -9223372036854775808");
}

TEST(JsonText, ForScriptsLineSeparatorsAreEscapedAndRealNumbersShowThatTheyAre) {
  simdjson::dom::parser parser;
  const std::string text = "{\"a\u2028\": [9.0, 9, -1, 1e20, null, true, \"\x7f\u2029\"]}";
  simdjson::dom::element element;
  ASSERT_EQ(parser.parse(text).get(element), simdjson::SUCCESS);
  std::string out;
  append_script_json(out, element);
  EXPECT_EQ(out, R"({"a\u2028":[9.0,9,-1,1e+20,null,true,"\u007f\u2029"]})");
}

TEST(JsonText, PointerTokensEscapeTildeAndSlash) {
  std::string out;
  append_pointer_token(out, "a/b~c");
  append_pointer_token(out, "");
  EXPECT_EQ(out, "/a~1b~0c/");
}

// Whatever stands beside it, in words of eight bytes or in the rest.
TEST(ScriptText, EveryByteIsLookedAt) {
  for (const auto& [text, escaped] : {std::pair<std::string, std::string>{"\"", "\\\""},
                                      {"\\", "\\\\"},
                                      {"\n", "\\n"},
                                      {"\x1f", "\\u001f"},
                                      {"\x7f", "\\u007f"},
                                      {"\u2028", "\\u2028"},
                                      {"\u2029", "\\u2029"},
                                      {"\u20ac", "\u20ac"},
                                      {"\u00e4", "\u00e4"}}) {
    for (std::size_t before = 0; before <= 17; ++before) {
      for (std::size_t after = 0; after <= 9; ++after) {
        const std::string left(before, 'l');
        const std::string right(after, 'r');
        std::string out;
        append_script_string(out, left + text + right);
        EXPECT_EQ(out, '"' + left + escaped + right + '"');
        out.clear();
        append_script_escaped(out, left + text + right);
        EXPECT_EQ(out, left + escaped + right);
      }
    }
  }
}

}  // namespace
}  // namespace eilpost
