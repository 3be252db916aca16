// Batches of a DestinationQueue: several deliveries in one request (docs/BATCHES.md).

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <iterator>
#include <span>
#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "base/probe.h"
#include "base/utf8.h"
#include "deliver/judge.h"
#include "env/callback.h"
#include "model/catalog.h"
#include "model/limits.h"
#include "pipeline/destination_queue.h"
#include "pipeline/exchange.h"
#include "record/attempt_record.h"
#include "render/batch.h"
#include "render/renderer.h"
#include "retry/policy.h"

namespace eilpost::pipeline {
namespace {

// Other work of the lane has a turn after so many events were rendered.
constexpr std::size_t kRendersPerTurn = 64;
// What the content causes, and what a smaller batch may mend.
constexpr std::array<std::uint16_t, 3> kSplitStatuses = {400, 413, 422};
constexpr std::uint16_t kStatusTooLarge = 413;
constexpr std::uint16_t kFirstErrorStatus = 400;
constexpr std::size_t kShownBytesMax = 200;  // of what an answer says

// Equal deliveries in equal order have equal ids.
Hash128 batch_id_of(std::span<const DeliveryId> members) {
  Hash128 id{.low = 1, .high = 2};
  for (const DeliveryId member : members) {
    for (const std::uint64_t word : {member.sequence.value, std::uint64_t{member.ordinal}}) {
      id.low = combine_hashes(id.low, word);
      id.high = combine_hashes(id.high ^ id.low, word);
    }
  }
  return id;
}

std::size_t bytes_of(const OutboundRequest& request) {
  std::size_t bytes = request.url.size() + request.body.size();
  for (const OutboundHeader& header : request.headers) {
    bytes += header.name.size() + header.value.size();
  }
  return bytes;
}

bool is_split_status(std::uint16_t status) {
  return std::ranges::find(kSplitStatuses, status) != kSplitStatuses.end();
}

}  // namespace

struct DestinationQueue::Member {
  Due due;
  std::shared_ptr<const LiveWebhook> webhook;
  std::string notes;
  // Of its event, which is not kept.
  std::string webhook_id;
  bool is_notice = false;
};

struct DestinationQueue::Group {
  std::vector<Member> members;
  std::vector<render::BatchPart> parts;  // of the members
  std::size_t body_bytes = 0;            // of the request
  std::size_t kept_bytes = 0;            // of the parts
  bool is_alone = false;                 // its body cannot come together with others
  bool is_known = false;                 // to the journal
  // Of the request made.
  AttemptBatch batch;
  std::uint64_t body_hash = 0;
  WallTime started_at;
  Instant started{};
  Sent sent;
  WallTime ended_at;

  [[nodiscard]] std::vector<DeliveryId> ids() const {
    std::vector<DeliveryId> ids;
    ids.reserve(members.size());
    for (const Member& member : members) ids.push_back(member.due.id);
    return ids;
  }
};

struct DestinationQueue::BatchRun {
  std::shared_ptr<const LiveDestination> destination;
  std::deque<Group> groups;       // not sent yet
  std::uint64_t taken_count = 0;  // of groups
  // By kind its newest group, numbered from the first of all on.
  std::unordered_map<std::uint64_t, std::uint64_t> newest;
  std::size_t bytes = 0;        // of the groups' parts
  std::size_t known_count = 0;  // so many together are known to the journal as this batch
  Instant begun{};
  bool has_sent = false;

