#pragma once
// What is owed to one destination, on its home lane: what can be sent now, what waits for its time,
// what is held, what is under way.
//
// A delivery is taken from `ready` while the destination's pace (breaker, rate limit, window) lets
// it: webhooks take turns. Events of deliveries that wait are read back from the store. With
// ordering per user only the first of each user's deliveries is ready.
//
// With batches several are sent as one request (docs/BATCHES.md). One that fails as a whole is
// tried again as it was; after any other end its deliveries go on by themselves.
//
// Ownership: belongs to a lane, whose LaneContext must outlive it.
// Threads:   the lane's.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/task.h"
#include "deliver/sender.h"
#include "deliver/token_keeper.h"
#include "model/delivery.h"
#include "model/event.h"
#include "pipeline/due.h"
#include "pipeline/fair_queue.h"
#include "pipeline/lane_context.h"
#include "pipeline/later_heap.h"
#include "pipeline/user_lines.h"
#include "retry/batch_size.h"
#include "retry/pace.h"

namespace eilpost::pipeline {

class DestinationQueue final {
 public:
  DestinationQueue(LaneContext& context, DestinationId id);
  ~DestinationQueue();
  DestinationQueue(const DestinationQueue&) = delete;
  DestinationQueue& operator=(const DestinationQueue&) = delete;

  // Takes a delivery over; pump() sends it. Beyond the destination's backlog_max it ends failed.
  void add(Due due);
  // One that was accepted before this start: no bound lowered since then ends it.
  void add_owed(Due due) { place(std::move(due)); }
  // The same, not to be tried before `at`.
  void add_later(Due due, WallTime at);
  // Several that were sent together before this start, and are again. Their users' lines were
  // claimed, in accept order with what was added.
  void add_batch(std::vector<Due> members, WallTime at);
  // For one that will be added later than those after it, or not to be tried now.
  void claim_line(const Due& due);

  // Starts what can be started, at most kStartsPerTurn; the rest starts in a later turn.
  void pump();

  // New settings are in the context: holds, releases or ends what they concern, then pumps.
  void settings_changed();

  // A person says that the destination is well: a pause ends.
  void resume();

  // What was known before this start: it was paused, and is until a probe succeeds. REQUIRES:
  // nothing was added yet.
  void set_failing_since(WallTime since);

  // Ends what has waited longer than kDeliveryAgeMax.
  void expire();

  [[nodiscard]] DestinationStatus status() const;
  [[nodiscard]] std::size_t size() const {
    return ready_.size() + later_.size() + held_.size() + lines_.size() + in_batches_ + under_way_;
  }
  // Attempts: requests under way, or about to be.
  [[nodiscard]] std::size_t in_flight() const { return attempts_.size(); }

  // The destination's token: for deliveries, tests and the authorization alike.
  [[nodiscard]] deliver::TokenKeeper& token_keeper();

  static constexpr std::size_t kStartsPerTurn = 64;

 private:
  // Deliveries that are tried again together.
  struct Batch {
    std::vector<Due> members;  // not empty
    bool is_known = false;     // to the journal

    [[nodiscard]] DeliveryId key() const { return members.front().id; }
  };
  struct Member;    // One delivery of a batch under way.
  struct Group;     // Those that can be one request.
  struct BatchRun;  // A batch under way: one request, or several one after the other.
  enum class Verdict : std::uint8_t { send, hold, fail };
  struct Decision {
    Verdict verdict = Verdict::send;
    FailReason reason = FailReason::none;
  };

