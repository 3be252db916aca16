#pragma once
// On which endpoints the loops of this process listen.
//
// Threads: any.

#include <algorithm>
#include <vector>

#include "env/network.h"
#include "env/real/mutex.h"

namespace eilpost::env {

class ListenedEndpoints final {
 public:
  [[nodiscard]] bool contains(const Endpoint& endpoint) {
    const MutexLock lock(mutex_);
    return std::ranges::find(endpoints_, endpoint) != endpoints_.end();
  }
  // Once for each listener there.
  void add(const Endpoint& endpoint) {
    const MutexLock lock(mutex_);
    endpoints_.push_back(endpoint);
  }
  void remove(const Endpoint& endpoint) {
    const MutexLock lock(mutex_);
    const auto found = std::ranges::find(endpoints_, endpoint);
    if (found != endpoints_.end()) endpoints_.erase(found);
  }

 private:
  Mutex mutex_;
  std::vector<Endpoint> endpoints_ EILPOST_GUARDED_BY(mutex_);
};

}  // namespace eilpost::env
