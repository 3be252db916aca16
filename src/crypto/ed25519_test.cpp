#include "crypto/ed25519.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>

#include "base/encoding.h"
#include "env/sim/sim_entropy.h"

namespace eilpost::crypto {
namespace {

template <std::size_t kSize>
std::array<std::byte, kSize> from_hex(std::string_view hex) {
  std::array<std::byte, kSize> result{};
  const Bytes bytes = decode_hex(hex).value();
  EXPECT_EQ(bytes.size(), kSize);
  std::ranges::copy(bytes, result.begin());
  return result;
}

TEST(Ed25519, AgreesWithRfc8032) {
  const Ed25519KeyPair pair = ed25519_key_pair(
      from_hex<32>("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"));
  EXPECT_EQ(encode_hex(pair.public_key),
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025");
  const Bytes message = decode_hex("af82").value();
  EXPECT_EQ(encode_hex(ed25519_sign(message, pair.secret_key)),
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
            "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a");
}

TEST(Ed25519, OnlyTheRightSignatureOfTheRightMessageVerifies) {
  env::SimEntropy entropy(/*seed=*/1);
  const Ed25519KeyPair pair = ed25519_key_pair(entropy);
  const Ed25519KeyPair other = ed25519_key_pair(entropy);
  EXPECT_NE(pair.public_key, other.public_key);
  const ByteView message = as_bytes("msg_1.1700000000.{}");
  Ed25519Signature signature = ed25519_sign(message, pair.secret_key);
  EXPECT_TRUE(ed25519_verify(message, signature, pair.public_key));
  EXPECT_FALSE(ed25519_verify(message, signature, other.public_key));
  EXPECT_FALSE(ed25519_verify(as_bytes("msg_1.1700000000.{ }"), signature, pair.public_key));
  signature[10] ^= std::byte{1};
  EXPECT_FALSE(ed25519_verify(message, signature, pair.public_key));
}

}  // namespace
}  // namespace eilpost::crypto
