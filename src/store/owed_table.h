#pragma once
// Numbers for the few (webhook, version, destination) that millions of deliveries share.
//
// Threads: one at a time.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/hash.h"
#include "model/delivery.h"

namespace eilpost::store {

class OwedTable {
 public:
  static constexpr std::uint32_t kNumberMax = (1U << 22U) - 1;

  // The number of `owed`, with one user more.
  std::uint32_t add(const Owed& owed);
  // One user less; after the last the number is used again.
  void release(std::uint32_t number);

  [[nodiscard]] const Owed& at(std::uint32_t number) const { return rows_[number].owed; }
  // By number; of those that are not used any value.
  [[nodiscard]] std::vector<Owed> list() const;

 private:
  struct Row {
    Owed owed;
    std::uint64_t users_count = 0;
  };
  struct Hash {
    std::size_t operator()(const Owed& owed) const {
      return combine_hashes(
          combine_hashes(static_cast<std::uint64_t>(owed.webhook), owed.webhook_version),
          static_cast<std::uint64_t>(owed.destination));
    }
  };
  struct Equal {
    bool operator()(const Owed& a, const Owed& b) const {
      return a.webhook == b.webhook && a.webhook_version == b.webhook_version &&
             a.destination == b.destination;
    }
  };

  std::vector<Row> rows_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<Owed, std::uint32_t, Hash, Equal> numbers_;
};

}  // namespace eilpost::store
