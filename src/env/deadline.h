#pragma once
// A time limit on a Task:
//
//   std::optional<Outcome> outcome = co_await with_deadline(timers, when, send(request));
//   if (!outcome) { /* too late: the inner Task was destroyed, and what it waited for withdrawn */
//   }

#include <coroutine>
#include <optional>
#include <utility>

#include "base/task.h"
#include "env/timers.h"

namespace eilpost::env {

template <class T>
class [[nodiscard]] WithDeadline {
 public:
  WithDeadline(Timers& timers, Instant when, Task<T> task)
      : timers_(timers), when_(when), task_(std::move(task)) {}
  WithDeadline(const WithDeadline&) = delete;
  WithDeadline& operator=(const WithDeadline&) = delete;
  ~WithDeadline() {
    if (timer_is_set_) timers_.cancel(timer_);
  }

  [[nodiscard]] bool await_ready() {
    task_.start([this] { on_done(); });
    return task_.done();
  }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    timer_is_set_ = true;
    timer_ = timers_.call_at(when_, [this] { on_deadline(); });
  }
  std::optional<T> await_resume() {
    if (!task_.valid()) return std::nullopt;
    return task_.result();
  }

 private:
  void on_done() {
    if (!handle_) return;  // It ended before it ever waited.
    timers_.cancel(timer_);
    timer_is_set_ = false;
    handle_.resume();
  }
  void on_deadline() {
    timer_is_set_ = false;
    task_ = {};
    handle_.resume();
  }

  Timers& timers_;
  Instant when_;
  Task<T> task_;
  std::coroutine_handle<> handle_;
  TimerId timer_{};
  bool timer_is_set_ = false;
};

template <class T>
WithDeadline<T> with_deadline(Timers& timers, Instant when, Task<T> task) {
  return WithDeadline<T>(timers, when, std::move(task));
}

}  // namespace eilpost::env
