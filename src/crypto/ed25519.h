#pragma once
// Ed25519 signatures (RFC 8032).
//
// Threads: any.

#include <array>
#include <cstddef>

#include "base/bytes.h"
#include "env/entropy.h"

namespace eilpost::crypto {

using Ed25519Seed = std::array<std::byte, 32>;
using Ed25519PublicKey = std::array<std::byte, 32>;
using Ed25519SecretKey = std::array<std::byte, 64>;  // the seed, then the public key
using Ed25519Signature = std::array<std::byte, 64>;

struct Ed25519KeyPair {
  Ed25519PublicKey public_key;
  Ed25519SecretKey secret_key;
};

[[nodiscard]] Ed25519KeyPair ed25519_key_pair(const Ed25519Seed& seed);
[[nodiscard]] Ed25519KeyPair ed25519_key_pair(env::Entropy& entropy);

[[nodiscard]] Ed25519Signature ed25519_sign(ByteView message, const Ed25519SecretKey& key);

[[nodiscard]] bool ed25519_verify(ByteView message, const Ed25519Signature& signature,
                                  const Ed25519PublicKey& key);

}  // namespace eilpost::crypto
