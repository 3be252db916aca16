#pragma once
// Hashes for tables and for fingerprints. Neither is for passwords, signatures or secrets at rest.

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace eilpost {

// Fast and well mixed; the same on every machine, so it may be written to disk. Whoever chooses the
// input can make collisions: where that matters use siphash128().
[[nodiscard]] std::uint64_t hash64(ByteView bytes, std::uint64_t seed = 0);
[[nodiscard]] inline std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0) {
  return hash64(as_bytes(text), seed);
}

// One number well mixed, and two mixed to one (not symmetric).
[[nodiscard]] std::uint64_t hash64(std::uint64_t value);
[[nodiscard]] std::uint64_t combine_hashes(std::uint64_t a, std::uint64_t b);

// For std::unordered_map<std::string, T, StringHash, std::equal_to<>>: finds by string_view.
struct StringHash {
  using is_transparent = void;  // NOLINT(readability-identifier-naming): std wants it.
  [[nodiscard]] std::size_t operator()(std::string_view text) const { return hash64(text); }
};

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;

  friend auto operator<=>(const Hash128&, const Hash128&) = default;
};

using SipKey = std::array<std::byte, 16>;

// SipHash-2-4 with 128 bits: a fingerprint that nobody without the key can make collide. `low`
// holds the first 8 bytes of the published output, little endian.
[[nodiscard]] Hash128 siphash128(ByteView bytes, const SipKey& key);

}  // namespace eilpost