  [[nodiscard]] std::size_t bytes_max() const {
    return destination->destination.delivery.batch.bytes_max.value_or(limits::kBatchBytesDefault);
  }
  [[nodiscard]] Group take_first() {
    Group group = std::move(groups.front());
    groups.pop_front();
    ++taken_count;
    bytes -= group.kept_bytes;
    return group;
  }
  // The group for a part: one with room for it, or a new one.
  [[nodiscard]] Group& group_for(const render::CompiledBatch& batch,
                                 const render::BatchPart& part) {
    const std::uint64_t kind = render::kind_of(part);
    const auto found = newest.find(kind);
    if (found != newest.end() && found->second >= taken_count) {
      Group& group = groups[found->second - taken_count];
      const std::size_t bytes_after = group.body_bytes + 1 + part.content().size();
      if (bytes_after <= bytes_max() && render::fit_together(group.parts.front(), part)) {
        group.body_bytes = bytes_after;
        return group;
      }
    }
    newest[kind] = taken_count + groups.size();
    Group& group = groups.emplace_back();
    group.body_bytes = render::bytes_alone(batch, part);
    return group;
  }
};

// Also one that goes alone has the form of a batch then, and is known to the journal.
bool DestinationQueue::makes_batches() const {
  const Destination* const destination = settings();
  return destination != nullptr && destination->delivery.batch.events_max > 1 &&
         render::batch_of(*settings_->compiled) != nullptr;
}

// 1: each goes alone.
std::uint32_t DestinationQueue::batch_limit() const {
  return makes_batches() ? batch_size_.limit(settings()->delivery.batch.events_max) : 1;
}

DestinationQueue::Batch DestinationQueue::take_batch() {
  Batch batch;
  if (!ready_batches_.empty()) {
    batch = std::move(ready_batches_.front());
    ready_batches_.pop_front();
    in_batches_ -= batch.members.size();
    return batch;
  }
  const std::uint32_t limit = batch_limit();
  while (!ready_.empty() && batch.members.size() < limit) {
    Due due = ready_.pop();
    if (decide(due).verdict == Verdict::send) {
      batch.members.push_back(std::move(due));
    } else {
      EILPOST_PROBE("pipeline.changed_while_ready");
      place(std::move(due));
    }
  }
  // After a restart they are found in this order.
  std::ranges::sort(batch.members, {}, &Due::id);
  return batch;
}

// What must not be sent any more, or not now, leaves its batch, which is none then; so does what
// must wait for another one of its user.
void DestinationQueue::place_batch(Batch batch) {
  const bool is_whole = std::ranges::all_of(batch.members, [this](const Due& due) {
    return decide(due).verdict == Verdict::send && (!is_per_user() || lines_.claim(due));
  });
  if (is_whole) {  // Also one alone: with others it would be what it was split from.
    for (Due& due : batch.members) due.forget_event();
    in_batches_ += batch.members.size();
    ready_batches_.push_back(std::move(batch));
    return;
  }
  EILPOST_PROBE("pipeline.batch_dissolved");
  for (Due& due : batch.members) place(std::move(due));
}

void DestinationQueue::place_ready_batches() {
  for (Batch& batch : std::exchange(ready_batches_, {})) {
    in_batches_ -= batch.members.size();
    place_batch(std::move(batch));
  }
}

void DestinationQueue::push_later(Instant at, Batch batch) {
  for (Due& due : batch.members) due.forget_event();
  in_batches_ += batch.members.size();
  later_batches_.push(at, std::move(batch));
  schedule_wake();
}

// The settings changed: a batch of which one will never be sent, or lets its user's others go
// before it, is none any more.
void DestinationQueue::dissolve_batches() {
  const auto leaves = [this](const Due& due) {
    return decide(due).verdict == Verdict::fail || (is_per_user() && !is_webhook_enabled(due));
  };
  std::vector<LaterHeap<Batch>::Entry> dissolved;
  later_batches_.erase_if([&](LaterHeap<Batch>::Entry& later) {
    if (std::ranges::none_of(later.value.members, leaves)) return false;
    dissolved.push_back(std::move(later));
    return true;
  });
  for (auto& [at, batch] : dissolved) {
    in_batches_ -= batch.members.size();
    for (Due& due : batch.members) {
      const Decision decision = decide(due);
      if (decision.verdict == Verdict::fail) {
        fail(due, decision.reason);
      } else {
        if (!is_webhook_enabled(due)) leave_line(due);
        push_later(at, std::move(due));
      }
    }
  }
}

void DestinationQueue::claim_line(const Due& due) {
  if (!is_per_user()) return;
  if (due.attempts_count > 0) {
    lines_.claim_again(due);
  } else {
    (void)lines_.claim(due);
  }
}

void DestinationQueue::add_batch(std::vector<Due> members, WallTime at) {
  for (Due& due : members) {
    due.was_in_batch = members.size() > 1;
    if (due.attempts_count > 0) note_failed_of_user(due);
  }
  push_later(instant_of(at), Batch{.members = std::move(members), .is_known = true});
}

// One try of several deliveries: those that can be one request go together; else one request
// follows the other.
Task<void> DestinationQueue::attempt_batch(Batch batch) {
  BatchRun run{.known_count = batch.is_known ? batch.members.size() : 0,
               .begun = context_.loop.clock().now()};
  const auto found = context_.snapshot->destinations.find(id_);
  if (found != context_.snapshot->destinations.end()) run.destination = found->second;
  for (Due& due : batch.members) context_.fresh_bytes.take(due);
  std::size_t count = 0;
  for (Due& due : batch.members) {
    context_.fresh_bytes.give_back(due);
    co_await add_member(run, std::move(due));
    if (++count % kRendersPerTurn != 0) continue;
    (void)co_await env::callback<bool>([this](auto done) {
      context_.loop.post([done = std::move(done)]() mutable { done(true); });
    });
  }
  while (!run.groups.empty()) {
    Group group = run.take_first();
    co_await send_group(run, std::move(group));
  }
  if (!run.has_sent) pace_.note_abandoned(run.begun);
}

Task<void> DestinationQueue::add_member(BatchRun& run, Due due) {
  if (!due.event) {
    const Result<void> read = co_await read_event(due);
    if (!read) {
      --under_way_;
      put_back_unread(std::move(due), read.error().code);
      co_return;
    }
  }
  const bool is_over = run.destination == nullptr ||
                       render::batch_of(*run.destination->compiled) == nullptr ||
                       decide(due).verdict != Verdict::send;
  if (is_over) {
    EILPOST_PROBE("pipeline.changed_while_read");
    put_back(std::move(due));
    co_return;
  }
  if (!add_part(run, std::move(due))) co_return;
  while (run.bytes > run.bytes_max() && run.groups.size() > 1) {
    Group group = run.take_first();
    co_await send_group(run, std::move(group));
  }
}

// Renders it and puts it to those that it can go with. False if it cannot be rendered: then that is
// its attempt.
bool DestinationQueue::add_part(BatchRun& run, Due due) {
  std::shared_ptr<const LiveWebhook> webhook = context_.snapshot->webhooks.at(due.webhook);
  const render::CompiledDestination& destination = *run.destination->compiled;
  auto request = render::render({.webhook = *webhook->compiled,
                                 .destination = destination,
                                 .document = due.event->document,
                                 .delivery_id = webhook_id_of(due),
                                 .attempt_at = context_.loop.clock().wall_now(),
                                 .parsed = due.parsed.get()},
                                *context_.scratch, {.is_unsigned = true});
  Member member{.due = std::move(due),
                .webhook = std::move(webhook),
                .notes = render::notes_of(*context_.scratch)};
  member.webhook_id = member.due.event->webhook_id;
  member.is_notice = is_operational(member.due.event->type);
  member.due.forget_event();
  if (!request) {
    Outcome outcome{.kind = OutcomeKind::render, .detail = request.error().detail};
    if (request.error().is_final) outcome.final_reason = FailReason::rejected;
    end_unrendered(run, std::move(member), std::move(outcome));
    return false;
  }
  const render::CompiledBatch& batch = *render::batch_of(destination);
  const auto shared = render::shared_part(batch, request->body);
  render::BatchPart part{.request = std::move(*request),
                         .shared = shared.value_or(render::Shared{})};
  Group& group = shared ? run.group_for(batch, part) : run.groups.emplace_back();
  group.is_alone = !shared;
  if (!group.parts.empty()) render::keep_content(part);
  const std::size_t bytes = bytes_of(part.request);
  group.kept_bytes += bytes;
  run.bytes += bytes;
  group.members.push_back(std::move(member));
  group.parts.push_back(std::move(part));
  return true;
}

// They go before others, together.
void DestinationQueue::put_back(Group group) {
  Batch batch;
  for (Member& member : group.members) batch.members.push_back(std::move(member.due));
  under_way_ -= batch.members.size();
  place_batch(std::move(batch));
}

// Which deliveries an id stands for must be known after a crash, too: those of a batch, and one
// that goes alone. A receiver tells repeats by it.
Task<void> DestinationQueue::make_known(const BatchRun& run, Group& group) {
  group.is_known = true;
  if (group.members.size() == run.known_count) co_return;
  const bool is_alone = group.members.size() == 1;
  if (!is_alone) EILPOST_PROBE("pipeline.batch_formed");
  for (Member& member : group.members) member.due.was_in_batch = !is_alone;
  co_await record_batch(group.ids());
}

Task<void> DestinationQueue::record_batch(std::vector<DeliveryId> members) {
  context_.store.record(store::Batched{.members = std::move(members)});
  (void)co_await env::callback<bool>([this](auto done) {
    context_.store.flush(context_.loop, [done = std::move(done)]() mutable { done(true); });
  });
}

Task<void> DestinationQueue::send_group(BatchRun& run, Group group) {
  const Instant now = context_.loop.clock().now();
  if (run.has_sent) {  // Each request is held to the destination's pace.
    const bool is_wanted = std::ranges::all_of(group.members, [this](const Member& member) {
      return decide(member.due).verdict == Verdict::send;
    });
    if (!is_wanted || context_.is_stopping || pace_.earliest(now) > now ||
        is_other_order_wanted()) {
      put_back(std::move(group));
      co_return;
    }
    pace_.note_start(now);
    run.begun = now;
  }
  run.has_sent = true;
  const std::size_t count = group.members.size();
  const std::shared_ptr<const LiveDestination> destination = run.destination;
  const Member& first = group.members.front();
  std::string id_text = first.webhook_id.empty() ? to_string(first.due.id) : first.webhook_id;
  if (count > 1) {
    group.batch = {.id = batch_id_of(group.ids()),
                   .deliveries_count = static_cast<std::uint32_t>(count)};
    id_text = batch_id_text(group.batch.id);
  }
  co_await make_known(run, group);
  pipeline::add(context_.counters.attempts, count);
  pipeline::add(context_.counters.attempts_in_flight, count);
  group.started = context_.loop.clock().now();
  group.started_at = context_.loop.clock().wall_now();
  OutboundRequest request = group.parts.front().request;
  if (!group.is_alone) {
    request.body = render::joined_body(*render::batch_of(*destination->compiled), group.parts);
  }
  // Only such a rule looks at them again.
  if (!destination->destination.success.partial) group.parts.clear();
  const auto is_signed = render::sign({.webhook = *group.members.front().webhook->compiled,
                                       .destination = *destination->compiled,
                                       .document = {},
                                       .delivery_id = id_text,
                                       .attempt_at = group.started_at},
                                      *context_.scratch, {}, request);
  Outcome outcome;
  if (is_signed) {
    outcome = co_await send(request, *destination);
  } else {
    outcome = {.kind = OutcomeKind::render, .detail = is_signed.error().detail};
  }
  group.body_hash = hash64(request.body);
  pipeline::subtract(context_.counters.attempts_in_flight, count);
  end_group(run, group, outcome);
}

// What the answer means for each.
void DestinationQueue::end_group(BatchRun& run, Group& group, const Outcome& whole) {
  const Destination& destination = run.destination->destination;
  group.ended_at = context_.loop.clock().wall_now();
  std::vector<deliver::BatchPart> parts;
  parts.reserve(group.parts.size());
  for (const render::BatchPart& part : group.parts) {
    parts.push_back({.content = part.content(), .count = part.shared.count});
  }
  const auto refused = deliver::refused_parts(destination.success, whole, parts);
  Outcome judged = whole;
  judge(destination, judged);
  group.sent = {.version = destination.version,
                .is_notice = std::ranges::all_of(group.members, &Member::is_notice)};
  Outcome of_destination = judged;  // That it refused some shows that it is well.
  of_destination.success = judged.success || (refused && judged.status < kFirstErrorStatus);
  note_end(of_destination, group.sent, run.begun);
  if (refused && refused->unknown_name) {
    judged.detail = fmt::format(
        "The receiver answered {} and names \"{}\" as wrong, which is no event of this batch: so "
        "it is not known which ones it took.",
        judged.status, truncate_to_bytes(*refused->unknown_name, kShownBytesMax));
    split(run, group, judged);
    return;
  }
  const bool is_too_large = whole.status == kStatusTooLarge;
  if (group.members.size() > 1 && !refused && !judged.success &&
      judged.kind == OutcomeKind::answered && is_split_status(judged.status)) {
    if (is_too_large) batch_size_.note_too_large(static_cast<std::uint32_t>(group.members.size()));
    split(run, group, judged);
    return;
  }
  if (judged.success) batch_size_.note_taken(static_cast<std::uint32_t>(group.members.size()));
  const Outcome& first = refused ? whole : judged;
  Outcome others = first;  // The answer is kept once.
  others.answer.clear();
  others.answer_content_type.clear();
  std::vector<Outcome> outcomes;
  outcomes.reserve(group.members.size());
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    Outcome outcome = i == 0 ? first : others;
    if (refused) deliver::judge_part(*destination.success.partial, refused->is_refused[i], outcome);
    if (i > 0 && !outcome.success && !whole.answer.empty()) {
      outcome.detail += fmt::format(" The answer is kept with {}, the first of this batch.",
                                    to_string(group.members.front().due.id));
    }
    if (outcome.detail.empty()) outcome.detail = group.members[i].notes;
    outcomes.push_back(std::move(outcome));
  }
  end_members(run, group, std::move(outcomes));
}

