#pragma once
// Readiness: which file descriptors can make progress (epoll), and which objects have something to
// do in the next turn although no descriptor says so.
//
// Threads: one loop.

#include <array>
#include <cstdint>
#include <optional>
#include <sys/epoll.h>

#include "base/result.h"
#include "base/time.h"

namespace eilpost::env {

namespace internal {
struct ReadyLink {
  ReadyLink* previous = nullptr;
  ReadyLink* next = nullptr;
};
}  // namespace internal

// Something that can be called back in the next turn of its loop.
class Ready : private internal::ReadyLink {
 public:
  Ready() = default;
  Ready(const Ready&) = delete;
  Ready& operator=(const Ready&) = delete;

  // May destroy the object.
  virtual void on_ready() = 0;

  // Takes it out of the queue of its reactor, if it is there.
  void withdraw();

 protected:
  ~Ready() { withdraw(); }

 private:
  friend class Reactor;
};

// Something that is told of events (EPOLLIN, EPOLLOUT ...) of one file descriptor.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // May destroy the object.
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~Watch() = default;
};

// Ownership: the caller keeps its descriptors and Watches; it calls remove() before it closes the
//            one or destroys the other.
class Reactor {
 public:
  // Without fine waits (an old kernel has none) time limits are rounded up to milliseconds.
  explicit Reactor(bool has_fine_waits = true);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;
  ~Reactor();

  // Errors: connect_failed, when the system can watch no more descriptors.
  [[nodiscard]] Result<void> add(int descriptor, std::uint32_t events, Watch& watch);
  // Other events, perhaps another Watch, for a descriptor that was added.
  void modify(int descriptor, std::uint32_t events, Watch& watch);
  // After it `watch` is told of nothing more.
  void remove(int descriptor, Watch& watch);

  // Calls `item` back in the next turn. Does nothing if that is already planned.
  void enqueue(Ready& item);
  [[nodiscard]] bool has_ready() const { return ready_.next != &ready_; }

  // Waits until there are events; no longer than `wait_max` (nothing: without end).
  void wait(std::optional<Duration> wait_max);
  // Tells the Watches of the events that wait() found.
  void run_events();
  // Calls back what was enqueued before the call.
  void run_ready();

 private:
  static constexpr std::size_t kEventsMax = 256;

  int epoll_descriptor_;
  bool has_fine_waits_;  // Whether the system knows epoll_pwait2(), as far as we know.
  std::array<epoll_event, kEventsMax> events_{};
  std::size_t events_count_ = 0;
  std::size_t events_next_ = 0;
  internal::ReadyLink ready_;
};

}  // namespace eilpost::env
