#pragma once
// Memory for the texts and lists of one render. Handed out in a row, given back all at once, and
// kept for the next render.
//
// Threads: one at a time.

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace eilpost::render {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Valid until reset().
  [[nodiscard]] std::string_view copy(std::string_view text);
  template <class T>
  [[nodiscard]] std::span<const T> copy(const std::vector<T>& items) {
    static_assert(std::is_trivially_destructible_v<T> && std::is_trivially_copyable_v<T>);
    if (items.empty()) return {};
    T* const place = static_cast<T*>(allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), place);
    return {place, items.size()};
  }

  // Makes everything handed out invalid. Keeps at most kKeptBytesMax for the next time.
  void reset();

 private:
  static constexpr std::size_t kChunkBytes = 16UL * 1024;
  static constexpr std::size_t kKeptBytesMax = 256UL * 1024;

  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;
    std::size_t size = 0;
  };

  [[nodiscard]] void* allocate(std::size_t bytes, std::size_t alignment);

  std::vector<Chunk> chunks_;
  std::size_t chunk_ = 0;   // the one being filled
  std::size_t filled_ = 0;  // of that one
};

}  // namespace eilpost::render
