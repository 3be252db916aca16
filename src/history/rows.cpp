#include "history/rows.h"

#include <type_traits>

namespace eilpost::history {
namespace {

constexpr std::int64_t kSuccess = 1;
constexpr std::int64_t kRequestSent = 2;
constexpr std::int64_t kDisableDestination = 4;

void bind_optional(database::Statement& statement, int place, std::optional<WallTime> time) {
  if (time) {
    statement.bind(place, to_column(*time));
  } else {
    statement.bind_null(place);
  }
}

template <class Enum>
std::int64_t number_of(Enum value) {
  return static_cast<std::int64_t>(static_cast<std::underlying_type_t<Enum>>(value));
}

template <class Integer>
Integer read_as(const database::Statement& row, int column) {
  return static_cast<Integer>(row.integer(column));
}

}  // namespace

std::optional<WallTime> to_optional_time(const database::Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return to_time(row.integer(column));
}

void DeliveryProgress::apply(const Attempt& attempt) {
  webhook_version = attempt.webhook_version;
  state = attempt.next.state;
  reason = attempt.next.reason;
  attempts_count = attempt.number;
  last_outcome = attempt.outcome.kind;
  last_status = attempt.outcome.status;
  next_attempt_at.reset();
  settled_at.reset();
  if (is_settled(state)) {
    settled_at = attempt.started_at + attempt.duration;
  } else {
    next_attempt_at = attempt.next.retry_at;
  }
}

void DeliveryProgress::apply(const store::Settled& settled) {
  state = DeliveryState::failed;
  reason = settled.reason;
  next_attempt_at.reset();
  settled_at = settled.at;
}

void bind_progress(database::Statement& statement, int place, const DeliveryProgress& progress) {
  statement.bind(place, std::int64_t{progress.webhook_version})
      .bind(place + 1, number_of(progress.state))
      .bind(place + 2, number_of(progress.reason))
      .bind(place + 3, std::int64_t{progress.attempts_count});
  bind_optional(statement, place + 4, progress.next_attempt_at);
  if (progress.last_outcome) {
    statement.bind(place + 5, number_of(*progress.last_outcome));
  } else {
    statement.bind_null(place + 5);
  }
  statement.bind(place + 6, std::int64_t{progress.last_status});
  bind_optional(statement, place + 7, progress.settled_at);
}

DeliveryProgress read_progress(const database::Statement& row, int column) {
  DeliveryProgress progress;
  progress.webhook_version = read_as<std::uint32_t>(row, column);
  progress.state = read_as<DeliveryState>(row, column + 1);
  progress.reason = read_as<FailReason>(row, column + 2);
  progress.attempts_count = read_as<std::uint16_t>(row, column + 3);
  progress.next_attempt_at = to_optional_time(row, column + 4);
  if (!row.is_null(column + 5)) progress.last_outcome = read_as<OutcomeKind>(row, column + 5);
  progress.last_status = read_as<std::uint16_t>(row, column + 6);
  progress.settled_at = to_optional_time(row, column + 7);
  return progress;
}

void bind_attempt(database::Statement& statement, int place, const Attempt& attempt) {
  const Outcome& outcome = attempt.outcome;
  const std::int64_t flags = (outcome.success ? kSuccess : 0) |
                             (outcome.request_sent ? kRequestSent : 0) |
                             (attempt.next.disable_destination ? kDisableDestination : 0);
  statement.bind(place, std::int64_t{attempt.number})
      .bind(place + 1, to_column(attempt.started_at))
      .bind(place + 2, std::int64_t{attempt.duration.count()})
      .bind(place + 3, std::int64_t{attempt.webhook_version})
      .bind(place + 4, std::int64_t{attempt.destination_version})
      .bind(place + 5, to_column(attempt.body_hash))
      .bind(place + 6, number_of(outcome.kind))
      .bind(place + 7, std::int64_t{outcome.status})
      .bind(place + 8, flags);
  if (outcome.retry_after) {
    statement.bind(place + 9, std::int64_t{outcome.retry_after->count()});
  } else {
    statement.bind_null(place + 9);
  }
  statement.bind(place + 10, outcome.detail)
      .bind(place + 11, outcome.answer)
      .bind(place + 12, outcome.answer_content_type)
      .bind(place + 13, number_of(attempt.next.state));
  const bool is_retried = !is_settled(attempt.next.state);
  bind_optional(statement, place + 14,
                is_retried ? std::optional(attempt.next.retry_at) : std::nullopt);
  statement.bind(place + 15, number_of(attempt.next.reason));
}

Attempt read_attempt(const database::Statement& row, int column, DeliveryId delivery) {
  Attempt attempt;
  attempt.delivery = delivery;
  attempt.number = read_as<std::uint16_t>(row, column);
  attempt.started_at = to_time(row.integer(column + 1));
  attempt.duration = std::chrono::milliseconds(row.integer(column + 2));
  attempt.webhook_version = read_as<std::uint32_t>(row, column + 3);
  attempt.destination_version = read_as<std::uint32_t>(row, column + 4);
  attempt.body_hash = read_as<std::uint64_t>(row, column + 5);
  attempt.outcome.kind = read_as<OutcomeKind>(row, column + 6);
  attempt.outcome.status = read_as<std::uint16_t>(row, column + 7);
  const std::int64_t flags = row.integer(column + 8);
  attempt.outcome.success = (flags & kSuccess) != 0;
  attempt.outcome.request_sent = (flags & kRequestSent) != 0;
  attempt.next.disable_destination = (flags & kDisableDestination) != 0;
  if (!row.is_null(column + 9)) attempt.outcome.retry_after = Duration(row.integer(column + 9));
  attempt.outcome.detail = row.text(column + 10);
  attempt.outcome.answer = row.text(column + 11);
  attempt.outcome.answer_content_type = row.text(column + 12);
  attempt.next.state = read_as<DeliveryState>(row, column + 13);
  attempt.next.retry_at = to_optional_time(row, column + 14).value_or(WallTime{});
  attempt.next.reason = read_as<FailReason>(row, column + 15);
  return attempt;
}

EventRow read_event(const database::Statement& row) {
  return {.sequence = {.value = read_as<std::uint64_t>(row, 0)},
          .id = std::string(row.text(1)),
          .type = std::string(row.text(2)),
          .user = std::string(row.text(3)),
          .environment = read_as<EnvironmentId>(row, 4),
          .source = read_as<SourceId>(row, 5),
          .time = to_time(row.integer(6)),
          .received_at = to_time(row.integer(7)),
          .deliveries_count = read_as<std::uint16_t>(row, 8),
          .document = {}};
}

}  // namespace eilpost::history
