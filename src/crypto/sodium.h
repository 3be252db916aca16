#pragma once
// Private to this folder: libsodium, made ready once.

#include <sodium.h>

#include "base/bytes.h"

namespace eilpost::crypto::internal {

// Must be called before anything of libsodium; cheap after the first time. Threads: any.
void ensure_sodium();

inline const unsigned char* raw(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

inline unsigned char* target(std::span<std::byte> bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace eilpost::crypto::internal
