#include "env/real/signal_watcher.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {

SignalWatcher::SignalWatcher(Reactor& reactor, std::span<const int> signals,
                             std::move_only_function<void(int signal)> on_signal)
    : reactor_(reactor), on_signal_(std::move(on_signal)) {
  sigset_t mask{};
  sigemptyset(&mask);
  for (const int signal : signals) sigaddset(&mask, signal);
  EILPOST_ASSERT(pthread_sigmask(SIG_BLOCK, &mask, &old_mask_) == 0);
  descriptor_ = Descriptor(signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
  EILPOST_ASSERT(descriptor_.valid());
  EILPOST_ASSERT(reactor_.add(descriptor_.get(), EPOLLIN, *this).has_value());
}

SignalWatcher::~SignalWatcher() {
  reactor_.remove(descriptor_.get(), *this);
  // A signal that is still waiting would strike as soon as the old mask holds.
  signalfd_siginfo dropped{};
  while (read(descriptor_.get(), &dropped, sizeof dropped) == sizeof dropped) continue;
  pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
}

void SignalWatcher::on_events(std::uint32_t) {
  signalfd_siginfo facts{};
  // One a turn: the callback comes last.
  if (read(descriptor_.get(), &facts, sizeof facts) != sizeof facts) return;
  on_signal_(static_cast<int>(facts.ssi_signo));
}

}  // namespace eilpost::env
