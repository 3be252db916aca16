#pragma once
// Numbers for the batches in which deliveries are sent, as long as any of these is not settled.
//
// Threads: one at a time.

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "store/store.h"

namespace eilpost::store {

class BatchTable {
 public:
  static constexpr std::uint32_t kNone = 0;

  // The number of `batch`, with one member more; kNone for no batch.
  std::uint32_t add(const BatchRef& batch);
  // One member less; after the last the number is used again.
  void release(std::uint32_t number);

  [[nodiscard]] BatchRef at(std::uint32_t number) const {
    return number == kNone ? BatchRef{} : rows_[number - 1].batch;
  }
  // By number less one; of those that are not used any value.
  [[nodiscard]] std::vector<BatchRef> list() const;

 private:
  struct Row {
    BatchRef batch;
    std::uint64_t users_count = 0;
  };

  std::vector<Row> rows_;
  std::vector<std::uint32_t> free_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;  // by where it was formed
};

}  // namespace eilpost::store
