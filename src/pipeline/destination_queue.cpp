#include "pipeline/destination_queue.h"

#include <algorithm>
#include <utility>

#include "base/probe.h"
#include "base/utf8.h"
#include "deliver/judge.h"
#include "env/callback.h"
#include "model/limits.h"
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
  if (paused_since_) pipeline::subtract(context_.counters.destinations_paused);
}

void DestinationQueue::add(Due due) {
  const Destination* const destination = settings();
  if (destination != nullptr && size() >= destination->delivery.backlog_max) {
    EILPOST_PROBE("pipeline.backlog_full");
    fail(due, FailReason::backlog_full);
    return;
  }
  place(std::move(due));
}

void DestinationQueue::add_later(Due due, WallTime at) {
  const WallTime wall_now = context_.loop.clock().wall_now();
  // The calendar may have jumped while nobody looked: no wait is longer than the longest allowed.
  const Duration wait =
      std::clamp<Duration>(at - wall_now, Duration::zero(), limits::kRetryDelayMax);
  push_later({.at = context_.loop.clock().now() + wait, .due = std::move(due)});
}

void DestinationQueue::place(Due due) {
  const Decision decision = decide(due);
  switch (decision.verdict) {
    case Verdict::send:
      if (pace_.is_paused()) due.forget_event();  // It waits for long.
      ready_.push(std::move(due));
      return;
    case Verdict::hold:
      due.forget_event();
      EILPOST_PROBE("pipeline.delivery_held");
      held_.push_back(std::move(due));
      return;
    case Verdict::fail:
      fail(due, decision.reason);
      return;
  }
}

DestinationQueue::Decision DestinationQueue::decide(const Due& due) const {
  const Snapshot& snapshot = *context_.snapshot;
  const auto webhook = snapshot.webhooks.find(due.webhook);
  if (webhook == snapshot.webhooks.end()) return {Verdict::fail, FailReason::webhook_deleted};
  const auto destination = snapshot.destinations.find(id_);
  if (destination == snapshot.destinations.end()) {
    return {Verdict::fail, FailReason::destination_deleted};
  }
  if (context_.loop.clock().wall_now() - due.accepted_at > limits::kDeliveryAgeMax) {
    return {Verdict::fail, FailReason::expired};
  }
  const Destination& settings = destination->second->destination;
  const bool is_gone = gone_version_ && settings.version <= *gone_version_;
  const bool is_active = settings.state == DestinationState::active && !is_gone;
  if (!webhook->second->webhook.enabled || !is_active) return {Verdict::hold, FailReason::none};
  return {Verdict::send, FailReason::none};
}

const Destination* DestinationQueue::settings() const {
  const auto found = context_.snapshot->destinations.find(id_);
  return found == context_.snapshot->destinations.end() ? nullptr : &found->second->destination;
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
  adopted_version_ = destination->version;
  pace_.set_rate(rate_of(destination->delivery));
  const presets::Preset* const preset = presets::find(destination->platform);
  pace_.set_complaints(preset == nullptr ? std::vector<std::uint16_t>() : preset->slow_statuses);
  if (is_change) end_pause();
}

bool DestinationQueue::may_start(std::size_t starts) const {
  return !ready_.empty() && starts < kStartsPerTurn &&
         attempts_.size() < pace_.window(concurrency());
}

