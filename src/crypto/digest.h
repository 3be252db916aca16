#pragma once
// Digests of bytes, a comparison that takes the same time wherever the difference is, and wiping.
//
// Threads: any.

#include <array>
#include <cstddef>
#include <span>

#include "base/bytes.h"

namespace eilpost::crypto {

using Sha256 = std::array<std::byte, 32>;
using Sha1 = std::array<std::byte, 20>;
using Md5 = std::array<std::byte, 16>;

[[nodiscard]] Sha256 sha256(ByteView bytes);

// Broken as digests of security: only for receivers that ask for them as names of things.
[[nodiscard]] Sha1 sha1(ByteView bytes);
[[nodiscard]] Md5 md5(ByteView bytes);

// For secrets: the time does not tell where they differ. That their lengths differ may show.
[[nodiscard]] bool constant_time_equal(ByteView a, ByteView b);

// Overwrites a secret that is no longer needed; the compiler may not leave it out.
void wipe(std::span<std::byte> secret);

}  // namespace eilpost::crypto
