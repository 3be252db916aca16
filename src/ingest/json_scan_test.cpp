// Goal: the slow scan agrees with the fast parser about what is JSON, and points at the place.
// Method: tables, and random damage to good texts compared with the parser's verdict.

#include "ingest/json_scan.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "base/random.h"

namespace eilpost::ingest {
namespace {

struct SyntaxCase {
  std::string_view text;
  std::size_t offset;
  std::string_view says;
};

TEST(JsonScan, NamesThePlaceOfASyntaxError) {
  const SyntaxCase cases[] = {
      {"", 0, "the text ends where a value must be"},
      {"{\"a\":1,}", 7, "} stands where a key"},
      {"{\"a\" 1}", 5, "1 stands where a colon"},
      {"{\"a\":1 \"b\":2}", 7, "where a comma or }"},
      {"[1,]", 3, "] stands where a value"},
      {"[1 2]", 3, "a comma or ]"},
      {"{a:1}", 1, "a key in double quotes"},
      {"{'a':1}", 1, "' stands"},
      {"[tru]", 1, "t stands where a value"},
      {"[01]", 2, "does not begin with a zero"},
      {"[-]", 2, "a digit"},
      {"[1.]", 3, "a digit"},
      {"[1e]", 3, "a digit"},
      {"[NaN]", 1, "N stands where a value"},
      {"\"abc", 4, "ends inside a string"},
      {"[\"a\nb\"]", 3, "U+000A stands where an escape"},
      {"[\"\\x\"]", 2, "an escape that JSON does not know"},
      {"[\"\\u12g4\"]", 2, "an escape that JSON does not know"},
      {"{} {}", 3, "{ stands where the end"},
      {"{\"a\":1", 6, "the text ends where a comma or }"},
      {"[\"\xFF\"]", 2, "not UTF-8"},
      {"[\"\xC3\"]", 2, "not UTF-8"},
      {"\xEF\xBB\xBF{}", 0, "where a value"},
  };
  for (const SyntaxCase& c : cases) {
    const Scan scan = scan_json(c.text);
    ASSERT_TRUE(scan.fault) << c.text;
    EXPECT_EQ(scan.fault->offset, c.offset) << c.text << ": " << scan.fault->detail;
    EXPECT_TRUE(scan.fault->detail.contains(c.says)) << c.text << ": " << scan.fault->detail;
    EXPECT_TRUE(scan.events.empty());
  }
}

TEST(JsonScan, CountsLinesAndCharacters) {
  const Scan scan = scan_json("{\n  \"ä\": x\n}");
  ASSERT_TRUE(scan.fault);
  EXPECT_EQ(scan.fault->line, 2U);
  EXPECT_EQ(scan.fault->column, 8U);
}

TEST(JsonScan, GivesTheElementsOfABatch) {
  const Scan scan = scan_json(R"( [ {"a":[1,{}]} , 5,"x", [ ] ,null] )");
  ASSERT_FALSE(scan.fault);
  std::vector<std::string_view> texts;
  for (const ScannedEvent& event : scan.events) texts.push_back(event.text);
  EXPECT_EQ(texts, (std::vector<std::string_view>{R"({"a":[1,{}]})", "5", "\"x\"", "[ ]", "null"}));
  EXPECT_TRUE(scan_json("[]").events.empty());
  ASSERT_EQ(scan_json(" {\"a\":1} ").events.size(), 1U);
  EXPECT_EQ(scan_json(" {\"a\":1} ").events.front().text, "{\"a\":1}");
}

struct ValueCase {
  std::string_view text;
  std::string_view code;  // empty: none
  std::string_view pointer;
};

TEST(JsonScan, FindsValuesThatCannotBeTaken) {
  const ValueCase cases[] = {
      {R"({"a":18446744073709551615})", "", ""},
      {R"({"a":18446744073709551616})", "number_out_of_range", "/a"},
      {R"({"a":-9223372036854775808})", "", ""},
      {R"({"a":-9223372036854775809})", "number_out_of_range", "/a"},
      {R"({"a":{"b/c":[0,1e999]}})", "number_out_of_range", "/a/b~1c/1"},
      {R"({"a":1e-999,"b":0.0e999})", "", ""},
      {R"({"a":"\ud83d\ude00"})", "", ""},
      {R"({"a":"x\ud83d"})", "invalid_unicode", "/a"},
      {R"({"a":"\ude00"})", "invalid_unicode", "/a"},
      {R"({"a":"\ud83d\u0041"})", "invalid_unicode", "/a"},
  };
  for (const ValueCase& c : cases) {
    const Scan scan = scan_json(c.text);
    ASSERT_FALSE(scan.fault) << c.text;
    ASSERT_EQ(scan.events.size(), 1U);
    const auto& fault = scan.events.front().fault;
    EXPECT_EQ(fault ? fault->code : "", c.code) << c.text;
    EXPECT_EQ(fault ? fault->pointer : "", c.pointer) << c.text;
  }
}

TEST(JsonScan, PointersBeginAtTheEventOfABatch) {
  const Scan scan = scan_json(R"([{"a":1},{"b":99999999999999999999,"c":99999999999999999999}])");
  ASSERT_EQ(scan.events.size(), 2U);
  EXPECT_FALSE(scan.events[0].fault);
  ASSERT_TRUE(scan.events[1].fault);
  EXPECT_EQ(scan.events[1].fault->pointer, "/b");
}

TEST(JsonScan, NestingDoesNotUseTheStack) {
  const std::string text(200'000, '[');
  ASSERT_TRUE(scan_json(text).fault);
  EXPECT_FALSE(scan_json(text + std::string(text.size(), ']')).fault);
}

// Of a text the parser accepts, the scan must accept too, and the other way round but for the
// values that it reports.
TEST(JsonScanProperty, AgreesWithTheParser) {
  constexpr std::string_view kGood =
      R"([{"type":"x","n":[-1.5e3,0,true,false,null,"\u00e4\n\ud83d\ude00"],"o":{"":{}}},[],"ä"])";
  constexpr std::string_view kBytes = "[]{}\",:0123456789.-+eE\\utfn \xC3\xA4\x01";
  simdjson::dom::parser parser;
  int good_count = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    Random random(seed);
    std::string text(kGood);
    const std::uint64_t changes_count = random.below(3);
    for (std::uint64_t i = 0; i < changes_count; ++i) {
      const std::size_t at = random.below(text.size());
      const char byte = kBytes[random.below(kBytes.size())];
      if (random.chance(1, 3)) {
        text.erase(at, 1);
      } else if (random.chance(1, 2)) {
        text.insert(at, 1, byte);
      } else {
        text[at] = byte;
      }
    }
    const bool parsed = parser.parse(text).error() == simdjson::SUCCESS;
    const Scan scan = scan_json(text);
    const bool scanned = !scan.fault && std::ranges::none_of(scan.events, [](const auto& event) {
      return event.fault.has_value();
    });
    ASSERT_EQ(parsed, scanned) << "seed " << seed << ": " << text;
    good_count += parsed ? 1 : 0;
  }
  EXPECT_GT(good_count, 5'000);
  EXPECT_LT(good_count, 15'000);
}

}  // namespace
}  // namespace eilpost::ingest
