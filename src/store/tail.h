#pragma once
// The newest frames of the journal in memory, so that a follower that keeps up need not read back
// what was just written.
//
// Threads: any.
// Limits:  `bytes_max` of records; the oldest frames go first, and those that were taken.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "model/ids.h"
#include "store/store.h"

namespace eilpost::store {

class Tail final {
 public:
  explicit Tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Adds a durable frame, which takes the journal from `begin` to `end`.
  // REQUIRES: `records` and `positions` are of one size; `begin` is where the last frame ended.
  void add(Position begin, Position end, std::span<const ByteView> records,
           std::span<const Position> positions);

  // What follows `from`, about `bytes_max`; nothing if it is not here whole. What lies before
  // `from` is forgotten.
  [[nodiscard]] std::optional<Followed> take(Position from, std::size_t bytes_max);

 private:
  struct Frame {
    Position begin;
    Position end;
    std::shared_ptr<const Bytes> bytes;
    std::vector<FollowedRecord> records;  // they point into `bytes`
  };

  void drop_oldest();  // with mutex_ held

  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::deque<Frame> frames_;
  std::size_t bytes_ = 0;
};

}  // namespace eilpost::store
