#pragma once
// One scenario: a fresh Eilpost, a generator of events and a receiver of webhooks on a loop each,
// a bounded time of load, and the wait until everything is delivered.
//
// Threads: one; blocks.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "load/figures.h"

namespace eilpost::bench {

struct Scenario {
  std::string name;
  std::size_t connections = 64;
  std::size_t events_per_request = 1;
  std::uint64_t events_per_second = 0;  // 0: as fast as the answers come
  std::size_t destinations = 1;         // each event goes to one of them, in turn
  bool first_hangs = false;             // The first destination never answers.
  std::size_t fan_out = 1;              // webhooks that want every event. REQUIRES: at most 250
  std::size_t idle_webhooks = 0;        // further ones that want other items: they match nothing
  std::uint64_t pending = 0;            // deliveries owed to a destination that is down
  bool over_tls = false;                // nginx ends the TLS before the receiver
  bool over_http2 = false;              // REQUIRES: over_tls
  unsigned batch_events_max = 0;        // deliveries in one request; 0: no batches
  unsigned batch_wait_ms = 0;           // for others of a batch. REQUIRES: batch_events_max
  bool is_costly = false;               // takes long to prepare: one run
};

struct ScenarioOptions {
  std::string binary;
  std::string folder;  // for a data folder in it
  double seconds = 8;
};

// Errors: whatever kept the program from starting, answering or delivering (timed_out).
[[nodiscard]] Result<Row> run(const Scenario& scenario, const ScenarioOptions& options);

}  // namespace eilpost::bench
