#include "model/event_document.h"

#include <gtest/gtest.h>

namespace eilpost {
namespace {

TEST(EventDocument, CanonicalDocumentIsRead) {
  simdjson::dom::parser parser;
  const auto document = EventDocument::parse(
      parser, R"({"event":{"id":"e1"},"created_at":1764000000123,"data":{"nps":9}})");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(simdjson::minify(document->event()), R"({"id":"e1"})");
  EXPECT_EQ(simdjson::minify(document->event_element()), R"({"id":"e1"})");
  EXPECT_EQ(document->created_at().get_int64().value(), 1764000000123);
  EXPECT_EQ(simdjson::minify(document->data()), R"({"nps":9})");
}

TEST(EventDocument, AnythingElseIsRefused) {
  for (const std::string_view text : {
           R"()",
           R"(x)",
           R"([])",
           R"({})",
           R"({"event":{},"created_at":1})",
           R"({"event":{},"created_at":1,"data":[]})",
           R"({"event":1,"created_at":1,"data":{}})",
           R"({"event":{},"created_at":"1","data":{}})",
           R"({"event":{},"created_at":1.5,"data":{}})",
           R"({"created_at":1,"event":{},"data":{}})",
           R"({"event":{},"created_at":1,"data":{},"more":1})",
           R"({"event":{},"created_at":1,"data":{}} x)",
       }) {
    simdjson::dom::parser parser;
    const auto document = EventDocument::parse(parser, text);
    ASSERT_FALSE(document.has_value()) << text;
    EXPECT_EQ(document.error().code, ErrorCode::bad_input);
    EXPECT_FALSE(document.error().detail.empty());
  }
}

TEST(EventDocument, TextIsCopied) {
  simdjson::dom::parser parser;
  std::string text = R"({"event":{"id":"first"},"created_at":1,"data":{}})";
  const auto document = EventDocument::parse(parser, text);
  text.assign(text.size(), 'x');
  EXPECT_EQ(document->event().at_key("id").get_string().value(), "first");
}

TEST(PropertyPath, PartsAreSplitAtDots) {
  EXPECT_EQ(PropertyPath::parse("wm.euId")->segments, (std::vector<std::string>{"wm", "euId"}));
  EXPECT_EQ(PropertyPath::parse("nps")->segments, (std::vector<std::string>{"nps"}));
  EXPECT_EQ(PropertyPath::parse("wm.userVars.First Name")->segments.back(), "First Name");
}

TEST(PropertyPath, TextComesBack) {
  for (const std::string_view text : {"a", "wm.userVars.*", "answers.0.value", "größe.ä"}) {
    EXPECT_EQ(PropertyPath::parse(text)->to_string(), text);
  }
}

TEST(PropertyPath, WildcardIsAPartOfItsOwn) {
  EXPECT_TRUE(PropertyPath::parse("a.*.b")->has_wildcard());
  EXPECT_TRUE(PropertyPath::parse("*")->has_wildcard());
  EXPECT_FALSE(PropertyPath::parse("a.b")->has_wildcard());
}

TEST(PropertyPath, BrokenPathsAreRefusedWithAReason) {
  const std::string long_part(PropertyPath::kSegmentBytesMax + 1, 'a');
  const std::string many_parts = "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "empty"},
      {".a", "empty part"},
      {"a.", "empty part"},
      {"a..b", "empty part"},
      {" a", "blank"},
      {"a .b", "blank"},
      {"a\nb", "control"},
      {"a*.b", "stand alone"},
      {"wm.**", "stand alone"},
      {"a\xff", "UTF-8"},
      {long_part, "at most 200"},
      {many_parts, "at most 16 parts"},
  };
  for (const auto& [text, reason] : cases) {
    const auto path = PropertyPath::parse(text);
    ASSERT_FALSE(path.has_value()) << text;
    EXPECT_EQ(path.error().code, ErrorCode::bad_input);
    EXPECT_NE(path.error().detail.find(reason), std::string::npos) << path.error().detail;
  }
  EXPECT_TRUE(PropertyPath::parse(long_part.substr(1)).has_value());
  EXPECT_TRUE(PropertyPath::parse(many_parts.substr(0, many_parts.size() - 3)).has_value());
}

}  // namespace
}  // namespace eilpost
