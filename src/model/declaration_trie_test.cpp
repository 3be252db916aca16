#include "model/declaration_trie.h"

#include <gtest/gtest.h>

namespace eilpost {
namespace {

DeclarationTrie make_trie() {
  DeclarationTrie trie;
  trie.add("a", PropertyType::string);
  trie.add("a", PropertyType::integer);
  trie.add("b.c", PropertyType::number);
  trie.add("b.c.d", PropertyType::boolean);
  trie.add("vars.*", PropertyType::scalar);
  trie.add("vars.known", PropertyType::integer);
  trie.add("list", PropertyType::array);
  return trie;
}

TEST(DeclarationTrie, TheFirstDeclarationOfAPathCounts) {
  EXPECT_EQ(make_trie().type_of("a"), PropertyType::string);
}

TEST(DeclarationTrie, KnowsOnlyWholeDeclaredPaths) {
  const DeclarationTrie trie = make_trie();
  EXPECT_EQ(trie.type_of("b"), std::nullopt);
  EXPECT_EQ(trie.type_of("b.c"), PropertyType::number);
  EXPECT_EQ(trie.type_of("b.c.d"), PropertyType::boolean);
  EXPECT_EQ(trie.type_of("b.c.e"), std::nullopt);
  EXPECT_EQ(trie.type_of("c"), std::nullopt);
  EXPECT_EQ(trie.type_of("list.0.x"), PropertyType::any);
}

TEST(DeclarationTrie, AStarIsAnyNameButTheDeclaredOnes) {
  const DeclarationTrie trie = make_trie();
  EXPECT_EQ(trie.type_of("vars.known"), PropertyType::integer);
  EXPECT_EQ(trie.type_of("vars.other"), PropertyType::scalar);
  EXPECT_EQ(trie.type_of("vars.with.dots"), PropertyType::scalar);
  EXPECT_EQ(trie.type_of("vars"), std::nullopt);
}

TEST(DeclarationTrie, ADottedKeyIsAsManySteps) {
  const DeclarationTrie trie = make_trie();
  const auto type_below = [&](const DeclarationTrie::Node& node, std::string_view key) {
    const DeclarationTrie::Node* const found = trie.descend(node, key);
    return found == nullptr ? std::nullopt : found->type;
  };
  EXPECT_EQ(type_below(trie.root(), "b.c"), PropertyType::number);
  EXPECT_EQ(type_below(trie.root(), "b.c.d"), PropertyType::boolean);
  EXPECT_EQ(type_below(*trie.child(trie.root(), "b"), "c.d"), PropertyType::boolean);
  EXPECT_EQ(type_below(trie.root(), "vars.a.b"), PropertyType::scalar);
  for (const std::string_view key : {"b..c", ".b.c", "b.c.", ".", "b.c.d.e"}) {
    EXPECT_EQ(type_below(trie.root(), key), std::nullopt) << key;
  }
}

}  // namespace
}  // namespace eilpost
