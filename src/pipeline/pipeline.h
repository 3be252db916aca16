#pragma once
// The straight line: joins the stages. An event comes in on a lane, is checked, matched, made
// durable and answered; its deliveries go to the home lanes of their destinations, are rendered,
// sent, decided about and recorded.
//
// Ownership: what Parts names must outlive the Pipeline.
// Threads:   each function says which.

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.h"
#include "deliver/token_store.h"
#include "env/env.h"
#include "http/address_rules.h"
#include "http/handler.h"
#include "http/proxy.h"
#include "ingest/ingest.h"
#include "model/delivery.h"
#include "model/event_document.h"
#include "model/notice.h"
#include "oauth/token_request.h"
#include "pipeline/figures.h"
#include "pipeline/inbox.h"
#include "pipeline/snapshot.h"
#include "store/store.h"

namespace eilpost::pipeline {

// What the pipeline tells the settings. Called on a lane.
class Observer {
 public:
  virtual ~Observer() = default;
  // A destination answered 410 to a request of this version of it: it wants no more.
  // `is_quiet`: it was a notice that was answered so; no notice is raised of that.
  virtual void destination_gone(DestinationId destination, std::uint32_t version,
                                bool is_quiet) = 0;
  // It failed too often in a row: nothing is sent for a while. `error`: what came of the last try.
  virtual void destination_paused(DestinationId destination, std::string_view error) = 0;
  // It answers again after a pause.
  virtual void destination_recovered(DestinationId destination) = 0;
  // It fails since then, or not any more: what Pipeline::start wants to hear after a restart.
  virtual void destination_failing(DestinationId destination, std::optional<WallTime> since) = 0;
  // It failed for kDestinationFailingMax; this version of it gets no more.
  virtual void destination_failed_too_long(DestinationId destination, std::uint32_t version,
                                           bool is_quiet) = 0;
};

struct Options {
  ingest::Limits ingest{};
  http::AddressRules address_rules;
  std::optional<http::Proxy> proxy = {};  // that all requests to destinations go through
  std::uint64_t deliveries_unsettled_max = limits::kDeliveriesUnsettledMax;
  std::size_t fresh_bytes_max = limits::kFreshBytesMax;  // of events that wait, a lane
  // Whether what is kept takes as much of the disk as it may. Called on every lane; cheap.
  std::function<bool()> is_disk_used_up = [] { return false; };
  std::uint64_t seed = 0;
};

// What happened since the start, summed over the lanes.
struct Counters {
  std::uint64_t events_accepted = 0;
  std::uint64_t events_repeated = 0;
  std::uint64_t events_rejected = 0;
  std::uint64_t deliveries_owed = 0;  // came to be
  std::uint64_t deliveries_delivered = 0;
  std::uint64_t deliveries_failed = 0;
  std::uint64_t attempts = 0;
  std::uint64_t attempts_succeeded = 0;
  std::uint64_t attempts_in_flight = 0;
  std::uint64_t tokens_fetched = 0;       // requests to token end points
  std::uint64_t tokens_failed = 0;        // those that brought no token
  std::uint64_t destinations_paused = 0;  // now, by the breaker
  Figures figures;
  // Since the oldest delivery that is owed now was accepted, to the second; zero if none is owed.
  std::chrono::seconds oldest_owed_age{};
};

// Where one destination stands.
struct DestinationStatus {
  std::uint64_t waiting = 0;   // due now, or held by the destination's own limits
  std::uint64_t retrying = 0;  // waiting for their time
  std::uint64_t held = 0;      // by a disabled webhook or destination
  std::uint64_t in_flight = 0;
  std::optional<WallTime> last_success_at;
  std::optional<WallTime> last_failure_at;
  std::string last_error;
  // Paused by the breaker; the next try is not before `paused_until`.
  std::optional<WallTime> paused_since;
  std::optional<WallTime> paused_until;
  std::optional<WallTime> failing_since;  // nothing that was sent since then was welcome
};

// A request sent once, outside of any delivery: a test.
struct TestSend {
  std::shared_ptr<const LiveWebhook> webhook;
  std::shared_ptr<const LiveDestination> destination;
  std::string document;
  std::string delivery_id;
};

struct TestResult {
  std::optional<OutboundRequest> request;  // as sent; absent if it could not be rendered
  Outcome outcome;
  Duration duration{};
};

class Pipeline final {
 public:
  struct Parts {
    env::Env& env;
    store::Store& store;
    Inbox& inbox;
    Observer& observer;
    deliver::TokenStore& token_store;
  };

