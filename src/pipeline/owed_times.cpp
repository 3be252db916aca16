#include "pipeline/owed_times.h"

#include "base/assert.h"

namespace eilpost::pipeline {

void OwedTimes::add(WallTime accepted_at) {
  ++counts_[std::chrono::floor<std::chrono::seconds>(accepted_at)];
  note_oldest();
}

void OwedTimes::remove(WallTime accepted_at) {
  const auto at = counts_.find(std::chrono::floor<std::chrono::seconds>(accepted_at));
  EILPOST_ASSERT(at != counts_.end());
  if (--at->second > 0) return;
  counts_.erase(at);
  note_oldest();
}

std::optional<WallTime> OwedTimes::oldest() const {
  const std::int64_t oldest_s = oldest_s_.load(std::memory_order_relaxed);
  if (oldest_s == kNone) return std::nullopt;
  return WallTime(std::chrono::seconds(oldest_s));
}

void OwedTimes::note_oldest() {
  const std::int64_t oldest_s =
      counts_.empty() ? kNone : counts_.begin()->first.time_since_epoch().count();
  oldest_s_.store(oldest_s, std::memory_order_relaxed);
}

}  // namespace eilpost::pipeline
