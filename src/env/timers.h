#pragma once
// Calls back later. The only way in which Eilpost waits.

#include <coroutine>
#include <cstdint>
#include <functional>

#include "base/time.h"

namespace eilpost::env {

enum class TimerId : std::uint64_t {};

// Threads: belongs to one event loop; call only from its thread.
class Timers {
 public:
  virtual ~Timers() = default;

  // Runs `callback` once, in a later turn of the loop, when now() >= `when`. Timers due at the same
  // instant fire in the order in which they were set.
  virtual TimerId call_at(Instant when, std::move_only_function<void()> callback) = 0;

  // After cancel() the callback never runs. Does nothing if it already ran.
  virtual void cancel(TimerId id) = 0;
};

// `co_await wait_until(timers, when);` Destroying the waiting Task cancels the timer.
class [[nodiscard]] WaitUntil {
 public:
  WaitUntil(Timers& timers, Instant when) : timers_(timers), when_(when) {}
  WaitUntil(const WaitUntil&) = delete;
  WaitUntil& operator=(const WaitUntil&) = delete;
  ~WaitUntil() {
    if (waiting_) timers_.cancel(id_);
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    waiting_ = true;
    id_ = timers_.call_at(when_, [this, handle] {
      waiting_ = false;
      handle.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  Timers& timers_;
  Instant when_;
  TimerId id_{};
  bool waiting_ = false;
};

inline WaitUntil wait_until(Timers& timers, Instant when) {
  return {timers, when};
}

}  // namespace eilpost::env
