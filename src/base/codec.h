#pragma once
// Writes and reads little-endian binary records.
//
// Format: fixed integers little endian; a varint has 7 bits a byte, lowest first, the high bit set
//         on all but the last; bytes are a varint of their length, then themselves.

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/bytes.h"

namespace eilpost {

static_assert(std::endian::native == std::endian::little);

inline constexpr std::size_t kVarintBytesMax = 10;

[[nodiscard]] constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80U; value >>= 7U) ++size;
  return size;
}

// Adds to the end of a Bytes that it does not own.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& target) : target_(target) {}

  void u8(std::uint8_t value) { target_.push_back(static_cast<std::byte>(value)); }
  void u16(std::uint16_t value) { fixed(value); }
  void u32(std::uint32_t value) { fixed(value); }
  void u64(std::uint64_t value) { fixed(value); }
  void i64(std::int64_t value) { fixed(static_cast<std::uint64_t>(value)); }

  void varint(std::uint64_t value) {
    for (; value >= 0x80U; value >>= 7U) u8(static_cast<std::uint8_t>(value | 0x80U));
    u8(static_cast<std::uint8_t>(value));
  }

  // With their length before them.
  void bytes(ByteView value) {
    varint(value.size());
    raw(value);
  }
  void text(std::string_view value) { bytes(as_bytes(value)); }

  // As they are.
  void raw(ByteView value) { target_.insert(target_.end(), value.begin(), value.end()); }

  [[nodiscard]] std::size_t size() const { return target_.size(); }

  // Overwrites four bytes written before, such as a length that was not known yet.
  // REQUIRES: offset + 4 <= size().
  void patch_u32(std::size_t offset, std::uint32_t value);

 private:
  template <std::unsigned_integral T>
  void fixed(T value) {
    const auto raw_value = std::bit_cast<std::array<std::byte, sizeof(T)>>(value);
    raw(raw_value);
  }

  Bytes& target_;
};

// Takes values from the front of a ByteView that it does not own. After the first value that is not
// there whole, or is malformed, it has failed(): it then hands out zeros and empty views for ever,
// so a caller may read a whole record and ask once.
class ByteReader {
 public:
  explicit ByteReader(ByteView source) : left_(source) {}

  [[nodiscard]] bool failed() const { return failed_; }
  // Whether everything was taken, and nothing was wrong.
  [[nodiscard]] bool is_at_end() const { return !failed_ && left_.empty(); }
  [[nodiscard]] ByteView rest() const { return left_; }

  std::uint8_t u8() { return fixed<std::uint8_t>(); }
  std::uint16_t u16() { return fixed<std::uint16_t>(); }
  std::uint32_t u32() { return fixed<std::uint32_t>(); }
  std::uint64_t u64() { return fixed<std::uint64_t>(); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }

  // Refuses more than 64 bits and a number with needless bytes: each has one form.
  std::uint64_t varint();

  // The views point into the source.
  ByteView bytes();
  std::string_view text() { return as_text(bytes()); }
  ByteView raw(std::size_t count);

  // For a caller that finds a value it cannot accept.
  void fail() {
    failed_ = true;
    left_ = {};
  }

 private:
  template <std::unsigned_integral T>
  T fixed() {
    const ByteView from = raw(sizeof(T));
    T value = 0;
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }

  ByteView left_;
  bool failed_ = false;
};

}  // namespace eilpost
