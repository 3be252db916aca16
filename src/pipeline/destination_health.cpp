// How a destination fares: its pauses and its end, and what people hear of them.

#include <algorithm>
#include <utility>

#include "base/iso_time.h"
#include "base/probe.h"
#include "model/catalog.h"
#include "model/limits.h"
#include "pipeline/destination_queue.h"
#include "retry/breaker.h"

namespace eilpost::pipeline {

void DestinationQueue::note_end(const Outcome& outcome, Sent sent, Instant begun) {
  const Instant now = context_.loop.clock().now();
  const retry::Breaker::Change change = pace_.note_end(outcome, concurrency(), begun, now);
  switch (retry::verdict_of(outcome)) {
    case retry::Verdict::well:
      note_well();
      break;
    case retry::Verdict::ill:
      note_failure(sent);
      break;
    case retry::Verdict::content:
      break;
  }
  switch (change) {
    case retry::Breaker::Change::none:
      return;
    case retry::Breaker::Change::paused:
      paused_since_ = context_.loop.clock().wall_now();
      is_failing_told_ = true;
      context_.observer.destination_failing(id_, failing_since_);
      pipeline::add(context_.counters.destinations_paused);
      ready_.forget_events();
      context_.observer.destination_paused(id_, outcome.detail);
      is_pause_told_ = !sent.is_notice;
      if (sent.is_notice) return;
      raise("destination.paused", {{"reason", "failing"},
                                   {"since", format_iso_time(*paused_since_)},
                                   {"until", format_iso_time(*status().paused_until)},
                                   {"error", outcome.detail}});
      return;
    case retry::Breaker::Change::recovered:
      note_well();
      if (std::exchange(is_pause_told_, false)) {
        raise("destination.recovered",
              {{"reason", "answers"}, {"since", format_iso_time(*paused_since_)}});
      }
      paused_since_.reset();
      pipeline::subtract(context_.counters.destinations_paused);
      context_.observer.destination_recovered(id_);
      return;
  }
}

void DestinationQueue::note_failure(Sent sent) {
  const WallTime now = context_.loop.clock().wall_now();
  if (!failing_since_) failing_since_ = now;
  if (now - *failing_since_ < limits::kDestinationFailingMax) return;
  if (gone_version_ && *gone_version_ >= sent.version) return;
  EILPOST_PROBE("pipeline.destination_failed_too_long");
  gone_version_ = sent.version;
  context_.observer.destination_failed_too_long(id_, sent.version, sent.is_notice);
}

void DestinationQueue::note_well() {
  failing_since_.reset();
  if (std::exchange(is_failing_told_, false)) {
    context_.observer.destination_failing(id_, std::nullopt);
  }
}

void DestinationQueue::disable_if_gone(const Next& next, Sent sent) {
  if (!next.disable_destination) return;
  EILPOST_PROBE("pipeline.destination_gone");
  gone_version_ = std::max(gone_version_.value_or(0), sent.version);
  context_.observer.destination_gone(id_, sent.version, sent.is_notice);
}

// Said once, until a good part of it is gone.
void DestinationQueue::watch_backlog(const Due& newest) {
  const Destination* const destination = settings();
  if (destination == nullptr) return;
  const std::uint64_t most = destination->delivery.backlog_max;
  const std::uint64_t waiting = size() + 1;
  if (is_backlog_high_) {
    is_backlog_high_ = waiting >= most - (most / 5 * 2);
    return;
  }
  if (waiting < limits::kBacklogHighMin || waiting < most - (most / 5)) return;
  if (newest.event && is_operational(newest.event->type)) return;
  EILPOST_PROBE("pipeline.backlog_high");
  is_backlog_high_ = true;
  raise("backlog.high", {{"reason", "backlog"},
                         {"since", format_iso_time(context_.loop.clock().wall_now())},
                         {"waiting", waiting},
                         {"backlog_max", most}});
}

void DestinationQueue::raise(std::string_view type, const Json& more) const {
  const Destination* const destination = settings();
  if (destination == nullptr) return;
  Json data;
  data["destination"] = {{"id", to_string(id_)}, {"name", destination->name}};
  data.update(more);
  context_.notices.raise({.type = std::string(type), .about = id_, .data = std::move(data)});
}

}  // namespace eilpost::pipeline
