#pragma once
// An event loop on a thread of its own, and the way in for the thread that steers the test.
//
// Threads: ask() and settle() from any but the loop's own; both block.

#include <future>
#include <string>
#include <type_traits>
#include <utility>

#include "env/real/real_loop.h"

namespace eilpost::load {

class LoadLoop final {
 public:
  explicit LoadLoop(std::string name)
      : loop_({.name = std::move(name), .dns = {}, .system_trust = {}}) {
    loop_.start();
  }

  [[nodiscard]] env::RealLoop& loop() { return loop_; }
  [[nodiscard]] Instant now() { return loop_.clock().now(); }

  // What `work` gives, run on the loop.
  template <class Work>
  auto ask(Work work) {
    using Answer = std::invoke_result_t<Work>;
    std::promise<Answer> promise;
    std::future<Answer> future = promise.get_future();
    loop_.post([&promise, &work] {
      if constexpr (std::is_void_v<Answer>) {
        work();
        promise.set_value();
      } else {
        promise.set_value(work());
      }
    });
    return future.get();
  }

  // Returns when the loop has read what lay in its sockets.
  void settle() {
    constexpr int kTurns = 3;
    for (int i = 0; i < kTurns; ++i) ask([] {});
  }

  // Ends the thread: what lives on the loop may be destroyed from then on.
  void stop() { loop_.stop(); }

 private:
  env::RealLoop loop_;
};

}  // namespace eilpost::load
