#pragma once
// What the parts of one lane share: the world, the settings, the figures. Nobody else touches it.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/random.h"
#include "deliver/token_keeper.h"
#include "env/loop.h"
#include "http/address_rules.h"
#include "http/proxy.h"
#include "model/notice.h"
#include "pipeline/fair_queue.h"
#include "pipeline/figures.h"
#include "pipeline/inbox.h"
#include "pipeline/owed_times.h"
#include "pipeline/pipeline.h"
#include "pipeline/snapshot.h"
#include "pipeline/spare_requests.h"
#include "store/store.h"

namespace eilpost::pipeline {

// Written by the lane, read by anybody.
struct LaneCounters {
  std::atomic<std::uint64_t> events_accepted{0};
  std::atomic<std::uint64_t> events_repeated{0};
  std::atomic<std::uint64_t> events_rejected{0};
  std::atomic<std::uint64_t> deliveries_owed{0};
  std::atomic<std::uint64_t> deliveries_delivered{0};
  std::atomic<std::uint64_t> deliveries_failed{0};
  std::atomic<std::uint64_t> attempts{0};
  std::atomic<std::uint64_t> attempts_succeeded{0};
  std::atomic<std::uint64_t> attempts_in_flight{0};
  deliver::TokenCounters tokens;
  std::atomic<std::uint64_t> destinations_paused{0};
  LaneFigures figures;
  OwedTimes owed_times;
};

inline void add(std::atomic<std::uint64_t>& counter, std::uint64_t count = 1) {
  counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}
inline void subtract(std::atomic<std::uint64_t>& counter, std::uint64_t count = 1) {
  counter.store(counter.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
}

class DestinationQueue;

// The queues that could start more at once than they may in one turn, oldest first.
class StartBacklog {
 public:
  virtual ~StartBacklog() = default;
  virtual void push(DestinationQueue& queue, Instant since) = 0;
  // Every queue is pumped again in a while: the journal cannot take what attempts would bring.
  virtual void wait_for_journal() = 0;
};

// What people should hear of (docs/NOTICES.md).
class Notices {
 public:
  virtual ~Notices() = default;
  virtual void raise(Notice notice) = 0;
};

struct LaneContext {
  env::Loop& loop;
  store::Store& store;
  Inbox& inbox;
  Observer& observer;
  deliver::TokenStore& token_store;
  const http::AddressRules& address_rules;
  const http::Proxy* proxy;  // null: none
  std::shared_ptr<env::TlsContext> tls_context;
  std::shared_ptr<render::Scratch> scratch;
  SpareRequests spare_requests;
  Random random;
  StartBacklog& backlog;
  Notices& notices;
  std::shared_ptr<const Snapshot> snapshot;
  LaneCounters counters;
  FreshBytes fresh_bytes;
  bool is_stopping = false;
  std::function<void()> on_attempt_ended_while_stopping;
};

}  // namespace eilpost::pipeline
