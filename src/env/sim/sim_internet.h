#pragma once
// Everything that lies between the loops of a simulation: names, addresses, listeners, connections,
// and what may go wrong with each.
//
// By default every name is unknown, every address answers and refuses connections to ports where
// nobody listens, and every connection is clear text.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "env/network.h"
#include "env/sim/sim_connection.h"
#include "env/sim/sim_scheduler.h"
#include "env/sim/sim_tls.h"

namespace eilpost::env {

enum class SimReach : std::uint8_t {
  normal,
  refused,      // connecting fails at once
  unreachable,  // connecting fails, as when no route leads there
  silent,       // nothing sent to or from the address arrives: connecting never ends
};

// Ownership: the streams it makes may outlive it; the SimNetworks on it may not.
// Threads:   one.
class SimInternet {
 public:
  SimInternet(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed, SimDelay delay);
  SimInternet(const SimInternet&) = delete;
  SimInternet& operator=(const SimInternet&) = delete;

  // Names. Looking one up again may give something else than before.
  void set_name(std::string_view name, std::vector<Address> addresses,
                Duration time_to_live = std::chrono::minutes(1));
  void remove_name(std::string_view name);
  // Looking the name up never ends.
  void hang_name(std::string_view name);
  // How often the name was looked up.
  [[nodiscard]] std::uint64_t lookup_count(std::string_view name) const;
  // A public address that was not given before.
  [[nodiscard]] Address new_address();

  // Addresses. `silent` also silences the connections that the address has.
  void set_reach(const Address& address, SimReach reach);
  void set_delay(const Address& address, SimDelay delay);
  // Breaks every connection that the address has.
  void break_connections(const Address& address);
  // Connections now open (not closed by both sides) from or to the address.
  [[nodiscard]] std::size_t connections_count(const Address& address) const;

  // Who listens at this endpoint speaks TLS from now on: clear text is answered with a reset.
  void set_tls(const Endpoint& endpoint, SimTlsIdentity identity);
  void clear_tls(const Endpoint& endpoint);

  // For all connections made from now on.
  void set_window_bytes(std::size_t window_bytes) { window_bytes_ = window_bytes; }
  void set_partial_reads(bool partial_reads) { partial_reads_ = partial_reads; }

  // Takes a machine off the network: the other ends of its connections are reset, and its
  // listeners are gone. `queues` are those of its loops.
  void drop(const std::vector<SimQueueId>& queues);

 private:
  friend class SimNetwork;
  friend class SimListener;

  struct Name {
    std::vector<Address> addresses;  // Empty: unknown.
    Duration time_to_live{};
    bool hangs = false;
    std::uint64_t lookup_count = 0;
  };

  struct Site {
    Address address;
    SimReach reach = SimReach::normal;
    std::optional<SimDelay> delay;
  };

  struct Acceptor {
    bool is_open = true;
    std::move_only_function<void(std::unique_ptr<Stream>)> on_stream;
  };

  struct ListenerEntry {
    std::uint64_t id = 0;
    Endpoint endpoint;
    Address host;  // The address of the machine that listens.
    SimQueueId queue{};
    std::shared_ptr<Acceptor> acceptor;
  };

  struct Caller {
    SimQueueId queue{};
    Address address;
  };

  // Nothing if the look-up hangs.
  [[nodiscard]] std::optional<Result<Resolved>> look_up(std::string_view name);

  [[nodiscard]] Site& site(const Address& address);
  [[nodiscard]] SimReach reach_between(const Address& a, const Address& b) const;
  [[nodiscard]] SimDelay delay_between(const Address& a, const Address& b) const;
  [[nodiscard]] Duration draw(const SimDelay& delay);

  [[nodiscard]] Result<std::unique_ptr<Listener>> add_listener(ListenerEntry entry);
  [[nodiscard]] const ListenerEntry* find_listener(const Endpoint& endpoint);
  [[nodiscard]] std::uint16_t free_port(const Address& address);

  // What the caller of connect() gets once its packets were there and back.
  [[nodiscard]] Result<std::unique_ptr<Stream>> open(const Caller& caller,
                                                     const ConnectOptions& options);
  [[nodiscard]] const SimTlsIdentity* tls_of(const Endpoint& endpoint) const;
  [[nodiscard]] std::vector<std::shared_ptr<SimConnection>> connections();

  SimClock& clock_;
  SimScheduler& scheduler_;
  Random random_;
  SimDelay delay_;
  std::size_t window_bytes_ = 64 * 1024;
  bool partial_reads_ = true;
  std::uint64_t next_listener_ = 1;
  std::uint16_t next_port_ = 20'000;
  std::uint32_t next_address_ = 0x2D00'0001;  // 45.0.0.1
  std::map<std::string, Name, std::less<>> names_;
  std::vector<Site> sites_;
  std::vector<ListenerEntry> listeners_;
  std::vector<std::pair<Endpoint, SimTlsIdentity>> identities_;
  std::vector<std::weak_ptr<SimConnection>> connections_;
};

}  // namespace eilpost::env