void DestinationQueue::end_members(BatchRun& run, Group& group, std::vector<Outcome> outcomes) {
  const Destination& destination = run.destination->destination;
  const Random same_jitter(context_.random.next());  // so that a batch can stay one
  std::vector<Attempt> attempts;
  attempts.reserve(group.members.size());
  bool stays = group.is_known;  // Also one alone: it goes again by the id it was sent with.
  WallTime retry_at;
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    Due& due = group.members[i].due;
    ++due.attempts_count;
    Random random = same_jitter;
    const Next next = retry::decide(
        outcomes[i], destination.delivery.retry,
        {.attempts_count = static_cast<std::uint16_t>(due.attempts_count - due.splits_count),
         .ended_at = group.ended_at,
         .accepted_at = due.accepted_at},
        random);
    stays = stays && next.state == DeliveryState::retrying;
    retry_at = std::max(retry_at, next.retry_at);
    attempts.push_back(make_attempt(run, group, group.members[i], std::move(outcomes[i]), next));
  }
  for (Attempt& attempt : attempts) {
    if (stays) attempt.next.retry_at = retry_at;
    note_attempt(attempt);
  }
  context_.store.record(std::span<const Attempt>(attempts));
  Batch again{.members = {}, .is_known = true};
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    if (!stays) {
      end_or_retry(std::move(group.members[i].due), attempts[i].next);
      continue;
    }
    --under_way_;
    note_failed_of_user(group.members[i].due);
    again.members.push_back(std::move(group.members[i].due));
  }
  if (stays) push_later(instant_of(retry_at), std::move(again));
  disable_if_gone(attempts.front().next, group.sent);
}

