#include "base/codec.h"

#include <gtest/gtest.h>
#include <string>

#include "base/encoding.h"
#include "base/random.h"

namespace eilpost {
namespace {

ByteReader reader_of(const Bytes& bytes) {
  return ByteReader(bytes);
}

TEST(Codec, BytesAreLittleEndianAndAsDocumented) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.u8(0x01);
  writer.u16(0x0203);
  writer.u32(0x04050607);
  writer.u64(0x08090A0B0C0D0E0F);
  writer.i64(-2);
  writer.varint(300);
  writer.text("hi");
  writer.raw(as_bytes("!"));
  EXPECT_EQ(encode_hex(bytes),
            "01"
            "0302"
            "07060504"
            "0f0e0d0c0b0a0908"
            "feffffffffffffff"
            "ac02"
            "026869"
            "21");
}

TEST(Codec, EveryPrefixOfARecordFailsAndReadsZeros) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.u8(1);
  writer.u16(2);
  writer.u32(3);
  writer.u64(4);
  writer.i64(-5);
  writer.varint(UINT64_MAX);
  writer.bytes(as_bytes("payload"));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    const Bytes prefix(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    ByteReader reader(prefix);
    (void)reader.u8();
    (void)reader.u16();
    (void)reader.u32();
    (void)reader.u64();
    (void)reader.i64();
    (void)reader.varint();
    const std::string_view text = reader.text();
    EXPECT_EQ(reader.failed(), size < bytes.size()) << size;
    EXPECT_EQ(reader.is_at_end(), size == bytes.size()) << size;
    EXPECT_EQ(text, size == bytes.size() ? "payload" : "") << size;
    EXPECT_EQ(reader.u64(), 0U);
    EXPECT_TRUE(reader.failed());
  }
}

TEST(Codec, FailureIsForEver) {
  const Bytes bytes(6, std::byte{1});
  ByteReader reader = reader_of(bytes);
  EXPECT_EQ(reader.u64(), 0U);
  EXPECT_EQ(reader.u8(), 0U);
  EXPECT_TRUE(reader.failed());
  EXPECT_FALSE(reader.is_at_end());
}

TEST(Codec, LengthBeyondTheEndIsNotRead) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.varint(UINT64_MAX);
  writer.raw(as_bytes("abc"));
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_TRUE(reader.failed());
}

TEST(Codec, EmptyBytesAreNotAFailure) {
  Bytes bytes;
  ByteWriter(bytes).bytes({});
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.bytes().empty());
  EXPECT_TRUE(reader.is_at_end());
}

TEST(Codec, VarintHasOneFormOnly) {
  for (const char* hex : {"8000", "808000", "80808080808080808002", "ffffffffffffffffff7f",
                          "8080808080808080808001", "80"}) {
    const Bytes bytes = *decode_hex(hex);
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint(), 0U) << hex;
    EXPECT_TRUE(reader.failed()) << hex;
  }
}

TEST(CodecProperty, VarintsComeBackWithTheSizeForetold) {
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t value = random.next() >> random.below(64);
    Bytes bytes;
    ByteWriter(bytes).varint(value);
    EXPECT_EQ(bytes.size(), varint_size(value));
    ByteReader reader(bytes);
    EXPECT_EQ(reader.varint(), value);
    EXPECT_TRUE(reader.is_at_end());
  }
}

TEST(Codec, PatchOverwritesOnlyItsFourBytes) {
  Bytes bytes(6, std::byte{0xAA});
  ByteWriter(bytes).patch_u32(1, 0x01020304);
  EXPECT_EQ(encode_hex(bytes), "aa04030201aa");
}

}  // namespace
}  // namespace eilpost
