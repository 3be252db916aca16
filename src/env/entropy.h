#pragma once
// Bytes that nobody can guess: keys, tokens, ids. Seeds base::Random too.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace eilpost::env {

// Threads: fill() may be called from any thread.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::byte> target) = 0;
};

[[nodiscard]] inline std::uint64_t random_u64(Entropy& entropy) {
  std::byte bytes[8];
  entropy.fill(bytes);
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace eilpost::env
