#include "crypto/digest.h"

#include <gtest/gtest.h>
#include <string>

#include "base/encoding.h"

namespace eilpost::crypto {
namespace {

TEST(Digest, Sha256AgreesWithFips180) {
  EXPECT_EQ(encode_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(encode_hex(sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(encode_hex(sha256(as_bytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Digest, Sha1AndMd5AgreeWithTheirRfcs) {
  EXPECT_EQ(encode_hex(sha1(as_bytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(encode_hex(md5(as_bytes("abc"))), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(encode_hex(md5({})), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(ConstantTimeEqual, EveryDifferenceCounts) {
  const std::string secret = "0123456789";
  EXPECT_TRUE(constant_time_equal(as_bytes(secret), as_bytes("0123456789")));
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_FALSE(constant_time_equal(as_bytes(secret), as_bytes("012345678")));
  EXPECT_FALSE(constant_time_equal(as_bytes(secret), {}));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = 'x';
    EXPECT_FALSE(constant_time_equal(as_bytes(secret), as_bytes(other))) << i;
  }
}

TEST(Wipe, LeavesNothing) {
  Bytes secret(10, std::byte{7});
  wipe(secret);
  EXPECT_EQ(secret, Bytes(10));
}

}  // namespace
}  // namespace eilpost::crypto
