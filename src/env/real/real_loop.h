#pragma once
// An event loop on a thread of its own (epoll).
//
// One turn: wait for events; tell the descriptors' owners; what was enqueued; the mail; the timers
// that are due. clock().now() stands still meanwhile.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "env/loop.h"
#include "env/real/dns_resolver.h"
#include "env/real/mailbox.h"
#include "env/real/reactor.h"
#include "env/real/real_clock.h"
#include "env/real/real_network.h"
#include "env/real/system.h"
#include "env/real/timer_heap.h"

namespace eilpost::env {

struct RealLoopOptions {
  std::string name;  // of the thread; at most 15 characters show
  DnsOptions dns;
  std::shared_ptr<SystemTrust> system_trust;
  // Shared by the loops of a process that may listen on the same endpoints.
  std::shared_ptr<ListenedEndpoints> endpoints = std::make_shared<ListenedEndpoints>();
};

// Ownership: destroying a RealLoop stops it. Streams, Listeners and Operations end before it.
class RealLoop final : public Loop {
 public:
  explicit RealLoop(RealLoopOptions options);
  ~RealLoop() override;

  // Starts the thread. Once.
  void start();
  // Ends the turn under way and the thread; drops mail and timers. Any other thread.
  void stop();

  // One turn on the calling thread, waiting for at most `wait_max`. REQUIRES: no thread runs it.
  void run_turn(Duration wait_max);

  void post(std::move_only_function<void()> work) override;
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] Timers& timers() override { return timers_; }
  [[nodiscard]] Network& network() override { return network_; }
  [[nodiscard]] Reactor& reactor() { return reactor_; }

 private:
  // Breaks the sleep of the loop: an eventfd whose every write is a new event.
  class Waker final : public Watch {
   public:
    explicit Waker(Reactor& reactor);
    void wake();
    void on_events(std::uint32_t) override {}

   private:
    Descriptor descriptor_;
  };

  void run();
  void turn(std::optional<Duration> wait_max);

  std::string name_;
  RealClock clock_;
  TimerHeap timers_;
  Reactor reactor_;
  Waker waker_;
  Mailbox mailbox_;
  std::vector<Mailbox::Work> mail_;  // of this turn
  RealNetwork network_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace eilpost::env
