#pragma once
// Awaits a callback that cannot be withdrawn:
//
//   Result<Bytes> bytes = co_await callback<Result<Bytes>>([&](auto done) {
//     store.read(position, loop, std::move(done));
//   });
//
// The callback must run on the waiting Task's loop. If the Task is destroyed first, it does
// nothing.

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace eilpost::env {

template <class T, class Begin>
class [[nodiscard]] Callback {
 public:
  explicit Callback(Begin begin) : begin_(std::move(begin)) {}
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;
  ~Callback() {
    if (state_) state_->waiting = nullptr;
  }

  [[nodiscard]] bool await_ready() {
    state_ = std::make_shared<State>();
    begin_([state = state_](T value) {
      state->value.emplace(std::move(value));
      if (state->waiting) std::exchange(state->waiting, nullptr).resume();
    });
    return state_->value.has_value();
  }
  void await_suspend(std::coroutine_handle<> handle) { state_->waiting = handle; }
  T await_resume() { return std::move(*state_->value); }

 private:
  struct State {
    std::coroutine_handle<> waiting;
    std::optional<T> value;
  };

  Begin begin_;
  std::shared_ptr<State> state_;
};

template <class T, class Begin>
Callback<T, Begin> callback(Begin begin) {
  return Callback<T, Begin>(std::move(begin));
}

}  // namespace eilpost::env
