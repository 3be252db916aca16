#pragma once
// For tests: a loop that the test's own thread turns, and waiting for what must come true.

#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>

#include "env/real/real_loop.h"

namespace eilpost::env {

class LoopFixture : public ::testing::Test {
 protected:
  explicit LoopFixture(const DnsOptions& dns = {})
      : loop_(RealLoopOptions{
            .name = "test", .dns = dns, .system_trust = SystemTrust::load("").value()}) {}

  Network& network() { return loop_.network(); }

  // Turns the loop until `done` says so. False after ten seconds.
  [[nodiscard]] bool run_until(const std::function<bool()>& done) {
    const Instant deadline = loop_.clock().now() + std::chrono::seconds(10);
    while (!done()) {
      if (loop_.clock().now() >= deadline) return false;
      loop_.run_turn(std::chrono::milliseconds(20));
    }
    return true;
  }

  // Enough turns for everything that is ready now.
  void settle() {
    for (int i = 0; i < 5; ++i) loop_.run_turn(std::chrono::milliseconds(2));
  }

  RealLoop loop_;
};

inline Endpoint loopback(std::uint16_t port) {
  return {.address = parse_address("127.0.0.1").value(), .port = port};
}

// What a read or a connection under way came to.
struct ReadOutcome {
  bool is_done = false;
  Result<std::size_t> result;

  Stream::SizeCallback callback() {
    is_done = false;
    return [this](Result<std::size_t> value) {
      result = std::move(value);
      is_done = true;
    };
  }
};

struct WriteOutcome {
  bool is_done = false;
  Result<void> result;

  Stream::DoneCallback callback() {
    is_done = false;
    return [this](Result<void> value) {
      result = std::move(value);
      is_done = true;
    };
  }
};

struct ConnectOutcome {
  bool is_done = false;
  Result<std::unique_ptr<Stream>> result;
  std::unique_ptr<Operation> operation;

  std::move_only_function<void(Result<std::unique_ptr<Stream>>)> callback() {
    return [this](Result<std::unique_ptr<Stream>> value) {
      result = std::move(value);
      is_done = true;
    };
  }
};

}  // namespace eilpost::env
