#pragma once
// The newest events in memory, so that their first attempts need not read the disk.
//
// Threads: any.

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "model/event.h"
#include "model/ids.h"

namespace eilpost::store {

class EventCache {
 public:
  explicit EventCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // The oldest make room. REQUIRES: `sequence` was not put before.
  void put(Position sequence, std::shared_ptr<const Event> event);
  // Null if it is not there.
  [[nodiscard]] std::shared_ptr<const Event> find(Position sequence) const;

 private:
  struct Row {
    Position sequence;
    std::size_t bytes = 0;
  };

  const std::size_t bytes_max_;
  mutable std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::deque<Row> order_;  // oldest first
  std::unordered_map<std::uint64_t, std::shared_ptr<const Event>> events_;
};

}  // namespace eilpost::store
