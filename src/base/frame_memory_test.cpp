#include "base/frame_memory.h"

#include <cstring>
#include <gtest/gtest.h>
#include <set>

namespace eilpost::internal {
namespace {

TEST(FrameMemory, GivesNoFrameTwice) {
  std::set<void*> frames;
  for (const std::size_t bytes : {1U, 128U, 129U, 2048U, 2049U, 100'000U}) {
    for (std::size_t i = 0; i < 3 * kFramesKeptMax; ++i) {
      void* const frame = take_frame(bytes);
      std::memset(frame, 0x5A, bytes);
      EXPECT_TRUE(frames.insert(frame).second);
    }
    for (void* const frame : frames) give_frame(frame, bytes);
    frames.clear();
  }
}

TEST(FrameMemory, AFrameServesEverySizeOfItsClass) {
  give_frame(take_frame(1), 1);
  void* const frame = take_frame(128);
  std::memset(frame, 0x5A, 128);
  give_frame(frame, 128);
}

}  // namespace
}  // namespace eilpost::internal
