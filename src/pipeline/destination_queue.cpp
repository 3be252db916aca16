#include "pipeline/destination_queue.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/probe.h"
#include "env/callback.h"
#include "model/catalog.h"
#include "model/limits.h"
#include "pipeline/exchange.h"
#include "pipeline/token_send.h"
#include "presets/preset.h"
#include "record/attempt_record.h"
#include "render/renderer.h"
#include "retry/policy.h"

namespace eilpost::pipeline {
namespace {

constexpr Duration kReadRetry = std::chrono::seconds(5);

retry::Rate rate_of(const DeliverySettings& delivery) {
  if (!delivery.rate_limit) return {};
  return {.requests = delivery.rate_limit->requests, .per = delivery.rate_limit->per};
}

}  // namespace

DestinationQueue::DestinationQueue(LaneContext& context, DestinationId id)
    : context_(context),
      id_(id),
      ready_(context.fresh_bytes),
      sender_(context.loop, context.address_rules, context.tls_context, context.proxy),
      attempts_([this] { on_attempt_ended(); }) {}

DestinationQueue::~DestinationQueue() {
  if (wake_at_) context_.loop.timers().cancel(wake_timer_);
  if (pace_timer_) context_.loop.timers().cancel(*pace_timer_);
  if (batch_timer_) context_.loop.timers().cancel(*batch_timer_);
  if (paused_since_) pipeline::subtract(context_.counters.destinations_paused);
}

void DestinationQueue::add(Due due) {
  const Destination* const destination = settings();
  if (destination != nullptr && size() >= destination->delivery.backlog_max) {
    EILPOST_PROBE("pipeline.backlog_full");
    fail(due, FailReason::backlog_full);
    return;
  }
  watch_backlog(due);
  place(std::move(due));
}

void DestinationQueue::add_later(Due due, WallTime at) {
  note_failed_of_user(due);
  push_later(instant_of(at), std::move(due));
}

Instant DestinationQueue::instant_of(WallTime at) const {
  const WallTime wall_now = context_.loop.clock().wall_now();
  // The calendar may have jumped while nobody looked: no wait is longer than the longest allowed.
  const Duration wait =
      std::clamp<Duration>(at - wall_now, Duration::zero(), limits::kRetryDelayMax);
  return context_.loop.clock().now() + wait;
}

void DestinationQueue::place(Due due) {
  const Decision decision = decide(due);
  switch (decision.verdict) {
    case Verdict::send:
      if (is_per_user() && !lines_.admit(due)) return;
      make_ready(std::move(due));
      return;
    case Verdict::hold:
      leave_line(due);
      due.forget_event();
      EILPOST_PROBE("pipeline.delivery_held");
      held_.push_back(std::move(due));
      return;
    case Verdict::fail:
      fail(due, decision.reason);
      return;
  }
}

void DestinationQueue::make_ready(Due due) {
  if (pace_.is_paused()) due.forget_event();  // It waits for long.
  if (ready_.empty()) ready_since_ = context_.loop.clock().now();
  ready_.push(std::move(due));
}

DestinationQueue::Decision DestinationQueue::decide(const Due& due) const {
  const Snapshot& snapshot = *context_.snapshot;
  const auto webhook = snapshot.webhooks.find(due.webhook);
  if (webhook == snapshot.webhooks.end()) return {Verdict::fail, FailReason::webhook_deleted};
  const Destination* const destination = settings();
  if (destination == nullptr) return {Verdict::fail, FailReason::destination_deleted};
  if (context_.loop.clock().wall_now() - due.accepted_at > limits::kDeliveryAgeMax) {
    return {Verdict::fail, FailReason::expired};
  }
  const bool is_gone = gone_version_ && destination->version <= *gone_version_;
  const bool is_active = destination->state == DestinationState::active && !is_gone;
  if (!webhook->second->webhook.enabled || !is_active) return {Verdict::hold, FailReason::none};
  return {Verdict::send, FailReason::none};
}

// Asked for several times a delivery, so looked up once a revision.
const Destination* DestinationQueue::settings() const {
  const Snapshot& snapshot = *context_.snapshot;
  if (settings_revision_ != snapshot.revision) {
    const auto found = snapshot.destinations.find(id_);
    settings_ = found == snapshot.destinations.end() ? nullptr : found->second;
    settings_revision_ = snapshot.revision;
  }
  return settings_ == nullptr ? nullptr : &settings_->destination;
}

std::uint32_t DestinationQueue::concurrency() const {
  const Destination* const destination = settings();
  return destination == nullptr ? 1 : destination->delivery.concurrency;
}

// A changed destination is tried at once: the change may have mended it.
void DestinationQueue::adopt_settings() {
  const Destination* const destination = settings();
  if (destination == nullptr || adopted_version_ == destination->version) return;
  const bool is_change = adopted_version_.has_value();
  batch_size_.reset();
  if (batch_timer_) context_.loop.timers().cancel(*batch_timer_);
  batch_timer_.reset();
  adopted_version_ = destination->version;
  pace_.set_rate(rate_of(destination->delivery));
  const presets::Preset* const preset = presets::find(destination->platform);
  pace_.set_complaints(preset == nullptr ? std::vector<std::uint16_t>() : preset->slow_statuses);
  if (is_change) end_pause();
}

// Whether something may be sent: with batches, enough or for long enough.
bool DestinationQueue::is_ready(Instant now) const {
  if (!ready_batches_.empty()) return true;
  if (ready_.empty()) return false;
  const Destination* const destination = settings();
  if (destination == nullptr || ready_.size() >= batch_limit()) return true;
  return now >= ready_since_ + destination->delivery.batch.wait;
}

bool DestinationQueue::may_start(std::size_t starts, Instant now) const {
  return is_ready(now) && starts < kStartsPerTurn && !is_other_order_wanted() &&
         attempts_.size() < pace_.window(concurrency());
}

// Whether an attempt was started with what is first.
bool DestinationQueue::start_next(Instant now) {
  if (!ready_batches_.empty() || makes_batches()) {
    Batch batch = take_batch();
    if (batch.members.empty()) return false;
    pace_.note_start(now);
    under_way_ += batch.members.size();
    attempts_.spawn(attempt_batch(std::move(batch)));
    return true;
  }
  Due due = ready_.pop();
  if (decide(due).verdict != Verdict::send) {
    EILPOST_PROBE("pipeline.changed_while_ready");
    place(std::move(due));
    return false;
  }
  pace_.note_start(now);
  ++under_way_;
  attempts_.spawn(attempt(std::move(due)));
  return true;
}

void DestinationQueue::pump() {
  if (is_pumping_ || context_.is_stopping || (ready_.empty() && ready_batches_.empty())) return;
  if (context_.store.is_behind()) {
    context_.backlog.wait_for_journal();
    return;
  }
  adopt_settings();
  is_pumping_ = true;
  const Instant now = context_.loop.clock().now();
  std::size_t starts = 0;
  while (may_start(starts, now) && pace_.earliest(now) <= now) {
    if (start_next(now)) ++starts;
  }
  is_pumping_ = false;
  if (!is_ready(now)) wait_for_more(now);
  if (!may_start(0, now)) return;
  if (pace_.earliest(now) <= now) {
    context_.backlog.push(*this, now);
  } else {
    wait_for_pace();
  }
}

void DestinationQueue::wait_for_pace() {
  const Instant at = pace_.earliest(context_.loop.clock().now());
  if (at == Instant::max() || pace_timer_) return;  // The probe's end pumps again.
  pace_timer_ = context_.loop.timers().call_at(at, [this] {
    pace_timer_.reset();
    pump();
  });
}

// What is ready goes when its batch is full, or has waited.
void DestinationQueue::wait_for_more(Instant now) {
  if (ready_.empty() || batch_timer_) return;
  const Duration wait = settings()->delivery.batch.wait;
  batch_timer_ = context_.loop.timers().call_at(std::max(now, ready_since_ + wait), [this] {
    batch_timer_.reset();
    pump();
  });
}

void DestinationQueue::resume() {
  end_pause();
  pump();
}

void DestinationQueue::set_failing_since(WallTime since) {
  failing_since_ = since;
  is_failing_told_ = true;
  adopt_settings();  // So that the next ones are a change.
  if (settings() == nullptr || settings()->state != DestinationState::active) return;
  pace_.begin_paused(context_.loop.clock().now());
  paused_since_ = since;
  is_pause_told_ = true;
  pipeline::add(context_.counters.destinations_paused);
}

void DestinationQueue::end_pause() {
  note_well();
  pace_.resume();
  if (paused_since_) pipeline::subtract(context_.counters.destinations_paused);
  paused_since_.reset();
  is_pause_told_ = false;
  if (pace_timer_) context_.loop.timers().cancel(*pace_timer_);
  pace_timer_.reset();
}

void DestinationQueue::settings_changed() {
  adopt_settings();
  adopt_ordering();
  const bool is_waiting = !ready_.empty();
  std::vector<Due> waiting;
  std::ranges::move(std::exchange(held_, {}), std::back_inserter(waiting));
  std::ranges::move(ready_.take_all(), std::back_inserter(waiting));
  std::ranges::move(lines_.take_waiting(), std::back_inserter(waiting));
  const std::optional<Instant> since = is_waiting ? std::optional(ready_since_) : std::nullopt;
  place_all(std::move(waiting));
  if (since) ready_since_ = *since;  // A change of settings lets nothing wait for longer.

  // What waits for its time stays there, unless it will never be sent.
  std::vector<Due> failed;
  std::vector<Due> leaving;
  later_.erase_if([&](const LaterHeap<Due>::Entry& later) {
    if (is_per_user() && !is_webhook_enabled(later.value)) leaving.push_back(later.value);
    if (decide(later.value).verdict != Verdict::fail) return false;
    failed.push_back(later.value);
    return true;
  });
  for (const Due& due : failed) fail(due, decide(due).reason);
  for (const Due& due : leaving) leave_line(due);
  place_ready_batches();
  dissolve_batches();
  pump();
}

void DestinationQueue::expire() {
  const WallTime oldest = context_.loop.clock().wall_now() -
                          std::chrono::duration_cast<WallTime::duration>(limits::kDeliveryAgeMax);
  std::vector<Due> expired;  // They end when nothing is gone through any more.
  const auto is_old = [&expired, oldest](const Due& due) {
    if (due.accepted_at >= oldest) return false;
    expired.push_back(due);
    return true;
  };
  std::erase_if(held_, is_old);
  ready_.erase_if(is_old);
  lines_.erase_if(is_old);
  later_.erase_if([&](const LaterHeap<Due>::Entry& later) { return is_old(later.value); });
  for (const Due& due : expired) fail(due, FailReason::expired);
  place_ready_batches();
  pump();
}

void DestinationQueue::fail(const Due& due, FailReason reason) {
  end_failed(due, reason);
  leave_line(due);
}

void DestinationQueue::end_failed(const Due& due, FailReason reason) {
  context_.store.record(
      store::Settled{.delivery = due.id, .reason = reason, .at = context_.loop.clock().wall_now()});
  pipeline::add(context_.counters.deliveries_failed);
  context_.counters.owed_times.remove(due.accepted_at);
}

void DestinationQueue::push_later(Instant at, Due due) {
  due.forget_event();
  later_.push(at, std::move(due));
  schedule_wake();
}

void DestinationQueue::schedule_wake() {
  constexpr Instant kNever = Instant::max();
  const Instant earliest =
      std::min({later_.earliest().value_or(kNever), later_batches_.earliest().value_or(kNever),
                lines_.next_release().value_or(kNever)});
  if (earliest == kNever) return;
  if (wake_at_ && *wake_at_ <= earliest) return;
  if (wake_at_) context_.loop.timers().cancel(wake_timer_);
  wake_at_ = earliest;
  wake_timer_ = context_.loop.timers().call_at(earliest, [this] { wake_later(); });
}

void DestinationQueue::wake_later() {
  wake_at_.reset();
  const Instant now = context_.loop.clock().now();
  while (std::optional<Due> due = later_.pop_due(now)) place(std::move(*due));
  while (std::optional<Batch> batch = later_batches_.pop_due(now)) {
    in_batches_ -= batch->members.size();
    place_batch(std::move(*batch));
  }
  release_lines();
  schedule_wake();
  pump();
}

void DestinationQueue::put_back_unread(Due due, ErrorCode code) {
  const bool is_lost = code == ErrorCode::record_gone || code == ErrorCode::journal_corrupt;
  if (is_lost) {
    fail(due, FailReason::damaged);
  } else {  // The disk may answer the next time; no request was made, so it is no attempt.
    push_later(context_.loop.clock().now() + kReadRetry, std::move(due));
  }
}

// No coroutine of its own: it would cost every attempt a frame.
Task<Outcome> DestinationQueue::send(OutboundRequest& request, const LiveDestination& destination) {
  if (destination.destination.authentication.oauth == nullptr) {
    return send_request(context_, sender_, request, destination);
  }
  return send_with_token(context_, sender_, token_keeper(), request, destination);
}

// The event is in memory then. The settings may have changed meanwhile.
Task<Result<void>> DestinationQueue::read_event(Due& due) {
  Result<std::shared_ptr<const Event>> event =
      co_await env::callback<Result<std::shared_ptr<const Event>>>([this, id = due.id](auto done) {
        context_.store.read_event(id, context_.loop, std::move(done));
      });
  if (!event) co_return std::unexpected(event.error());
  EILPOST_PROBE("pipeline.event_read_back");
  due.event = std::move(*event);
  co_return Result<void>{};
}

// REQUIRES: its event is there.
std::string DestinationQueue::webhook_id_of(const Due& due) {
  return due.event->webhook_id.empty() ? to_string(due.id) : due.event->webhook_id;
}

// Its attempt came to nothing: no request was made.
void DestinationQueue::put_back(Due due) {
  --under_way_;
  place(std::move(due));
}

// One try of one delivery: read the event, render, send, decide, write down. REQUIRES: it may be
// sent.
Task<void> DestinationQueue::attempt(Due due) {
  const Instant begun = context_.loop.clock().now();
  if (!due.event) {
    const Result<void> read = co_await read_event(due);
    if (!read) {
      --under_way_;
      put_back_unread(std::move(due), read.error().code);
      pace_.note_abandoned(begun);
      co_return;
    }
    if (decide(due).verdict != Verdict::send) {
      EILPOST_PROBE("pipeline.changed_while_read");
      pace_.note_abandoned(begun);
      put_back(std::move(due));
      co_return;
    }
  }
  const std::shared_ptr<const LiveWebhook> webhook = context_.snapshot->webhooks.at(due.webhook);
  const std::shared_ptr<const LiveDestination> destination = settings_;

  pipeline::add(context_.counters.attempts);
  pipeline::add(context_.counters.attempts_in_flight);
  const Instant started = context_.loop.clock().now();
  const WallTime started_at = context_.loop.clock().wall_now();
  const std::string id_text = webhook_id_of(due);
  if (std::exchange(due.was_in_batch, false)) co_await record_batch({due.id});
  OutboundRequest request = context_.spare_requests.take();
  const std::expected<void, render::RenderError> rendered =
      render::render_into({.webhook = *webhook->compiled,
                           .destination = *destination->compiled,
                           .document = due.event->document,
                           .delivery_id = id_text,
                           .attempt_at = started_at,
                           .parsed = due.parsed.get()},
                          *context_.scratch, {}, request);
  due.parsed.reset();
  const std::string notes = render::notes_of(*context_.scratch);
  Outcome outcome;
  if (rendered) {
    outcome = co_await send(request, *destination);
    judge(destination->destination, outcome);
  } else {
    outcome = {.kind = OutcomeKind::render, .detail = rendered.error().detail};
    if (rendered.error().is_final) outcome.final_reason = FailReason::rejected;
  }
  if (outcome.detail.empty()) outcome.detail = notes;
  end_attempt({.due = std::move(due),
               .webhook = *webhook,
               .destination = *destination,
               .begun = begun,
               .started = started,
               .body = rendered ? std::string_view(request.body) : std::string_view()},
              std::move(outcome));
  context_.spare_requests.give(std::move(request));
}

// Decides what is next, and writes down.
void DestinationQueue::end_attempt(Tried tried, Outcome outcome) {
  Due& due = tried.due;
  ++due.attempts_count;
  const WallTime ended_at = context_.loop.clock().wall_now();
  const Next next = retry::decide(
      outcome, tried.destination.destination.delivery.retry,
      {.attempts_count = static_cast<std::uint16_t>(due.attempts_count - due.splits_count),
       .ended_at = ended_at,
       .accepted_at = due.accepted_at},
      context_.random);
  Attempt attempt =
      record::make_attempt({.delivery = due.id,
                            .number = due.attempts_count,
                            .ended_at = ended_at,
                            .duration = context_.loop.clock().now() - tried.started,
                            .webhook_version = tried.webhook.webhook.version,
                            .destination_version = tried.destination.destination.version,
                            .body_hash = hash64(tried.body)},
                           std::move(outcome), next);
  pipeline::subtract(context_.counters.attempts_in_flight);
  note_attempt(attempt);
  const Sent sent{.version = attempt.destination_version,
                  .is_notice = is_operational(due.event->type)};
  note_end(attempt.outcome, sent, tried.begun);
  if (attempt.outcome.success) batch_size_.note_taken(1);
  context_.store.record(std::move(attempt));
  end_or_retry(std::move(due), next);
  disable_if_gone(next, sent);
}

void DestinationQueue::note_attempt(const Attempt& attempt) {
  if (attempt.outcome.success) {
    last_success_at_ = attempt.started_at;
    pipeline::add(context_.counters.attempts_succeeded);
  } else {
    last_failure_at_ = attempt.started_at;
    last_error_ = attempt.outcome.detail;
  }
  count_attempt(context_.counters.figures, attempt.outcome, attempt.duration);
}

void DestinationQueue::end_or_retry(Due due, const Next& next) {
  --under_way_;
  if (next.state == DeliveryState::retrying) {
    add_later(std::move(due), next.retry_at);
    return;
  }
  context_.counters.owed_times.remove(due.accepted_at);
  pipeline::add(next.state == DeliveryState::delivered ? context_.counters.deliveries_delivered
                                                       : context_.counters.deliveries_failed);
  leave_line(due);
}

void DestinationQueue::on_attempt_ended() {
  if (context_.is_stopping) {
    context_.on_attempt_ended_while_stopping();
  } else {
    adopt_ordering();
    pump();
  }
}

deliver::TokenKeeper& DestinationQueue::token_keeper() {
  if (!token_keeper_) {
    token_keeper_ = std::make_unique<deliver::TokenKeeper>(token_parts(context_), id_);
  }
  return *token_keeper_;
}

DestinationStatus DestinationQueue::status() const {
  std::size_t ready_in_batches = 0;
  for (const Batch& batch : ready_batches_) ready_in_batches += batch.members.size();
  DestinationStatus status{.waiting = ready_.size() + lines_.size() + ready_in_batches,
                           .retrying = later_.size() + in_batches_ - ready_in_batches,
                           .held = held_.size(),
                           .in_flight = under_way_,
                           .last_success_at = last_success_at_,
                           .last_failure_at = last_failure_at_,
                           .last_error = last_error_,
                           .failing_since = failing_since_};
  if (paused_since_) {
    const env::Clock& clock = context_.loop.clock();
    const Duration wait = std::max(pace_.paused_until() - clock.now(), Duration::zero());
    status.paused_since = paused_since_;
    status.paused_until = clock.wall_now() + std::chrono::ceil<std::chrono::milliseconds>(wait);
  }
  return status;
}

}  // namespace eilpost::pipeline
