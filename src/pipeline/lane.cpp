#include "pipeline/lane.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "env/callback.h"
#include "env/timers.h"
#include "ingest/operations_event.h"
#include "model/limits.h"
#include "pipeline/exchange.h"
#include "pipeline/token_send.h"

namespace eilpost::pipeline {
namespace {

constexpr Duration kExpireEvery = std::chrono::hours(1);
constexpr Duration kJournalRetry = std::chrono::seconds(1);
constexpr Duration kNoticeRetry = std::chrono::seconds(5);

ingest::Refusal refusal_of(store::AcceptStatus status) {
  if (status == store::AcceptStatus::too_large) {
    return {.status = 413,
            .code = "request_too_large",
            .detail =
                "With what its events owe, the request is more than the journal takes at "
                "once; nothing of it was taken. Send fewer events a request."};
  }
  return {.status = 503,
          .code = "disk_full",
          .detail =
              "No space is left for events; nothing of this request was taken. Send it again "
              "later with the same ids.",
          .retry_after = std::chrono::seconds(5)};
}

}  // namespace

Pipeline::Lane::Lane(Pipeline& pipeline, env::Loop& loop, const Parts& parts,
                     const Options& options)
    : pipeline_(pipeline),
      options_(options),
      context_{.loop = loop,
               .store = parts.store,
               .inbox = parts.inbox,
               .observer = parts.observer,
               .token_store = parts.token_store,
               .address_rules = options.address_rules,
               .proxy = options.proxy ? &*options.proxy : nullptr,
               .tls_context = nullptr,
               .scratch = render::make_scratch(),
               .spare_requests = {},
               .random = Random(options.seed),
               .backlog = *this,
               .notices = *this,
               .snapshot = nullptr,
               .counters = {},
               .fresh_bytes = {.max = options.fresh_bytes_max},
               .on_attempt_ended_while_stopping = {}},
      ingest_(options.ingest, options.seed) {
  auto tls_context = loop.network().make_tls_context(tls_options_of({}));
  EILPOST_ASSERT(tls_context.has_value());  // Of the system's trust: nothing in it can be wrong.
  context_.tls_context = std::move(*tls_context);
  expire_timer_ =
      loop.timers().call_at(loop.clock().now() + kExpireEvery, [this] { expire_all(); });
}

Pipeline::Lane::~Lane() {
  context_.loop.timers().cancel(expire_timer_);
  if (journal_timer_) context_.loop.timers().cancel(*journal_timer_);
}

// ---- An event's way, first half: bytes → checked events → what they owe → durable → the answer.

Task<void> Pipeline::Lane::post_events(const http::Request& request, const env::Endpoint& client,
                                       http::Responder& responder) {
  const std::shared_ptr<const Snapshot> snapshot = context_.snapshot;
  http::Response response;
  if (request.method == http::Method::options) {
    response = ingest_.preflight(request, *snapshot->sources);
  } else {
    http::Headers cors = ingest_.cors_headers(request, *snapshot->sources);
    response = co_await answer_events(request, client);
    if (response.status >= 400) count_refusal(context_.counters.figures, response.status);
    std::ranges::move(cors, std::back_inserter(response.headers));
  }
  (void)co_await responder.respond(std::move(response));
}

Task<http::Response> Pipeline::Lane::answer_events(const http::Request& request,
                                                   const env::Endpoint& client) {
  LaneCounters& counters = context_.counters;
  if (const auto refusal = refuse_when_overloaded()) {
    co_return ingest::refusal_response(*refusal);
  }
  const ingest::Now now{.instant = context_.loop.clock().now(),
                        .wall = context_.loop.clock().wall_now()};
  std::expected<ingest::Taken, ingest::Refusal> taken =
      ingest_.take(request, client, *context_.snapshot->sources, *context_.snapshot->catalog, now);
  if (!taken) {
    co_return ingest::refusal_response(taken.error());
  }
  pipeline::add(counters.events_rejected, taken->rejected.size());
  if (taken->events.empty()) co_return ingest::accepted_response(0, 0, taken->rejected);

  Batch batch = match_all(std::move(taken->events));
  const store::Accepted accepted = co_await make_durable(std::move(batch));
  if (accepted.status != store::AcceptStatus::durable) {
    co_return ingest::refusal_response(refusal_of(accepted.status));
  }
  const auto repeats = static_cast<std::size_t>(std::ranges::count_if(
      accepted.sequences, [](const std::optional<Position>& sequence) { return !sequence; }));
  const std::size_t count = accepted.sequences.size() - repeats;
  co_return ingest::accepted_response(count, repeats, taken->rejected);
}

http::Response Pipeline::Lane::refuse_events(const http::Request& request,
                                             const http::Refused& refused) {
  count_refusal(context_.counters.figures, refused.status);
  http::Response response = ingest::refusal_response({.status = refused.status,
                                                      .code = std::string(refused.code),
                                                      .detail = std::string(refused.detail)});
  std::ranges::move(ingest_.cors_headers(request, *context_.snapshot->sources),
                    std::back_inserter(response.headers));
  return response;
}

Pipeline::Batch Pipeline::Lane::match_all(std::vector<Event> events) {
  Batch batch;
  batch.accepts.reserve(events.size());
  batch.parsed.reserve(events.size());
  for (Event& event : events) {
    store::Accept accept;
    ParsedEvents::Parsed parsed = parsed_events_.parse(event.document);
    context_.snapshot->matcher->match(event.environment, event.type, parsed.document,
                                      match_scratch_, accept.owed);
    accept.event = std::make_shared<const Event>(std::move(event));
    batch.accepts.push_back(std::move(accept));
    batch.parsed.push_back(std::move(parsed.kept));
  }
  return batch;
}

// The deliveries go their way as soon as the batch is durable, even if the client has gone by then.
Task<store::Accepted> Pipeline::Lane::make_durable(Batch batch) {
  co_return co_await env::callback<store::Accepted>([this, &batch](auto done) {
    // The callback owns what the store reads.
    const std::span<const store::Accept> accepts = batch.accepts;
    context_.store.accept(
        accepts, context_.loop,
        [this, kept = std::move(batch), done = std::move(done)](store::Accepted accepted) mutable {
          pipeline_.hand_over(*this, std::move(kept), accepted);
          done(std::move(accepted));
        });
  });
}

std::optional<ingest::Refusal> Pipeline::Lane::refuse_when_overloaded() const {
  if (start_age() > limits::kRunnableAgeRefuse) {
    return ingest::Refusal{.status = 429,
                           .code = "overloaded",
                           .detail =
                               "Deliveries wait too long to be started; nothing of this "
                               "request was taken. Send it again later with the same ids.",
                           .retry_after = std::chrono::seconds(1)};
  }
  if (context_.store.unsettled_count() >= options_.deliveries_unsettled_max) {
    EILPOST_PROBE("pipeline.event_refused_backlog");
    return ingest::Refusal{.status = 429,
                           .code = "backlog_full",
                           .detail =
                               "Too many deliveries are owed; nothing of this request was "
                               "taken. Send it again later with the same ids.",
                           .retry_after = std::chrono::seconds(5)};
  }
  if (options_.is_disk_used_up()) {
    return ingest::Refusal{.status = 429,
                           .code = "disk_bound_reached",
                           .detail =
                               "What is owed and logged takes as much of the disk as it may; "
                               "nothing of this request was taken. Send it again later with the "
                               "same ids.",
                           .retry_after = std::chrono::seconds(5)};
  }
  return std::nullopt;
}

// ---- Second half, on the home lane of each destination: render → send → decide → record.

void Pipeline::Lane::take_over(std::vector<HandedOver> deliveries) {
  DestinationQueue* last = nullptr;
  DestinationId last_id{};
  for (HandedOver& delivery : deliveries) {
    if (last == nullptr || delivery.destination != last_id) {
      if (last != nullptr) last->pump();
      last_id = delivery.destination;
      last = &queue_of(last_id);
    }
    context_.counters.owed_times.add(delivery.due.accepted_at);
    last->add(std::move(delivery.due));
  }
  if (last != nullptr) last->pump();
}

void Pipeline::Lane::take_unsettled(const store::Unsettled& unsettled) {
  Due due{.id = unsettled.delivery,
          .webhook = unsettled.owed.webhook,
          .accepted_at = unsettled.accepted_at,
          .attempts_count = unsettled.attempts_count,
          .splits_count = unsettled.splits_count,
          .user = unsettled.user_hash};
  context_.counters.owed_times.add(due.accepted_at);
  DestinationQueue& queue = queue_of(unsettled.owed.destination);
  if (unsettled.batch.is_there()) {
    queue.claim_line(due);
    OwedBatch& batch = owed_batches_[unsettled.batch.formed_at];
    batch.destination = unsettled.owed.destination;
    batch.members_count = unsettled.batch.members_count;
    batch.members.emplace_back(std::move(due), unsettled.next_attempt_at);
  } else {
    take_owed(queue, std::move(due), unsettled.next_attempt_at);
  }
}

void Pipeline::Lane::take_owed(DestinationQueue& queue, Due due, WallTime next_attempt_at) const {
  if (next_attempt_at > context_.loop.clock().wall_now()) {
    queue.claim_line(due);
    queue.add_later(std::move(due), next_attempt_at);
  } else {
    queue.add_owed(std::move(due));
  }
}

// A batch of which one is settled is none any more.
void Pipeline::Lane::all_unsettled_taken() {
  for (auto& [formed_at, batch] : std::exchange(owed_batches_, {})) {
    DestinationQueue& queue = queue_of(batch.destination);
    if (batch.members.size() != batch.members_count) {
      for (auto& [due, at] : batch.members) {
        due.was_in_batch = true;
        take_owed(queue, std::move(due), at);
      }
      continue;
    }
    EILPOST_PROBE("pipeline.batch_sent_again_after_restart");
    std::vector<Due> members;
    WallTime latest;
    for (auto& [due, at] : batch.members) {
      latest = std::max(latest, at);
      members.push_back(std::move(due));
    }
    queue.add_batch(std::move(members), latest);
  }
}

DestinationQueue& Pipeline::Lane::queue_of(DestinationId destination) {
  std::unique_ptr<DestinationQueue>& queue = queues_[destination];
  if (!queue) queue = std::make_unique<DestinationQueue>(context_, destination);
  return *queue;
}

void Pipeline::Lane::resume(DestinationId destination) {
  const auto found = queues_.find(destination);
  if (found != queues_.end()) found->second->resume();
}

void Pipeline::Lane::set_failing_since(DestinationId destination, WallTime since) {
  queue_of(destination).set_failing_since(since);
}

void Pipeline::Lane::pump_all() {
  for (auto& [id, queue] : queues_) queue->pump();
}

void Pipeline::Lane::set_snapshot(std::shared_ptr<const Snapshot> snapshot) {
  const bool is_first = context_.snapshot == nullptr;
  // Two changes at once may be published in either order; the newer one stays.
  if (!is_first && snapshot->revision < context_.snapshot->revision) return;
  context_.snapshot = std::move(snapshot);
  if (is_first) return;
  for (auto& [id, queue] : queues_) queue->settings_changed();
}

Task<TestResult> Pipeline::Lane::send_test(const TestSend& test) {
  TestResult result;
  const Instant started = context_.loop.clock().now();
  std::expected<OutboundRequest, render::RenderError> request =
      render::render({.webhook = *test.webhook->compiled,
                      .destination = *test.destination->compiled,
                      .document = test.document,
                      .delivery_id = test.delivery_id,
                      .attempt_at = context_.loop.clock().wall_now(),
                      .is_test = true},
                     *context_.scratch);
  if (!request) {
    result.outcome = {.kind = OutcomeKind::render, .detail = request.error().detail};
    co_return result;
  }
  result.request = std::move(*request);
  const std::string notes = render::notes_of(*context_.scratch);
  deliver::Sender sender(context_.loop, context_.address_rules, context_.tls_context,
                         context_.proxy);
  const LiveDestination& destination = *test.destination;
  if (destination.destination.authentication.oauth == nullptr) {
    result.outcome = co_await send_request(context_, sender, *result.request, destination);
  } else {
    result.outcome = co_await send_test_with_token(sender, *result.request, destination);
  }
  judge(destination.destination, result.outcome);
  if (result.outcome.detail.empty()) result.outcome.detail = notes;
  result.duration = context_.loop.clock().now() - started;
  co_return result;
}

// A draft with settings of its own gets a token of its own, but never at the cost of the saved
// destination's: a refresh token may be good for one use.
Task<Outcome> Pipeline::Lane::send_test_with_token(deliver::Sender& sender,
                                                   OutboundRequest& request,
                                                   const LiveDestination& destination) {
  const DestinationId id = destination.destination.id;
  const OAuth& oauth = *destination.destination.authentication.oauth;
  const auto saved = context_.snapshot->destinations.find(id);
  const OAuth* saved_oauth = saved == context_.snapshot->destinations.end()
                                 ? nullptr
                                 : saved->second->destination.authentication.oauth.get();
  if (saved_oauth != nullptr && *saved_oauth == oauth) {
    deliver::TokenKeeper& keeper = queue_of(id).token_keeper();
    co_return co_await send_with_token(context_, sender, keeper, request, destination);
  }
  if (oauth.grant != OAuthGrant::client_credentials) {
    co_return Outcome{.kind = OutcomeKind::token,
                      .detail =
                          "Save the destination first: a test of other settings than the "
                          "saved ones could use up its refresh token."};
  }
  deliver::TokenKeeper::Parts parts = token_parts(context_);
  parts.store = nullptr;
  deliver::TokenKeeper keeper(parts, id);
  co_return co_await send_with_token(context_, sender, keeper, request, destination);
}

void Pipeline::Lane::begin_test(TestSend test, env::Loop& back,
                                std::move_only_function<void(TestResult)> done) {
  asked_for_.spawn(run_test(std::move(test), back, std::move(done)));
}

Task<void> Pipeline::Lane::run_test(TestSend test, env::Loop& back,
                                    std::move_only_function<void(TestResult)> done) {
  TestResult result = co_await send_test(test);
  back.post(
      [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

void Pipeline::Lane::begin_connecting(
    DestinationId destination, oauth::Proof proof, env::Loop& back,
    std::move_only_function<void(std::optional<std::string>)> done) {
  asked_for_.spawn(run_connecting(destination, std::move(proof), back, std::move(done)));
}

Task<void> Pipeline::Lane::run_connecting(
    DestinationId destination, oauth::Proof proof, env::Loop& back,
    std::move_only_function<void(std::optional<std::string>)> done) {
  std::optional<std::string> failure =
      "The destination was deleted meanwhile, or has another authentication.";
  const auto found = context_.snapshot->destinations.find(destination);
  if (found != context_.snapshot->destinations.end()) {
    const std::shared_ptr<const LiveDestination> live = found->second;
    const OAuth* oauth = live->destination.authentication.oauth.get();
    if (oauth != nullptr && oauth->grant == OAuthGrant::authorization_code) {
      deliver::TokenKeeper& keeper = queue_of(destination).token_keeper();
      use_newest(keeper, *live);
      failure = co_await keeper.exchange(std::move(proof));
    }
  }
  back.post([done = std::move(done), failure = std::move(failure)]() mutable {
    done(std::move(failure));
  });
}

// ---- Notices: events that begin here.

void Pipeline::Lane::raise(Notice notice) {
  if (context_.is_stopping || notices_waiting_ >= limits::kNoticesWaitingMax) return;
  asked_for_.spawn(run_notice(std::move(notice)));
}

Task<void> Pipeline::Lane::run_notice(Notice notice) {
  ++notices_waiting_;
  std::vector<Event> events;
  events.push_back(ingest::operations_event(notice, *context_.snapshot->catalog,
                                            context_.loop.clock().wall_now(),
                                            context_.random.next()));
  Batch batch = match_all(std::move(events));
  std::erase_if(batch.accepts.front().owed,
                [&](const Owed& owed) { return owed.destination == notice.about; });
  while (!context_.is_stopping) {
    const store::Accepted accepted = co_await make_durable(batch);
    if (accepted.status != store::AcceptStatus::full) break;
    EILPOST_PROBE("pipeline.notice_waits_for_space");
    co_await env::wait_until(context_.loop.timers(), context_.loop.clock().now() + kNoticeRetry);
  }
  --notices_waiting_;
}

// ---- Pressure: what could start but had no turn yet.

void Pipeline::Lane::push(DestinationQueue& queue, Instant since) {
  const auto is_there = [&](const Backlogged& entry) { return entry.queue == &queue; };
  if (std::ranges::none_of(backlogged_, is_there)) {
    backlogged_.push_back({.queue = &queue, .since = since});
  }
  if (is_pump_posted_) return;
  is_pump_posted_ = true;
  context_.loop.post([this] { pump_backlog(); });
}

void Pipeline::Lane::pump_backlog() {
  is_pump_posted_ = false;
  watch_pressure();
  std::deque<Backlogged> waiting = std::exchange(backlogged_, {});
  for (const Backlogged& entry : waiting) entry.queue->pump();
  watch_pressure();
}

void Pipeline::Lane::wait_for_journal() {
  if (journal_timer_) return;
  journal_timer_ =
      context_.loop.timers().call_at(context_.loop.clock().now() + kJournalRetry, [this] {
        journal_timer_.reset();
        pump_all();
      });
}

Duration Pipeline::Lane::start_age() const {
  if (backlogged_.empty()) return Duration::zero();
  return context_.loop.clock().now() - backlogged_.front().since;
}

void Pipeline::Lane::watch_pressure() {
  const bool should_pause = start_age() > limits::kRunnableAgePause;
  if (should_pause == is_paused_) return;
  is_paused_ = should_pause;
  if (pressure_changed_) pressure_changed_(is_paused_);
}

void Pipeline::Lane::expire_all() {
  for (auto& [id, queue] : queues_) queue->expire();
  expire_timer_ = context_.loop.timers().call_at(context_.loop.clock().now() + kExpireEvery,
                                                 [this] { expire_all(); });
}

// ---- The end.

std::size_t Pipeline::Lane::in_flight() const {
  std::size_t count = 0;
  for (const auto& [id, queue] : queues_) count += queue->in_flight();
  return count;
}

void Pipeline::Lane::stop(std::function<void()> done) {
  context_.is_stopping = true;
  if (in_flight() == 0) {
    done();
    return;
  }
  stopped_ = std::move(done);
  EILPOST_PROBE("pipeline.stop_waits_for_attempts");
  context_.on_attempt_ended_while_stopping = [this] {
    if (stopped_ && in_flight() == 0) std::exchange(stopped_, nullptr)();
  };
}

DestinationStatus Pipeline::Lane::status(DestinationId destination) const {
  const auto found = queues_.find(destination);
  return found == queues_.end() ? DestinationStatus{} : found->second->status();
}

}  // namespace eilpost::pipeline
