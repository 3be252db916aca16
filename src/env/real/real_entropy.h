#pragma once
// Random bytes from the kernel.

#include "env/entropy.h"

namespace eilpost::env {

class RealEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> target) override;
};

}  // namespace eilpost::env
