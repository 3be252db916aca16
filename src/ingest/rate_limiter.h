#pragma once
// Bounds the events per second that one browser address may send: a token bucket an address.
//
// A bucket holds one second's events. A request is let in while its bucket is not empty, then takes
// one token per event, if need be on credit: so a batch passes, and the average holds.
// Limits: at most kRateAddressesMax buckets; the one unused for the longest time is forgotten, and
// a
//         forgotten bucket is a full one. An IPv6 address counts as its /64.
// Threads: one.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "base/hash.h"
#include "base/time.h"
#include "env/network.h"
#include "model/limits.h"

namespace eilpost::ingest {

class RateLimiter {
 public:
  // No limit if `events_per_second` is 0.
  explicit RateLimiter(std::uint32_t events_per_second,
                       std::size_t addresses_max = limits::kRateAddressesMax);

  // How long `address` must wait; nothing if it may send.
  [[nodiscard]] std::optional<Duration> wait(const env::Address& address, Instant now);
  void charge(const env::Address& address, std::size_t events_count, Instant now);

  [[nodiscard]] std::size_t addresses_count() const { return young_.size() + old_.size(); }

 private:
  struct Key {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return combine_hashes(key.high, key.low); }
  };
  struct Bucket {
    double tokens = 0;
    Instant filled_at;
  };
  using Buckets = std::unordered_map<Key, Bucket, KeyHash>;

  [[nodiscard]] static Key key_of(const env::Address& address);
  [[nodiscard]] Bucket* find(const Key& key, Instant now);

  double rate_;
  std::size_t generation_max_;
  // Buckets move to young_ when they are used; when young_ is full, it becomes old_.
  Buckets young_;
  Buckets old_;
};

}  // namespace eilpost::ingest
