#include "ingest/rate_limiter.h"

#include <algorithm>
#include <span>
#include <utility>

namespace eilpost::ingest {

RateLimiter::RateLimiter(std::uint32_t events_per_second, std::size_t addresses_max)
    : rate_(events_per_second), generation_max_(std::max<std::size_t>(addresses_max / 2, 1)) {}

RateLimiter::Key RateLimiter::key_of(const env::Address& address) {
  Key key;
  constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  if (address.is_v6 && std::ranges::equal(kMapped, std::span(address.bytes).first<12>())) {
    std::memcpy(&key.high, address.bytes.data() + kMapped.size(), 4);
  } else if (address.is_v6) {
    std::memcpy(&key.high, address.bytes.data(), sizeof key.high);
    key.low = 1;  // no IPv4 address looks like this
  } else {
    std::memcpy(&key.high, address.bytes.data(), 4);
  }
  return key;
}

RateLimiter::Bucket* RateLimiter::find(const Key& key, Instant now) {
  if (young_.size() >= generation_max_) old_ = std::exchange(young_, {});
  auto at = young_.find(key);
  if (at == young_.end()) {
    const auto old = old_.find(key);
    if (old == old_.end()) return nullptr;
    at = young_.insert(*old).first;
    old_.erase(old);
  }
  Bucket& bucket = at->second;
  const std::chrono::duration<double> passed = std::max(now - bucket.filled_at, Duration::zero());
  bucket.tokens = std::min(rate_, bucket.tokens + passed.count() * rate_);
  bucket.filled_at = std::max(now, bucket.filled_at);
  return &bucket;
}

std::optional<Duration> RateLimiter::wait(const env::Address& address, Instant now) {
  if (rate_ == 0) return std::nullopt;
  const Bucket* const bucket = find(key_of(address), now);
  // A token is a whole event; the tolerance is for sums of fractions.
  constexpr double kToken = 1.0 - 1e-6;
  if (bucket == nullptr || bucket->tokens >= kToken) return std::nullopt;
  const std::chrono::duration<double> missing((1.0 - bucket->tokens) / rate_);
  return std::chrono::ceil<Duration>(missing);
}

void RateLimiter::charge(const env::Address& address, std::size_t events_count, Instant now) {
  if (rate_ == 0) return;
  const Key key = key_of(address);
  Bucket* bucket = find(key, now);
  if (bucket == nullptr) {
    bucket = &young_.emplace(key, Bucket{.tokens = rate_, .filled_at = now}).first->second;
  }
  bucket->tokens -= static_cast<double>(events_count);
}

}  // namespace eilpost::ingest
