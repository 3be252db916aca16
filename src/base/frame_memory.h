#pragma once
// Memory for the frames of Tasks. What one frame gave back serves the next one of about its size on
// the same thread, while it is still in the processor's cache; the allocator hands out what was
// freed last of all only after the rest of its page.
//
// Limits:  each thread keeps kFramesKeptMax frames of each size, none above kFrameBytesMax.
// Threads: any; a frame may be given back on another thread than it was taken on. Under the
//          sanitizers nothing is kept, so that they see every frame.

#include <cstddef>

namespace eilpost::internal {

[[nodiscard]] void* take_frame(std::size_t bytes);
// REQUIRES: `bytes` is what it was taken with.
void give_frame(void* frame, std::size_t bytes) noexcept;

inline constexpr std::size_t kFrameBytesMax = 2048;
inline constexpr std::size_t kFramesKeptMax = 64;

}  // namespace eilpost::internal
