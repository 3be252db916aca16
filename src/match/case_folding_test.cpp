#include "match/case_folding.h"

#include <gtest/gtest.h>

namespace eilpost::match {
namespace {

TEST(CaseFolding, LettersOfEveryScriptWithCasesFold) {
  for (const auto& [upper, lower] :
       std::vector<std::pair<std::string, std::string>>{{"ABC xyz 123", "abc xyz 123"},
                                                        {"ÄÖÜ ÀÉÎÕ ÅÆØ", "äöü àéîõ åæø"},
                                                        {"ĞŁŠŽČŐ", "ğłšžčő"},
                                                        {"ΑΒΓΔΩΆΈ", "αβγδωάέ"},
                                                        {"АБВГЯЁЇ", "абвгяёї"},
                                                        {"ԱԲԳ", "աբգ"},
                                                        {"ÃẢẠƠƯ", "ãảạơư"},
                                                        {"ＡＢＣ", "ａｂｃ"},
                                                        {"𐐀", "𐐨"},
                                                        {"日本語", "日本語"}}) {
    EXPECT_EQ(fold_case(upper), lower);
    EXPECT_EQ(fold_case(lower), lower);
  }
}

TEST(CaseFolding, VariantsOfALetterAreOne) {
  EXPECT_EQ(fold_case("ΟΔΟΣ"), fold_case("οδος"));
  EXPECT_EQ(fold_case("STRAẞE"), fold_case("straße"));
  EXPECT_NE(fold_case("STRASSE"), fold_case("straße"));
  EXPECT_EQ(fold_case("µ"), "μ");
  EXPECT_EQ(fold_case("\u212A"), "k");  // Kelvin
}

TEST(CaseFolding, BytesThatAreNotUtf8Stay) {
  for (const std::string text : {"\xff\xfe", "a\xc3", "\xe2\x82", "\xc3(", "\x80\x80"}) {
    EXPECT_EQ(fold_case(text), text);
  }
}

TEST(CaseFolding, RangesAreInOrder) {
  char32_t last = 0x7F;
  for (const FoldRange& range : fold_ranges()) {
    EXPECT_GT(range.first, last);
    EXPECT_LE(range.first, range.last);
    EXPECT_EQ((range.last - range.first) % static_cast<char32_t>(range.step), 0U);
    last = range.last;
  }
}

TEST(CaseFolding, FoldedCharactersFoldToThemselves) {
  std::size_t folding_count = 0;
  for (char32_t character = 0; character < 0x110000; ++character) {
    const char32_t folded = fold_case(character);
    ASSERT_EQ(fold_case(folded), folded) << static_cast<std::uint32_t>(character);
    folding_count += folded == character ? 0 : 1;
  }
  EXPECT_EQ(folding_count, 1428U + 26U);
}

}  // namespace
}  // namespace eilpost::match
