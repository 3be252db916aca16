#pragma once
// Signals of the process as callbacks on a loop.

#include <csignal>
#include <functional>
#include <span>

#include "env/real/reactor.h"
#include "env/real/system.h"

namespace eilpost::env {

// Blocks the signals for this thread and those that it starts from now on, and takes them from a
// descriptor instead. REQUIRES: made before other threads start, and before the loop runs.
//
// Ownership: destroyed before the reactor, when the loop no longer runs. Signals that came then are
//            dropped, and the thread's old mask holds again.
// Threads:   the callback runs on the loop.
class SignalWatcher final : private Watch {
 public:
  SignalWatcher(Reactor& reactor, std::span<const int> signals,
                std::move_only_function<void(int signal)> on_signal);
  ~SignalWatcher();

 private:
  void on_events(std::uint32_t events) override;

  Reactor& reactor_;
  std::move_only_function<void(int)> on_signal_;
  sigset_t old_mask_{};
  Descriptor descriptor_;
};

}  // namespace eilpost::env
