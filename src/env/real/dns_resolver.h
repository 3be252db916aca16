#pragma once
// Names to addresses: /etc/hosts and DNS, by c-ares.
//
// Threads: one loop.

#include <ares.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "env/clock.h"
#include "env/network.h"
#include "env/real/reactor.h"
#include "env/timers.h"

namespace eilpost::env {

struct DnsOptions {
  std::vector<Endpoint> servers;               // none: as /etc/resolv.conf says
  Duration timeout = std::chrono::seconds(2);  // of the first try; each later one waits twice that
  int tries = 3;
};

class DnsResolver {
 public:
  // How long an answer may be kept at least, and how long a text address may.
  static constexpr Duration kTimeToLiveMin = std::chrono::seconds(1);
  static constexpr Duration kTimeToLiveMax = std::chrono::hours(1);

  using Callback = std::move_only_function<void(Result<Resolved>)>;

  DnsResolver(Reactor& reactor, Timers& timers, Clock& clock, DnsOptions options);
  DnsResolver(const DnsResolver&) = delete;
  DnsResolver& operator=(const DnsResolver&) = delete;
  ~DnsResolver();

  // Calls back in a later turn. Errors: name_not_resolved.
  [[nodiscard]] std::unique_ptr<Operation> resolve(std::string_view host, Callback done);

 private:
  struct Lookup;
  struct LookupOperation;
  class SocketWatch;

  // Errors: name_not_resolved.
  [[nodiscard]] Result<void> open_channel();
  static void on_socket_state(void* self, ares_socket_t socket, int readable, int writable);
  static void on_addresses(void* owner, int status, int timeouts, ares_addrinfo* addresses);
  void process(ares_socket_t readable, ares_socket_t writable);
  void renew_timer();

  Reactor& reactor_;
  Timers& timers_;
  Clock& clock_;
  DnsOptions options_;
  ares_channel channel_ = nullptr;
  std::map<ares_socket_t, std::unique_ptr<SocketWatch>> watches_;
  std::optional<TimerId> timer_;
};

}  // namespace eilpost::env
