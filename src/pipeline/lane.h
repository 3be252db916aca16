#pragma once
// One lane: an event loop with the ingest of its connections and the destinations whose home it is.
//
// Threads: everything on the lane's loop, but post_… which are handed over from any thread.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/task.h"
#include "ingest/ingest.h"
#include "pipeline/destination_queue.h"
#include "pipeline/lane_context.h"
#include "pipeline/parsed_events.h"
#include "pipeline/pipeline.h"

namespace eilpost::pipeline {

// A delivery on its way to its destination's home lane.
struct HandedOver {
  DestinationId destination{};
  Due due;
};

class Pipeline::Lane final : public StartBacklog, public Notices {
 public:
  Lane(Pipeline& pipeline, env::Loop& loop, const Parts& parts, const Options& options);
  ~Lane() override;

  void set_snapshot(std::shared_ptr<const Snapshot> snapshot);
  void take_unsettled(const store::Unsettled& unsettled);
  void all_unsettled_taken();
  void pump_all();
  void take_over(std::vector<HandedOver> deliveries);
  void resume(DestinationId destination);
  void set_failing_since(DestinationId destination, WallTime since);

  [[nodiscard]] Task<void> post_events(const http::Request& request, const env::Endpoint& client,
                                       http::Responder& responder);
  [[nodiscard]] http::Response refuse_events(const http::Request& request,
                                             const http::Refused& refused);
  [[nodiscard]] Task<TestResult> send_test(const TestSend& test);
  // Both go on though whoever asked may be gone; `done` runs on `back`.
  void begin_test(TestSend test, env::Loop& back, std::move_only_function<void(TestResult)> done);
  void begin_connecting(DestinationId destination, oauth::Proof proof, env::Loop& back,
                        std::move_only_function<void(std::optional<std::string>)> done);

  // `done` is called once no attempt is under way.
  void stop(std::function<void()> done);

  void on_pressure(std::function<void(bool)> changed) { pressure_changed_ = std::move(changed); }
  [[nodiscard]] DestinationStatus status(DestinationId destination) const;
  [[nodiscard]] LaneCounters& counters() { return context_.counters; }
  [[nodiscard]] env::Loop& loop() { return context_.loop; }

  void push(DestinationQueue& queue, Instant since) override;
  void wait_for_journal() override;
  // Makes an event of it and sends it to whom it concerns, but for the destination it is about.
  void raise(Notice notice) override;

 private:
  void take_owed(DestinationQueue& queue, Due due, WallTime next_attempt_at) const;
  [[nodiscard]] DestinationQueue& queue_of(DestinationId destination);
  [[nodiscard]] Task<Outcome> send_test_with_token(deliver::Sender& sender,
                                                   OutboundRequest& request,
                                                   const LiveDestination& destination);
  [[nodiscard]] Task<void> run_test(TestSend test, env::Loop& back,
                                    std::move_only_function<void(TestResult)> done);
  [[nodiscard]] Task<void> run_connecting(
      DestinationId destination, oauth::Proof proof, env::Loop& back,
      std::move_only_function<void(std::optional<std::string>)> done);
  [[nodiscard]] Task<http::Response> answer_events(const http::Request& request,
                                                   const env::Endpoint& client);
  [[nodiscard]] Task<void> run_notice(Notice notice);
  [[nodiscard]] Batch match_all(std::vector<Event> events);
  [[nodiscard]] Task<store::Accepted> make_durable(Batch batch);
  [[nodiscard]] std::optional<ingest::Refusal> refuse_when_overloaded() const;
  [[nodiscard]] Duration start_age() const;
  void pump_backlog();
  void watch_pressure();
  void expire_all();
  [[nodiscard]] std::size_t in_flight() const;

  Pipeline& pipeline_;
  const Options& options_;
  LaneContext context_;
  ingest::Ingest ingest_;
  match::Scratch match_scratch_;
  ParsedEvents parsed_events_;
  std::unordered_map<DestinationId, std::unique_ptr<DestinationQueue>> queues_;
  // While what was owed is taken: batches that may be whole again.
  struct OwedBatch {
    DestinationId destination{};
    std::size_t members_count = 0;
    std::vector<std::pair<Due, WallTime>> members;  // with their next attempt
  };
  std::map<Position, OwedBatch> owed_batches_;
  TaskSet asked_for_;  // tests and authorizations; after the queues, so that they end first

  struct Backlogged {
    DestinationQueue* queue = nullptr;
    Instant since;
  };
  std::deque<Backlogged> backlogged_;
  bool is_pump_posted_ = false;
  bool is_paused_ = false;
  std::size_t notices_waiting_ = 0;
  std::function<void(bool)> pressure_changed_;
  std::function<void()> stopped_;
  env::TimerId expire_timer_{};
  std::optional<env::TimerId> journal_timer_;
};

}  // namespace eilpost::pipeline
