#include "base/codec.h"

#include "base/assert.h"

namespace eilpost {

void ByteWriter::patch_u32(std::size_t offset, std::uint32_t value) {
  EILPOST_ASSERT(offset <= target_.size() && target_.size() - offset >= sizeof value);
  std::memcpy(target_.data() + offset, &value, sizeof value);
}

std::uint64_t ByteReader::varint() {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < kVarintBytesMax; ++i) {
    const std::uint8_t byte = u8();
    if (failed_) return 0;
    const bool is_last = (byte & 0x80U) == 0;
    const bool is_needless = is_last && byte == 0 && i > 0;
    const bool is_too_large = i + 1 == kVarintBytesMax && byte > 1;
    if (is_needless || is_too_large) break;
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (is_last) return value;
  }
  fail();
  return 0;
}

ByteView ByteReader::bytes() {
  const std::uint64_t count = varint();
  return raw(count);
}

ByteView ByteReader::raw(std::size_t count) {
  if (count > left_.size()) fail();
  if (failed_) return {};
  const ByteView taken = left_.first(count);
  left_ = left_.subspan(count);
  return taken;
}

}  // namespace eilpost
