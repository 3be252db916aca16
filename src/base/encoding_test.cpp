#include "base/encoding.h"

#include <gtest/gtest.h>
#include <string>

#include "base/random.h"

namespace eilpost {
namespace {

std::optional<std::string> text_of_bytes(const std::optional<Bytes>& bytes) {
  if (!bytes) return std::nullopt;
  return std::string(as_text(*bytes));
}

TEST(Base64, AgreesWithRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(encode_base64(as_bytes(plain)), encoded);
    EXPECT_EQ(text_of_bytes(decode_base64(encoded)), plain);
  }
  EXPECT_EQ(encode_base64(as_bytes("\xFB\xFF")), "+/8=");
  EXPECT_EQ(encode_base64url(as_bytes("\xFB\xFF")), "-_8");
  EXPECT_EQ(text_of_bytes(decode_base64url("-_8")), "\xFB\xFF");
}

TEST(Base64, OtherTextsOfAValueAreRefused) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=", "====", "Z===", "Zm9v\n",
                           " Zm9v", "Zg==Zg==", "-_8=", "Z=8=", "Zm9v===="}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
  for (const char* text : {"Zg==", "Z", "Zh", "Zm9", "+/8", "Zm9vY"}) {
    EXPECT_EQ(decode_base64url(text), std::nullopt) << text;
  }
}

TEST(Hex, IsWrittenInLowerCaseAndReadInBoth) {
  EXPECT_EQ(encode_hex(as_bytes(std::string_view("\x00\x9F\xFF", 3))), "009fff");
  EXPECT_EQ(text_of_bytes(decode_hex("9fFF")), "\x9F\xFF");
  for (const char* text : {"0", "0g", "0x", " 00", "000"}) {
    EXPECT_EQ(decode_hex(text), std::nullopt) << text;
  }
}

TEST(Base32, NumbersHaveThirteenCharactersAndSort) {
  EXPECT_EQ(encode_base32(0), "0000000000000");
  EXPECT_EQ(encode_base32(31), "000000000000z");
  EXPECT_EQ(encode_base32(UINT64_MAX), "fzzzzzzzzzzzz");
  EXPECT_EQ(decode_base32("fzzzzzzzzzzzz"), UINT64_MAX);
  Random random(4);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t a = random.next() >> random.below(64);
    const std::uint64_t b = random.next() >> random.below(64);
    EXPECT_EQ(decode_base32(encode_base32(a)), a);
    EXPECT_EQ(a < b, encode_base32(a) < encode_base32(b));
  }
}

TEST(Base32, OnlyTheOneTextOfANumberIsRead) {
  for (const char* text :
       {"", "000000000000", "00000000000000", "g000000000000", "z000000000000", "000000000000Z",
        "000000000000i", "000000000000l", "000000000000o", "000000000000u", "000000000000-"}) {
    EXPECT_EQ(decode_base32(text), std::nullopt) << text;
  }
}

TEST(Base32, BytesAreReadFromTheirFirstBit) {
  EXPECT_EQ(encode_base32_bytes(as_bytes("foobar")), "csqpyrk1e8");
  EXPECT_EQ(text_of_bytes(decode_base32_bytes("csqpyrk1e8")), "foobar");
  EXPECT_EQ(decode_base32_bytes("csqpyrk1e9"), std::nullopt);   // stray bits
  EXPECT_EQ(decode_base32_bytes("csqpyrk1e80"), std::nullopt);  // a character too many
}

TEST(EncodingProperty, EveryEncodingComesBack) {
  Random random(5);
  for (int i = 0; i < 2000; ++i) {
    Bytes bytes(random.below(50));
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
    EXPECT_EQ(decode_hex(encode_hex(bytes)), bytes);
    EXPECT_EQ(decode_base32_bytes(encode_base32_bytes(bytes)), bytes);
  }
}

// What is accepted at all is exactly what the encoder writes.
TEST(EncodingProperty, AcceptedTextIsTheCanonicalOne) {
  Random random(6);
  constexpr std::string_view kAlphabet = "ABQYZabgwz01289+/-_=";
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::uint64_t n = random.below(9); n > 0; --n) {
      text += kAlphabet[random.below(kAlphabet.size())];
    }
    if (const auto bytes = decode_base64(text)) ASSERT_EQ(encode_base64(*bytes), text);
    if (const auto bytes = decode_base64url(text)) ASSERT_EQ(encode_base64url(*bytes), text);
    if (const auto bytes = decode_base32_bytes(text)) ASSERT_EQ(encode_base32_bytes(*bytes), text);
  }
}

}  // namespace
}  // namespace eilpost
