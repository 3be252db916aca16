#include "env/real/real_loop.h"

#include <algorithm>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {

RealLoop::Waker::Waker(Reactor& reactor) : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  EILPOST_ASSERT(descriptor_.valid());
  // Edge-triggered: the counter is never read, and each write is an event all the same.
  EILPOST_ASSERT(reactor.add(descriptor_.get(), EPOLLIN | EPOLLET, *this).has_value());
}

void RealLoop::Waker::wake() {
  const std::uint64_t one = 1;
  EILPOST_ASSERT(write(descriptor_.get(), &one, sizeof one) == sizeof one);
}

RealLoop::RealLoop(RealLoopOptions options)
    : name_(std::move(options.name)),
      waker_(reactor_),
      network_({.reactor = reactor_,
                .timers = timers_,
                .clock = clock_,
                .dns = std::move(options.dns),
                .system_trust = std::move(options.system_trust),
                .endpoints = std::move(options.endpoints)}) {}

RealLoop::~RealLoop() {
  stop();
}

void RealLoop::start() {
  EILPOST_ASSERT(!thread_.joinable() && !stopping_);
  thread_ = std::thread([this] { run(); });
}

void RealLoop::stop() {
  stopping_ = true;
  if (mailbox_.interrupt_sleep()) waker_.wake();
  if (thread_.joinable()) {
    EILPOST_ASSERT(thread_.get_id() != std::this_thread::get_id());
    thread_.join();
  }
  mailbox_.close();
  timers_.clear();
}

void RealLoop::post(std::move_only_function<void()> work) {
  if (mailbox_.post(std::move(work))) waker_.wake();
}

void RealLoop::run_turn(Duration wait_max) {
  EILPOST_ASSERT(!thread_.joinable());
  turn(wait_max);
}

void RealLoop::run() {
  name_this_thread(name_);
  while (!stopping_) turn(std::nullopt);
}

void RealLoop::turn(std::optional<Duration> wait_max) {
  std::optional<Duration> wait = wait_max;
  if (const auto due = timers_.next_due()) {
    const Duration until_due = *due - clock_.now();
    wait = wait ? std::min(*wait, until_due) : until_due;
  }
  // A stop() that comes after the check finds the loop asleep and wakes it.
  if (reactor_.has_ready() || !mailbox_.prepare_to_sleep() || stopping_) wait = Duration::zero();
  reactor_.wait(wait);
  clock_.begin_turn();
  mailbox_.take(mail_);
  reactor_.run_events();
  reactor_.run_ready();
  for (Mailbox::Work& work : mail_) std::exchange(work, nullptr)();
  mail_.clear();
  timers_.run_due(clock_.now());
  clock_.end_turn();
}

}  // namespace eilpost::env
