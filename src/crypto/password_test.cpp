#include "crypto/password.h"

#include <gtest/gtest.h>

#include "env/sim/sim_entropy.h"

namespace eilpost::crypto {
namespace {

std::string hash_of(std::string_view password, env::Entropy& entropy,
                    const PasswordCost& cost = kPasswordCostLowest) {
  return hash_password(password, cost, entropy).value();
}

TEST(Password, OnlyTheRightOneVerifies) {
  env::SimEntropy entropy(/*seed=*/1);
  const std::string hash = hash_of("correct horse", entropy);
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$")) << hash;
  EXPECT_TRUE(verify_password("correct horse", hash));
  EXPECT_FALSE(verify_password("correct horsf", hash));
  EXPECT_FALSE(verify_password("correct hors", hash));
  EXPECT_FALSE(verify_password("", hash));
}

// From the reference implementation's test.c: argon2id, v=19, t=2, m=256 KiB, p=1.
TEST(Password, AgreesWithTheReference) {
  EXPECT_TRUE(verify_password("password",
                              "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$"
                              "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"));
}

TEST(Password, EqualPasswordsHashDifferently) {
  env::SimEntropy entropy(/*seed=*/1);
  EXPECT_NE(hash_of("a", entropy), hash_of("a", entropy));
}

TEST(Password, TextThatIsNoHashVerifiesNothing) {
  env::SimEntropy entropy(/*seed=*/1);
  for (const std::string& hash :
       {std::string(), std::string("x"), std::string("$argon2id$v=19$m=8,t=1,p=1$"),
        std::string("$2b$12$abc"), std::string(500, 'x')}) {
    EXPECT_FALSE(verify_password("", hash)) << hash;
    EXPECT_FALSE(verify_password("x", hash)) << hash;
  }
}

TEST(Password, LengthHasALimit) {
  env::SimEntropy entropy(/*seed=*/1);
  const std::string longest(kPasswordBytesMax, 'x');
  EXPECT_TRUE(verify_password(longest, hash_of(longest, entropy)));
  const auto refused = hash_password(longest + "x", kPasswordCostLowest, entropy);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::bad_input);
}

TEST(Password, AnotherCostAsksForANewHash) {
  env::SimEntropy entropy(/*seed=*/1);
  const PasswordCost dearer{.memory_kib = 16, .passes = 2};
  const std::string hash = hash_of("x", entropy, dearer);
  EXPECT_FALSE(needs_hashing_again(hash, dearer));
  EXPECT_TRUE(needs_hashing_again(hash, kPasswordCostLowest));
  EXPECT_TRUE(verify_password("x", hash));
}

}  // namespace
}  // namespace eilpost::crypto
