#include "render/arena.h"

#include <algorithm>
#include <cstring>

namespace eilpost::render {

std::string_view Arena::copy(std::string_view text) {
  if (text.empty()) return {};
  char* const place = static_cast<char*>(allocate(text.size(), 1));
  std::memcpy(place, text.data(), text.size());
  return {place, text.size()};
}

void Arena::reset() {
  std::size_t kept = 0;
  std::erase_if(chunks_, [&](const Chunk& chunk) {
    if (kept + chunk.size > kKeptBytesMax) return true;
    kept += chunk.size;
    return false;
  });
  chunk_ = 0;
  filled_ = 0;
}

void* Arena::allocate(std::size_t bytes, std::size_t alignment) {
  for (; chunk_ < chunks_.size(); ++chunk_, filled_ = 0) {
    const Chunk& chunk = chunks_[chunk_];
    const std::size_t start = (filled_ + alignment - 1) / alignment * alignment;
    if (start + bytes > chunk.size) continue;
    filled_ = start + bytes;
    return chunk.bytes.get() + start;
  }
  const std::size_t size = std::max(bytes, kChunkBytes);
  chunks_.push_back({.bytes = std::make_unique_for_overwrite<std::byte[]>(size), .size = size});
  filled_ = bytes;
  return chunks_.back().bytes.get();
}

}  // namespace eilpost::render
