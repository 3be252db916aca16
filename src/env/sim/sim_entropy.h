#pragma once
// Entropy that a seed replays. Never for real secrets.

#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "env/entropy.h"

namespace eilpost::env {

// Threads: one, unlike the real one: the simulation has no other.
class SimEntropy final : public Entropy {
 public:
  explicit SimEntropy(std::uint64_t seed) : random_(seed) {}

  void fill(std::span<std::byte> target) override {
    while (!target.empty()) {
      const std::uint64_t word = random_.next();
      const std::size_t count = std::min(target.size(), sizeof word);
      std::memcpy(target.data(), &word, count);
      target = target.subspan(count);
    }
  }

 private:
  Random random_;
};

}  // namespace eilpost::env
