#pragma once
// Task<T>: a coroutine that starts when it is awaited and is cancelled by destroying it.
//
//   Task<Result<Response>> fetch(Stream& stream);
//   Task<void> serve() { const Result<Response> response = co_await fetch(stream); ... }
//
// Ownership: a Task owns its frame. Destroying a Task that is suspended destroys the frame and,
// with
//            it, everything it was waiting for; each awaiter of env/ withdraws its operation then.
// Threads:   a Task runs on the loop that resumes it and never moves between threads.
// Errors:    an exception that leaves a Task ends the process.
//
// Rules: parameters by value or owned by someone who outlives the Task; no lambda coroutine with
// captures; name temporaries before an expression that contains co_await.

#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/frame_memory.h"

namespace eilpost {

template <class T>
class Task;

namespace internal {

struct PromiseBase {
  static void* operator new(std::size_t bytes) { return take_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { give_frame(frame, bytes); }

  std::coroutine_handle<> continuation;
  std::move_only_function<void()> on_done;  // Only of a root: called when the frame has ended.

  struct FinalAwaiter {
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      PromiseBase& promise = handle.promise();
      if (promise.continuation) return promise.continuation;
      if (promise.on_done) {
        // The callback may destroy this frame, so it must not live inside it while it runs.
        const auto done = std::move(promise.on_done);
        const_cast<std::move_only_function<void()>&>(done)();
      }
      return std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() noexcept { return {}; }
  FinalAwaiter final_suspend() noexcept { return {}; }
  [[noreturn]] void unhandled_exception() noexcept { std::terminate(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object();
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() { return std::move(*value); }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace internal

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { destroy(); }

  [[nodiscard]] bool valid() const { return static_cast<bool>(handle_); }
  [[nodiscard]] bool done() const { return handle_ && handle_.done(); }

  // Runs a root Task up to its first wait. `on_done` is called when it has ended, perhaps before
  // start() returns; it may destroy the Task.
  void start(std::move_only_function<void()> on_done = {}) {
    EILPOST_ASSERT(handle_ && !handle_.done());
    handle_.promise().on_done = std::move(on_done);
    handle_.resume();
  }

  // REQUIRES: done(). Once.
  T result() {
    EILPOST_ASSERT(done());
    return handle_.promise().take();
  }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      [[nodiscard]] bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) noexcept {
        handle.promise().continuation = waiting;
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
    };
    return Awaiter{handle_};
  }

 private:
  void destroy() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }

  Handle handle_ = nullptr;
};

namespace internal {
template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace internal

// Owns Tasks that nobody awaits, and forgets each when it has ended. Destroying it cancels the
// rest. Threads: one loop.
class TaskSet {
 public:
  TaskSet() = default;
  // `on_ended` is called each time a Task has ended and left the set.
  explicit TaskSet(std::move_only_function<void()> on_ended) : on_ended_(std::move(on_ended)) {}
  TaskSet(const TaskSet&) = delete;
  TaskSet& operator=(const TaskSet&) = delete;

  // Runs `task` up to its first wait.
  void spawn(Task<void> task) {
    tasks_.push_back(std::move(task));
    const auto place = std::prev(tasks_.end());
    place->start([this, place] {
      tasks_.erase(place);
      if (on_ended_) on_ended_();
    });
  }

  [[nodiscard]] std::size_t size() const { return tasks_.size(); }
  void cancel_all() { tasks_.clear(); }

 private:
  std::move_only_function<void()> on_ended_;
  std::list<Task<void>> tasks_;
};

}  // namespace eilpost
