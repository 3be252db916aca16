#include "env/real/reactor.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>
#include <utility>

#include "base/assert.h"
#include "env/real/system.h"

namespace eilpost::env {
namespace {

void append(internal::ReadyLink& list, internal::ReadyLink& link) {
  link.previous = list.previous;
  link.next = &list;
  list.previous->next = &link;
  list.previous = &link;
}

void take_out(internal::ReadyLink& link) {
  link.previous->next = link.next;
  link.next->previous = link.previous;
  link.previous = nullptr;
  link.next = nullptr;
}

}  // namespace

void Ready::withdraw() {
  if (next != nullptr) take_out(*this);
}

Reactor::Reactor(bool has_fine_waits)
    : epoll_descriptor_(epoll_create1(EPOLL_CLOEXEC)), has_fine_waits_(has_fine_waits) {
  EILPOST_ASSERT(epoll_descriptor_ >= 0);
  ready_.previous = &ready_;
  ready_.next = &ready_;
}

Reactor::~Reactor() {
  while (has_ready()) take_out(*ready_.next);
  close(epoll_descriptor_);
}

Result<void> Reactor::add(int descriptor, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  if (epoll_ctl(epoll_descriptor_, EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  EILPOST_ASSERT(errno == ENOSPC || errno == ENOMEM);
  return fail(ErrorCode::connect_failed, "epoll: " + reason_of(errno));
}

void Reactor::modify(int descriptor, std::uint32_t events, Watch& watch) {
  epoll_event event{.events = events, .data = {.ptr = &watch}};
  EILPOST_ASSERT(epoll_ctl(epoll_descriptor_, EPOLL_CTL_MOD, descriptor, &event) == 0);
}

void Reactor::remove(int descriptor, Watch& watch) {
  epoll_ctl(epoll_descriptor_, EPOLL_CTL_DEL, descriptor, nullptr);
  for (std::size_t i = events_next_; i < events_count_; ++i) {
    if (events_[i].data.ptr == &watch) events_[i].data.ptr = nullptr;
  }
}

void Reactor::enqueue(Ready& item) {
  if (item.next == nullptr) append(ready_, item);
}

void Reactor::wait(std::optional<Duration> wait_max) {
  const Duration limit = std::max(wait_max.value_or(Duration::zero()), Duration::zero());
  int count = -1;
  if (has_fine_waits_) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec wait{.tv_sec = seconds.count(), .tv_nsec = (limit - seconds).count()};
    count = epoll_pwait2(epoll_descriptor_, events_.data(), kEventsMax, wait_max ? &wait : nullptr,
                         nullptr);
    // An older kernel does not know the call; an older sandbox forbids what it does not know.
    if (count < 0 && (errno == ENOSYS || errno == EPERM)) has_fine_waits_ = false;
  }
  if (!has_fine_waits_) {
    const std::int64_t milliseconds =
        std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(limit).count(), 60000);
    count = epoll_wait(epoll_descriptor_, events_.data(), kEventsMax,
                       wait_max ? static_cast<int>(milliseconds) : -1);
  }
  EILPOST_ASSERT(count >= 0 || errno == EINTR);
  events_count_ = static_cast<std::size_t>(std::max(count, 0));
  events_next_ = 0;
}

void Reactor::run_events() {
  while (events_next_ < events_count_) {
    const epoll_event event = events_[events_next_++];
    if (event.data.ptr != nullptr) static_cast<Watch*>(event.data.ptr)->on_events(event.events);
  }
}

void Reactor::run_ready() {
  if (!has_ready()) return;
  // What is enqueued from now on waits for the next turn.
  internal::ReadyLink running;
  running.previous = std::exchange(ready_.previous, &ready_);
  running.next = std::exchange(ready_.next, &ready_);
  running.previous->next = &running;
  running.next->previous = &running;
  while (running.next != &running) {
    internal::ReadyLink& link = *running.next;
    take_out(link);
    static_cast<Ready&>(link).on_ready();
  }
}

}  // namespace eilpost::env
