#pragma once
// Ed25519 signatures (RFC 8032), and their keys as Standard Webhooks writes them.
//
// Threads: any.

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

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

// "whsk_" and the private key in base64.
[[nodiscard]] std::string make_webhook_private_key(env::Entropy& entropy);
// The keys of such a text, which holds the 32 bytes of the seed, or these and the public key's.
[[nodiscard]] std::optional<Ed25519KeyPair> decode_webhook_private_key(std::string_view text);
// "whpk_" and the public key in base64: what a receiver verifies with.
[[nodiscard]] std::string webhook_public_key(const Ed25519KeyPair& pair);

}  // namespace eilpost::crypto
