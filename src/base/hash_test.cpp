#include "base/hash.h"

#include <bit>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <unordered_map>

#include "base/encoding.h"
#include "base/random.h"

namespace eilpost {
namespace {

std::string siphash_hex(std::size_t count) {
  SipKey key;
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::byte>(i);
  Bytes input(count);
  for (std::size_t i = 0; i < count; ++i) input[i] = static_cast<std::byte>(i);
  const Hash128 hash = siphash128(input, key);
  return encode_hex(std::as_bytes(std::span(&hash.low, 1))) +
         encode_hex(std::as_bytes(std::span(&hash.high, 1)));
}

TEST(SipHash, AgreesWithTheReferenceVectors) {
  EXPECT_EQ(siphash_hex(0), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(siphash_hex(1), "da87c1d86b99af44347659119b22fc45");
  EXPECT_EQ(siphash_hex(2), "8177228da4a45dc7fca38bdef60affe4");
  EXPECT_EQ(siphash_hex(7), "a1f1ebbed8dbc153c0b84aa61ff08239");
  EXPECT_EQ(siphash_hex(8), "3b62a9ba6258f5610f83e264f31497b4");
  EXPECT_EQ(siphash_hex(15), "5493e99933b0a8117e08ec0f97cfc3d9");
  EXPECT_EQ(siphash_hex(63), "5150d1772f50834a503e069a973fbd7c");
}

TEST(Hash64, EqualInputsHashEquallyWhereverTheyLie) {
  const std::string text = "xhello world, hello world, hello world";
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string copy = text.substr(1, size);
    EXPECT_EQ(hash64(std::string_view(text).substr(1, size)), hash64(copy));
  }
}

// Flipping any one bit, of the input or the seed, flips about half of the 64 bits of the hash.
TEST(Hash64Property, EveryBitOfTheInputMatters) {
  Random random(7);
  for (std::size_t size = 1; size <= 70; ++size) {
    Bytes bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    const std::uint64_t before = hash64(bytes, 5);
    int flipped = 0;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      const std::uint64_t after = hash64(bytes, 5);
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_GE(std::popcount(before ^ after), 10) << size << " " << bit;
      flipped += std::popcount(before ^ after);
    }
    const double mean = static_cast<double>(flipped) / static_cast<double>(size * 8);
    EXPECT_NEAR(mean, 32.0, 5.0) << size;
    EXPECT_GE(std::popcount(before ^ hash64(bytes, 6)), 10);
  }
}

TEST(Hash64Property, NumbersAndTextsInARowDoNotCollide) {
  std::set<std::uint64_t> seen;
  std::unordered_map<std::uint64_t, int> low_bits;
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) {
    seen.insert(hash64(std::to_string(i)));
    seen.insert(hash64(static_cast<std::uint64_t>(i)));
    seen.insert(combine_hashes(static_cast<std::uint64_t>(i), 1'000'000));
    ++low_bits[hash64("user-" + std::to_string(i)) % 16];
  }
  EXPECT_EQ(seen.size(), 3U * kCount);
  for (const auto& [bits, count] : low_bits) EXPECT_NEAR(count, kCount / 16, 150) << bits;
}

TEST(Hash64, PairsAreNotSymmetric) {
  EXPECT_NE(combine_hashes(1, 2), combine_hashes(2, 1));
}

TEST(StringHash, FindsByView) {
  const std::unordered_map<std::string, int, StringHash, std::equal_to<>> map = {{"a", 1}};
  EXPECT_EQ(map.find(std::string_view("a"))->second, 1);
}

}  // namespace
}  // namespace eilpost
