#include "env/sim/sparse_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace eilpost::env {

bool is_all_zero(ByteView bytes) {
  if (bytes.empty()) return true;
  if (bytes.front() != std::byte{0}) return false;
  return std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

void SparseBytes::resize(std::uint64_t size) {
  if (size < size_) {
    const std::uint64_t pages_kept = (size + kPageBytes - 1) / kPageBytes;
    pages_.erase(pages_.lower_bound(pages_kept), pages_.end());
    const auto last = pages_.find(size / kPageBytes);
    if (last != pages_.end()) {
      const auto kept = static_cast<std::ptrdiff_t>(size % kPageBytes);
      std::fill(last->second.begin() + kept, last->second.end(), std::byte{0});
    }
  }
  size_ = size;
}

std::size_t SparseBytes::read(std::uint64_t offset, std::span<std::byte> target) const {
  if (offset >= size_) return 0;
  const std::size_t count = std::min<std::uint64_t>(target.size(), size_ - offset);
  for (std::size_t done = 0; done < count;) {
    const std::uint64_t at = offset + done;
    const std::size_t in_page = at % kPageBytes;
    const std::size_t part = std::min(count - done, kPageBytes - in_page);
    const auto page = pages_.find(at / kPageBytes);
    if (page == pages_.end()) {
      std::memset(target.data() + done, 0, part);
    } else {
      std::memcpy(target.data() + done, page->second.data() + in_page, part);
    }
    done += part;
  }
  return count;
}

void SparseBytes::write(std::uint64_t offset, ByteView bytes) {
  size_ = std::max(size_, offset + bytes.size());
  for (std::size_t done = 0; done < bytes.size();) {
    const std::uint64_t at = offset + done;
    const std::size_t in_page = at % kPageBytes;
    const std::size_t part = std::min(bytes.size() - done, kPageBytes - in_page);
    const ByteView source = bytes.subspan(done, part);
    auto page = pages_.find(at / kPageBytes);
    if (page == pages_.end() && !is_all_zero(source)) {
      page = pages_.emplace(at / kPageBytes, Page{}).first;
    }
    if (page != pages_.end()) {
      std::memcpy(page->second.data() + in_page, source.data(), part);
    }
    done += part;
  }
}

void SparseBytes::write_zeros(std::uint64_t offset, std::uint64_t count) {
  static constexpr Page kZeros{};
  for (std::uint64_t done = 0; done < count;) {
    const std::size_t part = std::min<std::uint64_t>(count - done, kPageBytes);
    write(offset + done, ByteView(kZeros).first(part));
    done += part;
  }
}

void SparseBytes::flip_bit(std::uint64_t offset, unsigned bit) {
  EILPOST_ASSERT(offset < size_ && bit < 8);
  pages_[offset / kPageBytes][offset % kPageBytes] ^= static_cast<std::byte>(1U << bit);
}

Bytes SparseBytes::all() const {
  Bytes bytes(size_);
  EILPOST_ASSERT(read(0, bytes) == size_);
  return bytes;
}

}  // namespace eilpost::env
