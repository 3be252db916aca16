#include "ingest/key_hashes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ingest/ingest_support_for_test.h"

namespace eilpost::ingest {
namespace {

TEST(KeyHashes, KnowsWhatWasPut) {
  KeyHashes hashes;
  EXPECT_EQ(hashes.find("src_a"), nullptr);
  EXPECT_EQ(hashes.find(""), nullptr);
  hashes.put("src_a", "hash of a");
  ASSERT_NE(hashes.find("src_a"), nullptr);
  EXPECT_EQ(*hashes.find("src_a"), "hash of a");
  EXPECT_EQ(hashes.find("src_"), nullptr);
  EXPECT_EQ(hashes.find("src_ab"), nullptr);
}

TEST(KeyHashes, NeverGivesTheHashOfAnotherKey) {
  KeyHashes hashes;
  for (std::size_t i = 0; i < KeyHashes::kSlots * 4; ++i) {
    hashes.put(fmt::format("src_{}", i), fmt::format("hash {}", i));
  }
  std::size_t known_count = 0;
  for (std::size_t i = 0; i < KeyHashes::kSlots * 4; ++i) {
    const std::string* const hash = hashes.find(fmt::format("src_{}", i));
    if (hash == nullptr) continue;
    ++known_count;
    EXPECT_EQ(*hash, fmt::format("hash {}", i));
  }
  EXPECT_GT(known_count, 0U);
  EXPECT_LE(known_count, KeyHashes::kSlots);
}

TEST(KeyHashes, AKeyThatWasGoodIsRefusedWhenItsSourceHasGone) {
  TestWorld world;
  constexpr std::string_view kEvent = R"({"type":"survey.submitted","data":{}})";
  ASSERT_TRUE(world.take(kEvent).has_value());
  std::vector<Source> without;
  for (Source source : TestWorld::make_sources()) {
    source.enabled = source.id != SourceId{1};
    without.push_back(std::move(source));
  }
  world.sources = Sources(std::move(without));
  const auto taken = world.take(kEvent);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().status, 401);
}

}  // namespace
}  // namespace eilpost::ingest
