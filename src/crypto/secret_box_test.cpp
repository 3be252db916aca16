#include "crypto/secret_box.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "env/sim/sim_entropy.h"

namespace eilpost::crypto {
namespace {

BoxKey key_of(std::uint8_t id) {
  BoxKey key{.id = id};
  key.key.fill(static_cast<std::byte>(id * 3 + 1));
  return key;
}

class SecretBoxTest : public testing::Test {
 protected:
  env::SimEntropy entropy_{/*seed=*/1};
  SecretBox box_{{key_of(1)}};
};

TEST_F(SecretBoxTest, SecretComesBack) {
  for (const std::string secret :
       {"", "s", "a secret with \xC3\xA4", "0123456789abcdef0123456789"}) {
    const std::string sealed = box_.seal(secret, "place", entropy_);
    EXPECT_EQ(box_.open(sealed, "place").value(), secret);
  }
}

TEST_F(SecretBoxTest, SameSecretIsSealedDifferentlyEachTime) {
  const std::string sealed = box_.seal("secret", "place", entropy_);
  EXPECT_NE(sealed, box_.seal("secret", "place", entropy_));
  const Bytes bytes = decode_base64url(sealed).value();
  EXPECT_EQ(as_text(bytes).find("secret"), std::string_view::npos);
}

TEST_F(SecretBoxTest, EverySingleChangedBitIsRefused) {
  const Bytes sealed = decode_base64url(box_.seal("secret", "place", entropy_)).value();
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    Bytes changed = sealed;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const Result<std::string> opened = box_.open(encode_base64url(changed), "place");
    ASSERT_FALSE(opened.has_value()) << bit;
    EXPECT_EQ(opened.error().code, ErrorCode::crypto_failed);
  }
}

TEST_F(SecretBoxTest, EveryShorterTextIsRefused) {
  const std::string sealed = box_.seal("secret", "place", entropy_);
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(box_.open(sealed.substr(0, size), "place").has_value()) << size;
  }
}

TEST_F(SecretBoxTest, SecretOfAnotherPlaceIsRefused) {
  const std::string sealed = box_.seal("secret", "destination/1", entropy_);
  EXPECT_FALSE(box_.open(sealed, "destination/2").has_value());
}

TEST_F(SecretBoxTest, OldKeyStillOpensAfterARotationAndSaysSo) {
  const std::string old = box_.seal("secret", "place", entropy_);
  const SecretBox rotated({key_of(2), key_of(1)});
  EXPECT_EQ(rotated.open(old, "place").value(), "secret");
  EXPECT_TRUE(rotated.needs_sealing_again(old));
  const std::string fresh = rotated.seal("secret", "place", entropy_);
  EXPECT_FALSE(rotated.needs_sealing_again(fresh));
  EXPECT_EQ(rotated.open(fresh, "place").value(), "secret");
  EXPECT_FALSE(box_.open(fresh, "place").has_value());
  EXPECT_TRUE(rotated.needs_sealing_again("?"));
}

TEST_F(SecretBoxTest, KeyWithTheSameIdButOtherBytesOpensNothing) {
  BoxKey impostor = key_of(1);
  impostor.key[31] ^= std::byte{1};
  const SecretBox other({impostor});
  EXPECT_FALSE(other.open(box_.seal("secret", "place", entropy_), "place").has_value());
}

// Made by another implementation of the published algorithm: what an earlier version wrote to a
// database must open for ever.
TEST_F(SecretBoxTest, TextsOnDiskStayReadable) {
  constexpr std::string_view kSealedText =
      "AQEAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhd1Hr_QI3mseknoPirlEbQQ-Xl0iKhy";
  EXPECT_EQ(box_.open(kSealedText, "place").value_or("?"), "secret");
}

}  // namespace
}  // namespace eilpost::crypto
