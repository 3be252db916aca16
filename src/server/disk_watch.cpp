#include "server/disk_watch.h"

namespace eilpost::server {
namespace {

constexpr Duration kLookEvery = std::chrono::seconds(1);
// More than a segment, by which the journal grows: it must not step over what is near.
constexpr std::uint64_t kNearPart = 8;

}  // namespace

DiskWatch::DiskWatch(env::Loop& loop, store::Store& store, history::History& history,
                     std::uint64_t bytes_max)
    : loop_(loop), store_(store), history_(history), bytes_max_(bytes_max) {}

DiskWatch::~DiskWatch() {
  if (timer_) loop_.timers().cancel(*timer_);
}

void DiskWatch::start() {
  if (bytes_max_ > 0) look();
}

void DiskWatch::look() {
  timer_ = loop_.timers().call_at(loop_.clock().now() + kLookEvery, [this] { look(); });
  const bool is_near = bytes() >= bytes_max_ - bytes_max_ / kNearPart;
  store_.want_room(is_near);
  if (is_near) history_.make_room();
}

std::uint64_t DiskWatch::bytes() const {
  return store_.disk_bytes() + history_.disk_bytes();
}

}  // namespace eilpost::server
