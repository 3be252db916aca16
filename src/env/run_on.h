#pragma once
// Runs blocking work on a Worker and comes back to the loop with what it returned:
//
//   const Result<Source> source = co_await run_on(worker, loop, [&settings] { return …; });
//
// The work runs even if the waiting Task is destroyed; its result is then dropped. So the work must
// own what it uses, or use what outlives the Worker.

#include <coroutine>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "env/loop.h"

namespace eilpost::env {

template <class Work>
class [[nodiscard]] RunOn {
 public:
  using T = std::invoke_result_t<Work&>;

  RunOn(Worker& worker, Loop& loop, Work work)
      : worker_(worker), loop_(loop), work_(std::move(work)) {}
  RunOn(const RunOn&) = delete;
  RunOn& operator=(const RunOn&) = delete;
  ~RunOn() {
    if (state_) state_->waiting = nullptr;
  }

  [[nodiscard]] bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    state_ = std::make_shared<State>();
    state_->waiting = handle;
    worker_.run([state = state_, &loop = loop_, work = std::move(work_)]() mutable {
      state->result.emplace(work());
      loop.post([state = std::move(state)] {
        if (state->waiting) state->waiting.resume();
      });
    });
  }
  T await_resume() { return std::move(*state_->result); }

 private:
  struct State {
    std::coroutine_handle<> waiting;  // Touched on the loop's thread only.
    std::optional<T> result;
  };

  Worker& worker_;
  Loop& loop_;
  Work work_;
  std::shared_ptr<State> state_;
};

template <class Work>
RunOn<Work> run_on(Worker& worker, Loop& loop, Work work) {
  return RunOn<Work>(worker, loop, std::move(work));
}

}  // namespace eilpost::env
