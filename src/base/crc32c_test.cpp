#include "base/crc32c.h"

#include <gtest/gtest.h>
#include <string>

#include "base/random.h"

namespace eilpost {
namespace {

Bytes random_bytes(Random& random, std::size_t count) {
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
  return bytes;
}

TEST(Crc32c, AgreesWithThePublishedVectors) {
  std::string ascending;
  for (int i = 0; i < 32; ++i) ascending += static_cast<char>(i);
  const std::string descending(ascending.rbegin(), ascending.rend());
  EXPECT_EQ(crc32c(as_bytes("")), 0U);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8A9136AAU);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xFF'))), 0x62A8AB43U);
  EXPECT_EQ(crc32c(as_bytes(ascending)), 0x46DD794EU);
  EXPECT_EQ(crc32c(as_bytes(descending)), 0x113FDB5CU);
}

TEST(Crc32c, PortableWayGivesTheSame) {
  Random random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes bytes = random_bytes(random, size + 3);
    const ByteView unaligned = ByteView(bytes).subspan(size % 3, size);
    const auto seed = static_cast<std::uint32_t>(random.next());
    ASSERT_EQ(crc32c(unaligned, seed), internal::crc32c_portable(unaligned, seed)) << size;
  }
}

TEST(Crc32c, ChecksumOfPartsIsThatOfTheWhole) {
  Random random(2);
  const Bytes bytes = random_bytes(random, 100);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    const ByteView whole(bytes);
    ASSERT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), crc32c(whole)) << cut;
  }
}

}  // namespace
}  // namespace eilpost
