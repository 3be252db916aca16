#include "base/hash.h"

#include <bit>
#include <cstring>

namespace eilpost {
namespace {

static_assert(std::endian::native == std::endian::little);

__extension__ using Wide = unsigned __int128;

// Odd numbers with as many ones as zeros: digits of the fractions of e, the golden ratio and roots.
constexpr std::uint64_t kMultiplierA = 0xB7E151628AED2A6BULL;
constexpr std::uint64_t kMultiplierB = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t kMultiplierC = 0xBB67AE8584CAA73BULL;

// The product of 128 bits, both halves folded into one: every bit of the result depends on every
// bit of both.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

std::uint64_t load64(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

std::uint64_t load32(const std::byte* from) {
  std::uint32_t word = 0;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// 1 to 3 bytes as one number, different for each of them.
std::uint64_t load_few(const std::byte* from, std::size_t count) {
  const auto first = static_cast<std::uint64_t>(from[0]);
  const auto middle = static_cast<std::uint64_t>(from[count / 2]);
  const auto last = static_cast<std::uint64_t>(from[count - 1]);
  return first << 16U | middle << 8U | last;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  std::uint64_t finish() {
    for (int i = 0; i < 4; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

std::uint64_t hash64(ByteView bytes, std::uint64_t seed) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint64_t state = seed ^ fold(seed ^ kMultiplierA, kMultiplierB);
  for (; left > 16; left -= 16) {
    state = fold(load64(at) ^ kMultiplierB, load64(at + 8) ^ state);
    at += 16;
  }
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  if (left >= 8) {  // The two words overlap if there are fewer than 16 bytes.
    a = load64(at);
    b = load64(at + left - 8);
  } else if (left >= 4) {
    a = load32(at);
    b = load32(at + left - 4);
  } else if (left > 0) {
    a = load_few(at, left);
  }
  const std::uint64_t mixed = fold(a ^ kMultiplierB, b ^ state);
  return fold(mixed ^ kMultiplierC, bytes.size() ^ kMultiplierA);
}

std::uint64_t hash64(std::uint64_t value) {
  std::uint64_t z = value + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31U);
}

std::uint64_t combine_hashes(std::uint64_t a, std::uint64_t b) {
  return hash64(hash64(a) + b);
}

Hash128 siphash128(ByteView bytes, const SipKey& key) {
  const std::uint64_t k0 = load64(key.data());
  const std::uint64_t k1 = load64(key.data() + 8);
  SipState state{.v0 = k0 ^ 0x736F6D6570736575ULL,
                 .v1 = k1 ^ 0x646F72616E646F6DULL ^ 0xEEU,
                 .v2 = k0 ^ 0x6C7967656E657261ULL,
                 .v3 = k1 ^ 0x7465646279746573ULL};
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8) {
    state.absorb(load64(at));
    at += 8;
  }
  std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56U;
  for (std::size_t i = 0; i < left; ++i) last |= static_cast<std::uint64_t>(at[i]) << (8 * i);
  state.absorb(last);

  state.v2 ^= 0xEEU;
  Hash128 result;
  result.low = state.finish();
  state.v1 ^= 0xDDU;
  result.high = state.finish();
  return result;
}

}  // namespace eilpost