  Pipeline(const Parts& parts, Options options);
  ~Pipeline();  // REQUIRES: stopped, or the lanes no longer run.
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Takes the deliveries over that the store owes and begins to send. `failing`: destinations that
  // failed before this start, and since when. Before the lanes run, or on lane 0.
  void start(const std::shared_ptr<const Snapshot>& snapshot,
             const std::vector<std::pair<DestinationId, WallTime>>& failing);

  // Makes new settings known; `done` runs on `loop` when every lane works by them. Any thread.
  void publish(const std::shared_ptr<const Snapshot>& snapshot, env::Loop& loop,
               std::move_only_function<void()> done);

  // Answers POST /v1/events and its preflight. On the lane of that index.
  [[nodiscard]] Task<void> post_events(std::size_t lane, const http::Request& request,
                                       const env::Endpoint& client, http::Responder& responder);

  // The answer to a POST /v1/events that HTTP could not hand over (http::Handler::refuse), in the
  // form of all refusals. On the lane of that index.
  [[nodiscard]] http::Response refuse_events(std::size_t lane, const http::Request& request,
                                             const http::Refused& refused);

  // Accepts events that are owed already, such as replays; `done` runs on `loop`. Any thread.
  void accept(std::vector<store::Accept> batch, env::Loop& loop,
              std::move_only_function<void(store::Accepted)> done);

  // Renders and sends once. On the lane of that index; `test` must live until the Task ends.
  [[nodiscard]] Task<TestResult> send_test(std::size_t lane, const TestSend& test);

  // Exchanges the code that came back from a destination's authorization. `done` runs on `loop`
  // with what went wrong, or nothing: the destination has tokens. Any thread.
  void connect(DestinationId destination, oauth::Proof proof, env::Loop& loop,
               std::move_only_function<void(std::optional<std::string>)> done);

  // Makes an event of it (docs/NOTICES.md). Any thread.
  void raise(Notice notice);

  // Ends a pause of the destination's breaker; `done` runs on `loop` then. Any thread.
  void resume(DestinationId destination, env::Loop& loop, std::move_only_function<void()> done);

  // Starts no more attempts; `done` runs on `loop` when those under way have ended and everything
  // recorded is durable. Any thread, once.
  void stop(env::Loop& loop, std::move_only_function<void()> done);

  // Whether requests of this lane should not be read now: deliveries that could start wait too
  // long. `changed` is called on the lane when the answer changes.
  void on_pressure(std::size_t lane, std::function<void(bool paused)> changed);

  [[nodiscard]] Counters counters()
      const;  // Any thread; each figure is exact, not all of one moment.

  // Asks the destination's home lane; `done` runs on `loop`. Any thread.
  void status(std::vector<DestinationId> destinations, env::Loop& loop,
              std::move_only_function<void(std::vector<DestinationStatus>)> done);

 private:
  class Lane;

  // Events and what they owe, on their way to being durable.
  struct Batch {
    std::vector<store::Accept> accepts;
    // Their documents, in the same order; empty, or null in places, if they were not kept.
    std::vector<std::shared_ptr<const EventDocument>> parsed;
  };

  [[nodiscard]] std::size_t home_index(DestinationId destination) const;
  [[nodiscard]] Lane& home_of(DestinationId destination);
  [[nodiscard]] Task<TestResult> send_test_at_home(std::size_t lane, TestSend test);
  void hand_over(Lane& from, Batch batch, const store::Accepted& accepted);

  const Options options_;
  store::Store& store_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace eilpost::pipeline
