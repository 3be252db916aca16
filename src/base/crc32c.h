#pragma once
// CRC-32C (Castagnoli), the checksum of records on disk.

#include <cstdint>

#include "base/bytes.h"

namespace eilpost {

// With the checksum of `a` as seed, the checksum of `b` is that of a and b together:
// crc32c(b, crc32c(a)) == crc32c(ab). Any other seed works as a salt.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes, std::uint32_t seed = 0);

namespace internal {
// The same without special instructions of the processor.
[[nodiscard]] std::uint32_t crc32c_portable(ByteView bytes, std::uint32_t seed);
}  // namespace internal

}  // namespace eilpost