void DestinationQueue::pump() {
  if (is_pumping_ || context_.is_stopping || ready_.empty()) return;
  if (context_.store.is_behind()) {
    context_.backlog.wait_for_journal();
    return;
  }
  adopt_settings();
  is_pumping_ = true;
  const Instant now = context_.loop.clock().now();
  std::size_t starts = 0;
  while (may_start(starts) && pace_.earliest(now) <= now) {
    Due due = ready_.pop();
    const Decision decision = decide(due);
    if (decision.verdict != Verdict::send) {
      EILPOST_PROBE("pipeline.changed_while_ready");
      place(std::move(due));
      continue;
    }
    ++starts;
    pace_.note_start(now);
    attempts_.spawn(attempt(std::move(due)));
  }
  is_pumping_ = false;
  if (!may_start(0)) return;
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

void DestinationQueue::resume() {
  end_pause();
  pump();
}

void DestinationQueue::set_failing_since(WallTime since) {
  failing_since_ = since;
  is_failing_told_ = true;
}

void DestinationQueue::end_pause() {
  note_well();
  pace_.resume();
  if (paused_since_) pipeline::subtract(context_.counters.destinations_paused);
  paused_since_.reset();
  if (pace_timer_) context_.loop.timers().cancel(*pace_timer_);
  pace_timer_.reset();
}

void DestinationQueue::settings_changed() {
  adopt_settings();
  std::deque<Due> held = std::exchange(held_, {});
  for (Due& due : held) place(std::move(due));
  for (Due& due : ready_.take_all()) place(std::move(due));

  // What waits for its time stays there, unless it will never be sent.
  std::erase_if(later_, [this](const Later& later) {
    const Decision decision = decide(later.due);
    if (decision.verdict != Verdict::fail) return false;
    fail(later.due, decision.reason);
    return true;
  });
  std::ranges::make_heap(later_, LaterFirst{});
  pump();
}

void DestinationQueue::expire() {
  const WallTime oldest = context_.loop.clock().wall_now() -
                          std::chrono::duration_cast<WallTime::duration>(limits::kDeliveryAgeMax);
  const auto is_old = [this, oldest](const Due& due) {
    if (due.accepted_at >= oldest) return false;
    fail(due, FailReason::expired);
    return true;
  };
  std::erase_if(held_, is_old);
  ready_.erase_if(is_old);
  if (std::erase_if(later_, [&](const Later& later) { return is_old(later.due); }) > 0) {
    std::ranges::make_heap(later_, LaterFirst{});
  }
}

void DestinationQueue::fail(const Due& due, FailReason reason) {
  context_.store.record(
      store::Settled{.delivery = due.id, .reason = reason, .at = context_.loop.clock().wall_now()});
  pipeline::add(context_.counters.deliveries_failed);
  context_.counters.owed_times.remove(due.accepted_at);
}

void DestinationQueue::push_later(Later later) {
  later.due.forget_event();
  later_.push_back(std::move(later));
  std::ranges::push_heap(later_, LaterFirst{});
  schedule_wake();
}

void DestinationQueue::schedule_wake() {
  if (later_.empty()) return;
  const Instant earliest = later_.front().at;
  if (wake_at_ && *wake_at_ <= earliest) return;
  if (wake_at_) context_.loop.timers().cancel(wake_timer_);
  wake_at_ = earliest;
  wake_timer_ = context_.loop.timers().call_at(earliest, [this] { wake_later(); });
}

void DestinationQueue::wake_later() {
  wake_at_.reset();
  const Instant now = context_.loop.clock().now();
  while (!later_.empty() && later_.front().at <= now) {
    std::ranges::pop_heap(later_, LaterFirst{});
    Due due = std::move(later_.back().due);
    later_.pop_back();
    place(std::move(due));
  }
  schedule_wake();
  pump();
}

void DestinationQueue::put_back_unread(Due due, ErrorCode code) {
  const bool is_lost = code == ErrorCode::record_gone || code == ErrorCode::journal_corrupt;
  if (is_lost) {
    fail(due, FailReason::damaged);
  } else {  // The disk may answer the next time; no request was made, so it is no attempt.
    push_later({.at = context_.loop.clock().now() + kReadRetry, .due = std::move(due)});
  }
}

// No coroutine of its own: it would cost every attempt a frame.
Task<Outcome> DestinationQueue::send(OutboundRequest& request, const LiveDestination& destination) {
  if (destination.destination.authentication.oauth == nullptr) {
    return send_request(context_, sender_, request, destination);
  }
  return send_with_token(context_, sender_, token_keeper(), request, destination);
}

// One try of one delivery: read the event, render, send, decide, write down.
Task<void> DestinationQueue::attempt(Due due) {
  const Instant begun = context_.loop.clock().now();
  if (!due.event) {
    Result<std::shared_ptr<const Event>> event =
        co_await env::callback<Result<std::shared_ptr<const Event>>>(
            [this, id = due.id](auto done) {
              context_.store.read_event(id, context_.loop, std::move(done));
            });
    if (!event) {
      put_back_unread(std::move(due), event.error().code);
      pace_.note_abandoned(begun);
      co_return;
    }
    due.event = std::move(*event);
    EILPOST_PROBE("pipeline.event_read_back");
  }
  // The settings may have changed while the event was read.
  const Decision decision = decide(due);
  if (decision.verdict != Verdict::send) {
    EILPOST_PROBE("pipeline.changed_while_read");
    pace_.note_abandoned(begun);
    place(std::move(due));
    co_return;
  }
  const std::shared_ptr<const LiveWebhook> webhook = context_.snapshot->webhooks.at(due.webhook);
  const std::shared_ptr<const LiveDestination> destination =
      context_.snapshot->destinations.at(id_);

  pipeline::add(context_.counters.attempts);
  pipeline::add(context_.counters.attempts_in_flight);
  const Instant started = context_.loop.clock().now();
  const WallTime started_at = context_.loop.clock().wall_now();
  const std::string id_text =
      due.event->webhook_id.empty() ? to_string(due.id) : due.event->webhook_id;
  std::expected<OutboundRequest, render::RenderError> request =
      render::render({.webhook = *webhook->compiled,
                      .destination = *destination->compiled,
                      .document = due.event->document,
                      .delivery_id = id_text,
                      .attempt_at = started_at,
                      .parsed = due.parsed.get()},
                     *context_.scratch);
  due.parsed.reset();
  const std::string notes = render::notes_of(*context_.scratch);
  Outcome outcome;
  if (request) {
    outcome = co_await send(*request, *destination);
  } else {
    outcome = {.kind = OutcomeKind::render, .detail = request.error().detail};
    if (request.error().is_final) outcome.final_reason = FailReason::rejected;
  }
  if (outcome.detail.empty()) outcome.detail = notes;
  ++due.attempts_count;
  const WallTime ended_at = context_.loop.clock().wall_now();
  const Next next = retry::decide(
      outcome, destination->destination.delivery.retry,
      {.attempts_count = due.attempts_count, .ended_at = ended_at, .accepted_at = due.accepted_at},
      context_.random);
  Attempt attempt =
      record::make_attempt({.delivery = due.id,
                            .number = due.attempts_count,
                            .ended_at = ended_at,
                            .duration = context_.loop.clock().now() - started,
                            .webhook_version = webhook->webhook.version,
                            .destination_version = destination->destination.version,
                            .body = request ? std::string_view(request->body) : std::string_view()},
                           std::move(outcome), next);
  pipeline::subtract(context_.counters.attempts_in_flight);
  finish(std::move(due), std::move(attempt), begun);
}

void DestinationQueue::note_end(const Attempt& attempt, Instant begun) {
  const Instant now = context_.loop.clock().now();
  const retry::Breaker::Change change = pace_.note_end(attempt.outcome, concurrency(), begun, now);
  switch (retry::verdict_of(attempt.outcome)) {
    case retry::Verdict::well:
      note_well();
      break;
    case retry::Verdict::ill:
      note_failure(attempt);
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
      context_.observer.destination_paused(id_, attempt.outcome.detail);
      return;
    case retry::Breaker::Change::recovered:
      note_well();
      paused_since_.reset();
      pipeline::subtract(context_.counters.destinations_paused);
      context_.observer.destination_recovered(id_);
      return;
  }
}

void DestinationQueue::note_failure(const Attempt& attempt) {
  if (!failing_since_) failing_since_ = attempt.started_at;
  if (context_.loop.clock().wall_now() - *failing_since_ < limits::kDestinationFailingMax) return;
  const std::uint32_t version = attempt.destination_version;
  if (gone_version_ && *gone_version_ >= version) return;
  EILPOST_PROBE("pipeline.destination_failed_too_long");
  gone_version_ = version;
  context_.observer.destination_failed_too_long(id_, version);
}

void DestinationQueue::note_well() {
  failing_since_.reset();
  if (std::exchange(is_failing_told_, false)) {
    context_.observer.destination_failing(id_, std::nullopt);
  }
}

void DestinationQueue::finish(Due due, Attempt attempt, Instant begun) {
  const Next next = attempt.next;
  const std::uint32_t version = attempt.destination_version;
  if (attempt.outcome.success) {
    last_success_at_ = attempt.started_at;
    pipeline::add(context_.counters.attempts_succeeded);
  } else {
    last_failure_at_ = attempt.started_at;
    last_error_ = attempt.outcome.detail;
  }
  count_attempt(context_.counters.figures, attempt.outcome, attempt.duration);
  note_end(attempt, begun);
  context_.store.record(std::move(attempt));
  if (next.state == DeliveryState::retrying) {
    add_later(std::move(due), next.retry_at);
  } else {
    context_.counters.owed_times.remove(due.accepted_at);
    pipeline::add(next.state == DeliveryState::delivered ? context_.counters.deliveries_delivered
                                                         : context_.counters.deliveries_failed);
  }
  if (next.disable_destination) {
    EILPOST_PROBE("pipeline.destination_gone");
    gone_version_ = std::max(gone_version_.value_or(0), version);
    context_.observer.destination_gone(id_, version);
  }
}

void DestinationQueue::on_attempt_ended() {
  if (context_.is_stopping) {
    context_.on_attempt_ended_while_stopping();
  } else {
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
  DestinationStatus status{.waiting = ready_.size(),
                           .retrying = later_.size(),
                           .held = held_.size(),
                           .in_flight = attempts_.size(),
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

Task<Outcome> send_request(LaneContext& context, deliver::Sender& sender,
                           const OutboundRequest& request, const LiveDestination& live) {
  const Destination& destination = live.destination;
  if (!live.tls_problem.empty()) {
    co_return Outcome{.kind = OutcomeKind::tls, .detail = live.tls_problem};
  }
  if (destination.platform != "inbox") {
    if (destination.success.is_plain() && destination.final_statuses.empty()) {
      co_return co_await sender.send(request, destination.request.timeout, live.tls_context);
    }
    const auto use =
        destination.success.reads_body() ? deliver::AnswerUse::rule : deliver::AnswerUse::log;
    Outcome outcome =
        co_await sender.send(request, destination.request.timeout, live.tls_context, use);
    deliver::judge(destination.success, destination.final_statuses, outcome);
    if (outcome.answer.size() > limits::kAnswerBytesFailure) {
      outcome.answer.resize(truncate_to_bytes(outcome.answer, limits::kAnswerBytesFailure).size());
    }
    co_return outcome;
  }
  const InboxAnswer answer =
      context.inbox.put(destination.inbox_token, {.received_at = context.loop.clock().wall_now(),
                                                  .method = std::string(to_string(request.method)),
                                                  .target = request.url,
                                                  .headers = request.headers,
                                                  .body = request.body});
  const bool is_success = answer.status / 100 == 2;
  Outcome outcome{
      .kind = OutcomeKind::answered,
      .status = answer.status,
      .success = is_success,
      .request_sent = true,
      .detail = is_success ? "" : "The inbox was told to answer " + std::to_string(answer.status),
      .answer = answer.body,
      .answer_content_type = "text/plain"};
  if (!destination.success.is_plain() || !destination.final_statuses.empty()) {
    deliver::judge(destination.success, destination.final_statuses, outcome);
  }
  co_return outcome;
}

}  // namespace eilpost::pipeline