// A smaller batch may be taken, or shows which event is wrong. That is no try that counts.
void DestinationQueue::split(BatchRun& run, Group& group, const Outcome& whole) {
  EILPOST_PROBE("pipeline.batch_split");
  const Next next{.state = DeliveryState::retrying, .retry_at = group.ended_at};
  std::vector<Attempt> attempts;
  std::array<Batch, 2> halves;
  const std::size_t half = (group.members.size() + 1) / 2;
  for (std::size_t i = 0; i < group.members.size(); ++i) {
    Due& due = group.members[i].due;
    ++due.attempts_count;
    ++due.splits_count;
    Outcome outcome{.kind = whole.kind,
                    .status = whole.status,
                    .request_sent = true,
                    .detail = whole.detail + " The batch is sent again in two halves."};
    if (i == 0) outcome.answer = whole.answer;
    attempts.push_back(make_attempt(run, group, group.members[i], std::move(outcome), next));
    attempts.back().is_split = true;
    note_attempt(attempts.back());
    --under_way_;
    halves[i < half ? 0 : 1].members.push_back(std::move(due));
  }
  context_.store.record(std::span<const Attempt>(attempts));
  for (Batch& batch : halves) place_batch(std::move(batch));
}

Attempt DestinationQueue::make_attempt(const BatchRun& run, const Group& group,
                                       const Member& member, Outcome outcome, const Next& next) {
  Attempt attempt =
      record::make_attempt({.delivery = member.due.id,
                            .number = member.due.attempts_count,
                            .ended_at = group.ended_at,
                            .duration = context_.loop.clock().now() - group.started,
                            .webhook_version = member.webhook->webhook.version,
                            .destination_version = run.destination->destination.version,
                            .body_hash = group.body_hash},
                           std::move(outcome), next);
  attempt.batch = group.batch;
  return attempt;
}

// The attempt of a delivery that could not be rendered.
void DestinationQueue::end_unrendered(BatchRun& run, Member member, Outcome outcome) {
  pipeline::add(context_.counters.attempts);
  Group group;
  group.started = context_.loop.clock().now();
  group.started_at = context_.loop.clock().wall_now();
  group.ended_at = group.started_at;
  group.members.push_back(std::move(member));
  std::vector<Outcome> outcomes;
  outcomes.push_back(std::move(outcome));
  end_members(run, group, std::move(outcomes));
}

}  // namespace eilpost::pipeline
