#include "crypto/ed25519.h"

#include "base/assert.h"
#include "crypto/digest.h"
#include "crypto/sodium.h"

namespace eilpost::crypto {

using internal::ensure_sodium;
using internal::raw;
using internal::target;

Ed25519KeyPair ed25519_key_pair(const Ed25519Seed& seed) {
  ensure_sodium();
  Ed25519KeyPair pair{};
  const int failed = crypto_sign_seed_keypair(
      target(std::span(pair.public_key)), target(std::span(pair.secret_key)), raw(ByteView(seed)));
  EILPOST_ASSERT(failed == 0);
  return pair;
}

Ed25519KeyPair ed25519_key_pair(env::Entropy& entropy) {
  Ed25519Seed seed;
  entropy.fill(seed);
  const Ed25519KeyPair pair = ed25519_key_pair(seed);
  wipe(seed);
  return pair;
}

Ed25519Signature ed25519_sign(ByteView message, const Ed25519SecretKey& key) {
  ensure_sodium();
  Ed25519Signature signature{};
  const int failed = crypto_sign_detached(target(std::span(signature)), nullptr, raw(message),
                                          message.size(), raw(ByteView(key)));
  EILPOST_ASSERT(failed == 0);
  return signature;
}

bool ed25519_verify(ByteView message, const Ed25519Signature& signature,
                    const Ed25519PublicKey& key) {
  ensure_sodium();
  return crypto_sign_verify_detached(raw(ByteView(signature)), raw(message), message.size(),
                                     raw(ByteView(key))) == 0;
}

}  // namespace eilpost::crypto
