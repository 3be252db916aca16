#include "store/event_cache.h"

#include <utility>

namespace eilpost::store {

void EventCache::put(Position sequence, std::shared_ptr<const Event> event) {
  constexpr std::size_t kOverheadBytes = 256;
  const std::size_t bytes = event->document.size() + kOverheadBytes;
  const std::scoped_lock lock(mutex_);
  while (!order_.empty() && bytes_ + bytes > bytes_max_) {
    events_.erase(order_.front().sequence.value);
    bytes_ -= order_.front().bytes;
    order_.pop_front();
  }
  bytes_ += bytes;
  order_.push_back({.sequence = sequence, .bytes = bytes});
  events_.emplace(sequence.value, std::move(event));
}

std::shared_ptr<const Event> EventCache::find(Position sequence) const {
  const std::scoped_lock lock(mutex_);
  const auto found = events_.find(sequence.value);
  return found == events_.end() ? nullptr : found->second;
}

}  // namespace eilpost::store
