#include "crypto/sodium.h"

#include "base/assert.h"

namespace eilpost::crypto::internal {

void ensure_sodium() {
  static const bool kReady = sodium_init() >= 0;
  EILPOST_ASSERT(kReady);
}

}  // namespace eilpost::crypto::internal
