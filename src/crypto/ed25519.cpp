#include "crypto/ed25519.h"

#include <algorithm>

#include "base/assert.h"
#include "base/encoding.h"
#include "crypto/digest.h"
#include "crypto/sodium.h"

namespace eilpost::crypto {

using internal::ensure_sodium;
using internal::raw;
using internal::target;

namespace {

constexpr std::string_view kPrivatePrefix = "whsk_";

}  // namespace

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

std::string make_webhook_private_key(env::Entropy& entropy) {
  Ed25519KeyPair pair = ed25519_key_pair(entropy);
  std::string text = std::string(kPrivatePrefix) + encode_base64(pair.secret_key);
  wipe(pair.secret_key);
  return text;
}

std::optional<Ed25519KeyPair> decode_webhook_private_key(std::string_view text) {
  if (!text.starts_with(kPrivatePrefix)) return std::nullopt;
  const std::optional<Bytes> bytes = decode_base64(text.substr(kPrivatePrefix.size()));
  if (!bytes) return std::nullopt;
  Ed25519Seed seed;
  const bool is_pair = bytes->size() == sizeof(Ed25519SecretKey);
  if (!is_pair && bytes->size() != seed.size()) return std::nullopt;
  std::copy_n(bytes->begin(), seed.size(), seed.begin());
  const Ed25519KeyPair pair = ed25519_key_pair(seed);
  if (is_pair && !std::ranges::equal(*bytes, pair.secret_key)) return std::nullopt;
  return pair;
}

std::string webhook_public_key(const Ed25519KeyPair& pair) {
  return "whpk_" + encode_base64(pair.public_key);
}

}  // namespace eilpost::crypto