  [[nodiscard]] Decision decide(const Due& due) const;
  [[nodiscard]] const Destination* settings() const;
  [[nodiscard]] std::uint32_t concurrency() const;
  void adopt_settings();
  void end_pause();
  [[nodiscard]] bool is_ready(Instant now) const;
  [[nodiscard]] bool may_start(std::size_t starts, Instant now) const;
  [[nodiscard]] bool start_next(Instant now);
  void wait_for_pace();
  void wait_for_more(Instant now);
  // ---- How it fares (destination_health.cpp).
  // What was sent. `is_notice`: nothing but events that Eilpost itself raised; how those fare
  // raises none.
  struct Sent {
    std::uint32_t version = 0;  // of the destination
    bool is_notice = false;
  };
  void note_end(const Outcome& outcome, Sent sent, Instant begun);
  void note_failure(Sent sent);
  void raise(std::string_view type, const Json& more) const;
  void watch_backlog(const Due& newest);
  void note_well();
  void place(Due due);
  void make_ready(Due due);
  void place_all(std::vector<Due> waiting);
  void fail(const Due& due, FailReason reason);
  void end_failed(const Due& due, FailReason reason);
  // It will not be tried again, or not for long: the next of its user goes on.
  void leave_line(const Due& due);
  // Whether the order is kept now. One that is switched on begins when nothing is under way.
  [[nodiscard]] bool is_per_user() const;
  [[nodiscard]] bool is_other_order_wanted() const;
  void adopt_ordering();
  void put_in_order();
  [[nodiscard]] bool is_webhook_enabled(const Due& due) const;
  // It waits for its next try: it keeps its user's line if it may.
  void note_failed_of_user(Due& due);
  void release_lines();
  void push_later(Instant at, Due due);
  // Its event could not be read from the journal.
  void put_back_unread(Due due, ErrorCode code);
  void wake_later();
  void schedule_wake();
  [[nodiscard]] Instant instant_of(WallTime at) const;
  [[nodiscard]] static std::string webhook_id_of(const Due& due);
  [[nodiscard]] Task<Result<void>> read_event(Due& due);
  [[nodiscard]] Task<Outcome> send(OutboundRequest& request, const LiveDestination& destination);
  [[nodiscard]] Task<void> attempt(Due due);
  // A request that was made, or could not be rendered.
  struct Tried {
    Due due;
    const LiveWebhook& webhook;
    const LiveDestination& destination;
    Instant begun;
    Instant started;
    std::string_view body;
  };
  void end_attempt(Tried tried, Outcome outcome);
  void note_attempt(const Attempt& attempt);
  void end_or_retry(Due due, const Next& next);
  void disable_if_gone(const Next& next, Sent sent);
  void on_attempt_ended();

  // Batches.
  [[nodiscard]] bool makes_batches() const;
  [[nodiscard]] std::uint32_t batch_limit() const;
  [[nodiscard]] Batch take_batch();
  void place_batch(Batch batch);
  void push_later(Instant at, Batch batch);
  void place_ready_batches();
  void dissolve_batches();
  [[nodiscard]] Task<void> attempt_batch(Batch batch);
  [[nodiscard]] Task<void> add_member(BatchRun& run, Due due);
  [[nodiscard]] bool add_part(BatchRun& run, Due due);
  [[nodiscard]] Task<void> send_group(BatchRun& run, Group group);
  [[nodiscard]] Task<void> make_known(const BatchRun& run, Group& group);
  [[nodiscard]] Task<void> record_batch(std::vector<DeliveryId> members);
  void end_group(BatchRun& run, Group& group, const Outcome& whole);
  void end_unrendered(BatchRun& run, Member member, Outcome outcome);
  [[nodiscard]] Attempt make_attempt(const BatchRun& run, const Group& group, const Member& member,
                                     Outcome outcome, const Next& next);
  void end_members(BatchRun& run, Group& group, std::vector<Outcome> outcomes);
  void split(BatchRun& run, Group& group, const Outcome& whole);
  void put_back(Due due);
  void put_back(Group group);

  LaneContext& context_;
  DestinationId id_;
  mutable std::shared_ptr<const LiveDestination> settings_;
  mutable std::optional<std::uint64_t> settings_revision_;  // of `settings_`
  FairQueue ready_;
  Instant ready_since_{};            // since when something is ready, or earlier
  std::deque<Batch> ready_batches_;  // go before what is ready
  UserLines lines_;
  mutable std::optional<Ordering> ordering_;  // in force; adopted with the first settings
  retry::Pace pace_;
  retry::BatchSize batch_size_;
  LaterHeap<Due> later_;
  LaterHeap<Batch> later_batches_;
  std::size_t in_batches_ = 0;  // deliveries of ready_batches_ and later_batches_
  std::size_t under_way_ = 0;   // deliveries of attempts_
  std::deque<Due> held_;
  // That answered 410: it gets no more. Its disabling makes a new version, and so does resuming it.
  std::optional<std::uint32_t> gone_version_;
  std::optional<std::uint32_t> adopted_version_;  // whose limits the pace keeps
  bool is_pumping_ = false;
  std::optional<env::TimerId> pace_timer_;
  std::optional<env::TimerId> batch_timer_;
  std::optional<WallTime> paused_since_;
  std::optional<WallTime> failing_since_;
  bool is_pause_told_ = false;    // by a notice
  bool is_backlog_high_ = false;  // and a notice said so
  bool is_failing_told_ = false;  // to the observer, who remembers it over a restart
  env::TimerId wake_timer_{};
  std::optional<Instant> wake_at_;
  std::optional<WallTime> last_success_at_;
  std::optional<WallTime> last_failure_at_;
  std::string last_error_;
  deliver::Sender sender_;
  std::unique_ptr<deliver::TokenKeeper> token_keeper_;  // made when it is asked for
  TaskSet attempts_;  // After the Sender, so that its Tasks end first.
};

}  // namespace eilpost::pipeline
