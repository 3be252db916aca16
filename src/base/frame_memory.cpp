#include "base/frame_memory.h"

#include <array>
#include <cstdint>
#include <new>

namespace eilpost::internal {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kKeepsFrames = false;
#else
constexpr bool kKeepsFrames = true;
#endif
#else
constexpr bool kKeepsFrames = true;
#endif

constexpr std::size_t kStepBytes = 128;
constexpr std::size_t kSizes = kFrameBytesMax / kStepBytes;

struct Kept {
  Kept* next;
};

// The frames of one size that wait to be used again, the one that was given back last on top.
struct Stack {
  Kept* top = nullptr;
  std::size_t count = 0;
};

class Stacks {
 public:
  constexpr Stacks() = default;
  Stacks(const Stacks&) = delete;
  Stacks& operator=(const Stacks&) = delete;
  ~Stacks() {
    for (Stack& stack : stacks_) {
      while (stack.top != nullptr) ::operator delete(pop(stack));
    }
  }

  [[nodiscard]] Stack& of(std::size_t bytes) { return stacks_[(bytes - 1) / kStepBytes]; }

  static void* pop(Stack& stack) {
    Kept* const frame = stack.top;
    stack.top = frame->next;
    --stack.count;
    return frame;
  }
  static void push(Stack& stack, void* frame) {
    stack.top = new (frame) Kept{stack.top};
    ++stack.count;
  }

 private:
  std::array<Stack, kSizes> stacks_{};
};

constinit thread_local Stacks stacks;

std::size_t rounded(std::size_t bytes) {
  return (bytes + kStepBytes - 1) / kStepBytes * kStepBytes;
}

}  // namespace

void* take_frame(std::size_t bytes) {
  if (!kKeepsFrames || bytes > kFrameBytesMax) return ::operator new(bytes);
  Stack& stack = stacks.of(bytes);
  return stack.top != nullptr ? Stacks::pop(stack) : ::operator new(rounded(bytes));
}

void give_frame(void* frame, std::size_t bytes) noexcept {
  if (!kKeepsFrames || bytes > kFrameBytesMax) return ::operator delete(frame);
  Stack& stack = stacks.of(bytes);
  if (stack.count == kFramesKeptMax) return ::operator delete(frame);
  Stacks::push(stack, frame);
}

}  // namespace eilpost::internal
