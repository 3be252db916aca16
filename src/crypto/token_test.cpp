#include "crypto/token.h"

#include <gtest/gtest.h>
#include <set>

#include "base/encoding.h"
#include "env/sim/sim_entropy.h"

namespace eilpost::crypto {
namespace {

TEST(Token, HasItsPrefixAndNeverRepeats) {
  env::SimEntropy entropy(/*seed=*/1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = make_token("src_", entropy);
    EXPECT_TRUE(token.starts_with("src_"));
    EXPECT_EQ(token.size(), 4U + 32U);
    seen.insert(token);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(Token, AllOfItsBytesComeFromTheEntropy) {
  env::SimEntropy entropy(/*seed=*/1);
  env::SimEntropy same(/*seed=*/1);
  Bytes expected(kTokenEntropyBytes);
  same.fill(expected);
  EXPECT_EQ(make_token("eil_", entropy), "eil_" + encode_base32_bytes(expected));
}

TEST(Token, IsKeptAsItsSha256) {
  EXPECT_EQ(hash_token("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(WebhookSecret, ComesBackAsThirtyTwoBytes) {
  env::SimEntropy entropy(/*seed=*/1);
  env::SimEntropy same(/*seed=*/1);
  Bytes expected(kWebhookSecretBytes);
  same.fill(expected);
  const std::string secret = make_webhook_secret(entropy);
  EXPECT_TRUE(secret.starts_with("whsec_"));
  EXPECT_EQ(decode_webhook_secret(secret), expected);
}

TEST(WebhookSecret, ExampleOfTheStandardIsRead) {
  const auto key = decode_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(encode_hex(*key), "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0");
}

TEST(WebhookSecret, PaddingMayBeMissing) {
  const Bytes key(25, std::byte{1});
  std::string text = "whsec_" + encode_base64(key);
  EXPECT_EQ(decode_webhook_secret(text), key);
  while (text.ends_with('=')) text.pop_back();
  EXPECT_EQ(decode_webhook_secret(text), key);
}

TEST(WebhookSecret, OtherTextsAreRefused) {
  const auto secret_of = [](std::size_t size) {
    return "whsec_" + encode_base64(Bytes(size, std::byte{1}));
  };
  EXPECT_TRUE(decode_webhook_secret(secret_of(24)).has_value());
  EXPECT_TRUE(decode_webhook_secret(secret_of(64)).has_value());
  EXPECT_EQ(decode_webhook_secret(secret_of(23)), std::nullopt);
  EXPECT_EQ(decode_webhook_secret(secret_of(65)), std::nullopt);
  EXPECT_EQ(decode_webhook_secret(secret_of(24).substr(6)), std::nullopt);
  EXPECT_EQ(decode_webhook_secret("whsec_"), std::nullopt);
  EXPECT_EQ(decode_webhook_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa?w"), std::nullopt);
  EXPECT_EQ(decode_webhook_secret(secret_of(24) + "===="), std::nullopt);
}

}  // namespace
}  // namespace eilpost::crypto
