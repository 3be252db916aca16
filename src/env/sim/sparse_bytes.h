#pragma once
// The bytes of a simulated file: pages of zeros take no memory.

#include <array>
#include <cstdint>
#include <map>

#include "base/bytes.h"

namespace eilpost::env {

class SparseBytes {
 public:
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // Cuts, or grows by zeros.
  void resize(std::uint64_t size);

  // Fewer than target.size() bytes only at the end.
  [[nodiscard]] std::size_t read(std::uint64_t offset, std::span<std::byte> target) const;

  // Grows if need be.
  void write(std::uint64_t offset, ByteView bytes);
  void write_zeros(std::uint64_t offset, std::uint64_t count);

  // REQUIRES: offset < size().
  void flip_bit(std::uint64_t offset, unsigned bit);

  [[nodiscard]] Bytes all() const;

 private:
  static constexpr std::size_t kPageBytes = 4096;
  using Page = std::array<std::byte, kPageBytes>;

  std::uint64_t size_ = 0;
  std::map<std::uint64_t, Page> pages_;  // By number; bytes beyond size_ are zero.
};

[[nodiscard]] bool is_all_zero(ByteView bytes);

}  // namespace eilpost::env
