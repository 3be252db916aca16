#pragma once
// Rows of the log as columns of its tables, and back.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "database/database.h"
#include "history/history.h"
#include "model/delivery.h"
#include "store/store.h"

namespace eilpost::history {

// SQLite's integers have a sign; all 64 bits come back.
[[nodiscard]] constexpr std::int64_t to_column(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
[[nodiscard]] inline std::int64_t to_column(WallTime time) {
  return time.time_since_epoch().count();
}
[[nodiscard]] inline WallTime to_time(std::int64_t column) {
  return WallTime(std::chrono::milliseconds(column));
}
[[nodiscard]] std::optional<WallTime> to_optional_time(const database::Statement& row, int column);

// What attempts change of a delivery.
struct DeliveryProgress {
  std::uint32_t webhook_version = 0;
  DeliveryState state = DeliveryState::pending;
  FailReason reason = FailReason::none;
  std::uint16_t attempts_count = 0;
  std::optional<WallTime> next_attempt_at;
  std::optional<OutcomeKind> last_outcome;
  std::uint16_t last_status = 0;
  std::optional<WallTime> settled_at;

  void apply(const Attempt& attempt);
  void apply(const store::Settled& settled);
};

[[nodiscard]] constexpr bool is_settled(DeliveryState state) {
  return state == DeliveryState::delivered || state == DeliveryState::failed;
}

// Binds kProgressColumns (in this order) from `place` on; reads them from `column` on.
inline constexpr std::string_view kProgressColumns =
    "webhook_version,state,reason,attempts_count,next_attempt_at,last_outcome,last_status,"
    "settled_at";
inline constexpr int kProgressCount = 8;
void bind_progress(database::Statement& statement, int place, const DeliveryProgress& progress);
[[nodiscard]] DeliveryProgress read_progress(const database::Statement& row, int column);

// Binds kAttemptColumns from `place` on; reads them from `column` on.
inline constexpr std::string_view kAttemptColumns =
    "number,started_at,duration_ms,webhook_version,destination_version,body_hash,kind,status,flags,"
    "retry_after_ns,detail,answer,answer_content_type,next_state,retry_at,reason";
inline constexpr int kAttemptCount = 16;
void bind_attempt(database::Statement& statement, int place, const Attempt& attempt);
[[nodiscard]] Attempt read_attempt(const database::Statement& row, int column, DeliveryId delivery);

// Columns of an event as the log shows it, without the document; kEventColumns in a SELECT.
inline constexpr std::string_view kEventColumns =
    "e.sequence,e.id,e.type,e.user,e.environment,e.source,e.time,e.received_at,e.deliveries_count";
inline constexpr int kEventCount = 9;
[[nodiscard]] EventRow read_event(const database::Statement& row);

}  // namespace eilpost::history
