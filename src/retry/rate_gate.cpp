#include "retry/rate_gate.h"

#include <algorithm>

namespace eilpost::retry {

void RateGate::set(const Rate& rate) {
  if (rate == rate_) return;
  std::ranges::rotate(starts_, starts_.begin() + static_cast<std::ptrdiff_t>(oldest_));
  oldest_ = 0;
  if (starts_.size() > rate.requests) {
    starts_.erase(starts_.begin(), starts_.end() - static_cast<std::ptrdiff_t>(rate.requests));
  }
  rate_ = rate;
}

Instant RateGate::earliest(Instant now) const {
  if (starts_.size() < rate_.requests || rate_.requests == 0) return now;
  return std::max(now, starts_[oldest_] + rate_.per);
}

void RateGate::note_start(Instant now) {
  if (rate_.requests == 0) return;
  if (starts_.size() < rate_.requests) {
    starts_.push_back(now);
    return;
  }
  starts_[oldest_] = now;
  oldest_ = (oldest_ + 1) % starts_.size();
}

}  // namespace eilpost::retry
