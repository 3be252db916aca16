#pragma once
// Sets up a running Eilpost by its API: a source, destinations, webhooks.
//
// Threads: any; all of it blocks.

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "support/load/eilpost_process.h"

namespace eilpost::load {

struct DestinationSetup {
  std::string name;
  std::string url;
  std::vector<unsigned> retry_delays_ms;  // empty: the default schedule
  unsigned concurrency = 0;               // 0: the default
  std::uint64_t backlog_max = 0;          // 0: the default
  unsigned timeout_ms = 0;                // 0: the default
  unsigned batch_events_max = 0;          // 0: the default, which is no batches
  unsigned batch_wait_ms = 0;             // REQUIRES: batch_events_max, unless 0: the default
};

struct WebhookSetup {
  std::string name;
  std::string event_type;
  std::string destination;  // its id
  int item_id = -1;         // only events with that oId; -1: all
};

// What is sent to the API, for create_many().
[[nodiscard]] std::string to_json(const DestinationSetup& setup);
[[nodiscard]] std::string to_json(const WebhookSetup& setup);

// Errors of all: protocol_violated (`detail` has the answer).
// Deletes what the first start has set up for newcomers.
[[nodiscard]] Result<void> remove_webhooks(const EilpostProcess& process);
[[nodiscard]] Result<std::string> create_source(const EilpostProcess& process);  // its key
[[nodiscard]] Result<std::string> create_destination(const EilpostProcess& process,
                                                     const DestinationSetup& setup);  // its id
[[nodiscard]] Result<std::string> create_webhook(const EilpostProcess& process,
                                                 const WebhookSetup& setup);  // its id

}  // namespace eilpost::load
