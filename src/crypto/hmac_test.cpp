#include "crypto/hmac.h"

#include <gtest/gtest.h>
#include <string>
#include <utility>

#include "base/encoding.h"

namespace eilpost::crypto {
namespace {

std::string code_of(std::string_view key, std::string_view message) {
  HmacSha256 hmac(as_bytes(key));
  return encode_hex(hmac.sign(as_bytes(message)));
}

TEST(HmacSha256, AgreesWithRfc4231) {
  EXPECT_EQ(code_of(std::string(20, '\x0b'), "Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(code_of("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      code_of(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, EmptyKeyAndMessageWork) {
  EXPECT_EQ(code_of("", ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(HmacSha256, OneObjectSignsManyMessages) {
  HmacSha256 hmac(as_bytes("key"));
  const Sha256 first = hmac.sign(as_bytes("first"));
  const Sha256 second = hmac.sign(as_bytes("second"));
  EXPECT_NE(first, second);
  EXPECT_EQ(hmac.sign(as_bytes("first")), first);
  EXPECT_EQ(hmac.sign(as_bytes("second")), second);
}

TEST(HmacSha256, PartsAreTheWhole) {
  HmacSha256 hmac(as_bytes("key"));
  const Sha256 whole = hmac.sign(as_bytes("msg_1.1700000000.{}"));
  hmac.add(as_bytes("msg_1."));
  hmac.add({});
  hmac.add(as_bytes("1700000000.{}"));
  EXPECT_EQ(hmac.finish(), whole);
}

TEST(HmacSha256, CopyHasTheKeyAndALifeOfItsOwn) {
  HmacSha256 hmac(as_bytes("key"));
  const Sha256 code = hmac.sign(as_bytes("m"));
  HmacSha256 copy = hmac.copy();
  copy.add(as_bytes("other"));
  EXPECT_EQ(hmac.sign(as_bytes("m")), code);
  EXPECT_NE(copy.finish(), code);
  EXPECT_EQ(copy.sign(as_bytes("m")), code);
}

TEST(HmacSha256, MovedObjectKeepsItsKey) {
  HmacSha256 hmac(as_bytes("key"));
  const Sha256 before = hmac.sign(as_bytes("m"));
  HmacSha256 moved(std::move(hmac));
  EXPECT_EQ(moved.sign(as_bytes("m")), before);
  HmacSha256 assigned(as_bytes("other"));
  assigned = std::move(moved);
  EXPECT_EQ(assigned.sign(as_bytes("m")), before);
}

}  // namespace
}  // namespace eilpost::crypto
