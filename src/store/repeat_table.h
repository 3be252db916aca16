#pragma once
// A set of fingerprints in memory: open addressing, 16 bytes a slot, at most half full.
//
// Threads: one at a time; several may read it while nobody writes.

#include <cstdint>
#include <tuple>
#include <vector>

#include "base/hash.h"

namespace eilpost::store {

// By which fingerprints are sorted.
[[nodiscard]] inline auto order_of(const Hash128& fingerprint) {
  return std::tie(fingerprint.high, fingerprint.low);
}

class RepeatTable {
 public:
  [[nodiscard]] bool contains(Hash128 fingerprint) const;
  void insert(Hash128 fingerprint);  // again: nothing changes
  void erase(Hash128 fingerprint);
  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::vector<Hash128> sorted() const;  // by order_of()

 private:
  [[nodiscard]] std::size_t slot_of(Hash128 fingerprint) const;
  void grow();

  std::vector<Hash128> slots_;  // {0, 0} is free
  std::size_t size_ = 0;
};

}  // namespace eilpost::store
