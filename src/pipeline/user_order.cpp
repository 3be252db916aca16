// The order of a user's deliveries in a DestinationQueue (docs/BATCHES.md, "Order per user").

#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "pipeline/destination_queue.h"

namespace eilpost::pipeline {

// In accept order, so that the earliest of each user goes first.
void DestinationQueue::place_all(std::vector<Due> waiting) {
  if (is_per_user()) std::ranges::sort(waiting, {}, &Due::id);
  for (Due& due : waiting) place(std::move(due));
}

bool DestinationQueue::is_per_user() const {
  const Destination* const destination = settings();
  if (!ordering_ && destination != nullptr) ordering_ = destination->delivery.ordering;
  return ordering_ == Ordering::per_user;
}

bool DestinationQueue::is_other_order_wanted() const {
  const Destination* const destination = settings();
  return destination != nullptr &&
         ordering_.value_or(destination->delivery.ordering) != destination->delivery.ordering;
}

// Of what is under way without an order nobody knows which users' lines it would have.
void DestinationQueue::adopt_ordering() {
  if (!is_other_order_wanted()) return;
  const Ordering wanted = settings()->delivery.ordering;
  if (wanted == Ordering::per_user && attempts_.size() > 0) return;
  ordering_ = wanted;
  if (wanted == Ordering::per_user) {
    put_in_order();
  } else {
    place_all(lines_.take_waiting());
    lines_.forget_lines();
  }
}

// Everything that waits takes its users' lines in accept order.
void DestinationQueue::put_in_order() {
  EILPOST_PROBE("pipeline.order_begins");
  struct Waiting {
    Due due;
    std::optional<Instant> at;
  };
  std::vector<Waiting> all;
  const auto take = [&all](std::vector<Due> waiting, std::optional<Instant> at) {
    for (Due& due : waiting) all.push_back({.due = std::move(due), .at = at});
  };
  take(ready_.take_all(), std::nullopt);
  for (Batch& batch : std::exchange(ready_batches_, {})) {
    take(std::move(batch.members), std::nullopt);
  }
  for (auto& later : later_.take_all()) all.push_back({std::move(later.value), later.at});
  for (auto& later : later_batches_.take_all()) take(std::move(later.value.members), later.at);
  in_batches_ = 0;
  std::ranges::sort(all, {}, [](const Waiting& waiting) { return waiting.due.id; });
  for (auto& [due, at] : all) {
    if (at) {
      claim_line(due);
      note_failed_of_user(due);
      push_later(*at, std::move(due));
    } else {
      place(std::move(due));
    }
  }
}

bool DestinationQueue::is_webhook_enabled(const Due& due) const {
  const auto webhook = context_.snapshot->webhooks.find(due.webhook);
  return webhook != context_.snapshot->webhooks.end() && webhook->second->webhook.enabled;
}

void DestinationQueue::leave_line(const Due& due) {
  if (due.user == 0) return;
  std::optional<Due> next = lines_.leave(due);
  while (next) {  // Until one of them can go; each of the others leaves the line in its turn.
    const Decision decision = decide(*next);
    if (decision.verdict == Verdict::send) {
      make_ready(std::move(*next));
      return;
    }
    const Due left = *next;
    if (decision.verdict == Verdict::hold) {
      held_.push_back(std::move(*next));
    } else {
      end_failed(*next, decision.reason);
    }
    next = lines_.leave(left);
  }
}

// One that held its user's others for as long as it may lets them go on.
void DestinationQueue::note_failed_of_user(Due& due) {
  if (!is_per_user()) return;
  bool may_keep = is_webhook_enabled(due);
  if (may_keep) {
    (void)lines_.claim(due);  // Nobody may have its line.
    may_keep = lines_.note_failed(due, context_.loop.clock().now());
  }
  if (!may_keep) leave_line(due);
}

// Those whose user waited long enough for one that fails.
void DestinationQueue::release_lines() {
  for (Due& due : lines_.release(context_.loop.clock().now())) place(std::move(due));
}

}  // namespace eilpost::pipeline
