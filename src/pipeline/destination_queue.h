#pragma once
// What is owed to one destination, on its home lane: what can be sent now, what waits for its time,
// what is held, what is under way.
//
// A delivery is taken from `ready` while the destination's pace (breaker, rate limit, window) lets
// it: webhooks take turns. Events of deliveries that wait are read back from the store.
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

  // Starts what can be started, at most kStartsPerTurn; the rest starts in a later turn.
  void pump();

  // New settings are in the context: holds, releases or ends what they concern, then pumps.
  void settings_changed();

  // A person says that the destination is well: a pause ends.
  void resume();

  // What was known before this start. REQUIRES: nothing was added yet.
  void set_failing_since(WallTime since);

  // Ends what has waited longer than kDeliveryAgeMax.
  void expire();

  [[nodiscard]] DestinationStatus status() const;
  [[nodiscard]] std::size_t size() const {
    return ready_.size() + later_.size() + held_.size() + attempts_.size();
  }
  [[nodiscard]] std::size_t in_flight() const { return attempts_.size(); }

  // The destination's token: for deliveries, tests and the authorization alike.
  [[nodiscard]] deliver::TokenKeeper& token_keeper();

  static constexpr std::size_t kStartsPerTurn = 64;

 private:
  struct Later {
    Instant at;
    Due due;
  };
  struct LaterFirst {
    bool operator()(const Later& a, const Later& b) const {
      return a.at != b.at ? a.at > b.at : a.due.id > b.due.id;
    }
  };
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
  [[nodiscard]] bool may_start(std::size_t starts) const;
  void wait_for_pace();
  void note_end(const Attempt& attempt, Instant begun);
  void note_failure(const Attempt& attempt);
  void note_well();
  void place(Due due);
  void fail(const Due& due, FailReason reason);
  void push_later(Later later);
  // Its event could not be read from the journal.
  void put_back_unread(Due due, ErrorCode code);
  void wake_later();
  void schedule_wake();
  [[nodiscard]] Task<Outcome> send(OutboundRequest& request, const LiveDestination& destination);
  [[nodiscard]] Task<void> attempt(Due due);
  void finish(Due due, Attempt attempt, Instant begun);
  void on_attempt_ended();

  LaneContext& context_;
  DestinationId id_;
  FairQueue ready_;
  retry::Pace pace_;
  std::vector<Later> later_;  // a heap, earliest first
  std::deque<Due> held_;
  // That answered 410: it gets no more. Its disabling makes a new version, and so does resuming it.
  std::optional<std::uint32_t> gone_version_;
  std::optional<std::uint32_t> adopted_version_;  // whose limits the pace keeps
  bool is_pumping_ = false;
  std::optional<env::TimerId> pace_timer_;
  std::optional<WallTime> paused_since_;
  std::optional<WallTime> failing_since_;
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

// One request to a destination: over the network, or into the inbox of this process.
// REQUIRES: the references live until the Task ends.
[[nodiscard]] Task<Outcome> send_request(LaneContext& context, deliver::Sender& sender,
                                         const OutboundRequest& request,
                                         const LiveDestination& destination);

}  // namespace eilpost::pipeline
