#include "retry/rate_gate.h"

#include <algorithm>

namespace eilpost::retry {

void RateGate::set(const Rate& rate) {
  if (rate == rate_) return;
  rate_ = rate;
  while (!groups_.empty() && count_ - groups_.front().count >= rate_.requests) forget_oldest();
}

Instant RateGate::earliest(Instant now) const {
  if (rate_.requests == 0 || count_ < rate_.requests) return now;
  return std::max(now, groups_.front().last + rate_.per);
}

void RateGate::note_start(Instant now) {
  if (rate_.requests == 0) return;
  while (!groups_.empty() && groups_.front().last + rate_.per <= now) forget_oldest();
  const std::uint32_t share = (rate_.requests + kGroupsMax - 1) / kGroupsMax;
  if (groups_.empty() || groups_.back().count >= share) groups_.push_back({});
  groups_.back().last = now;
  ++groups_.back().count;
  ++count_;
}

void RateGate::forget_oldest() {
  count_ -= groups_.front().count;
  groups_.erase(groups_.begin());
}

}  // namespace eilpost::retry
