#pragma once
// Deliveries, attempts and what came of them.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/time.h"
#include "model/ids.h"

namespace eilpost {

// What came of one attempt. Everything but `answered` has no status.
enum class OutcomeKind : std::uint8_t {
  answered = 0,  // an HTTP answer came; `status` says which
  dns = 1,
  connect = 2,
  tls = 3,
  timeout = 4,
  reset = 5,      // the connection ended; if `request_sent`, the receiver may have acted on it
  too_large = 6,  // the answer's header, or a body that a rule must read
  blocked_address = 7,
  token = 8,
  render = 9,  // nothing was sent: the request could not be made from this event
};
inline constexpr OutcomeKind kLastOutcomeKind = OutcomeKind::render;

[[nodiscard]] std::string_view to_string(OutcomeKind kind);

// Why a delivery ended failed.
enum class FailReason : std::uint8_t {
  none = 0,
  attempts_used_up = 1,
  final_status = 2,  // answered 410, or a status that the destination calls final
  webhook_deleted = 3,
  destination_deleted = 4,
  backlog_full = 5,
  expired = 6,  // waited longer than 5 days
  erased = 7,
  damaged = 8,   // the disk gave its event back damaged
  rejected = 9,  // the destination refuses this event, or would, whenever it is sent
  record_lost =
      10,  // of the log alone: it ended, perhaps delivered; the disk lost the record of it
};
inline constexpr FailReason kLastFailReason = FailReason::record_lost;

[[nodiscard]] std::string_view to_string(FailReason reason);  // "" for none

struct Outcome {
  OutcomeKind kind = OutcomeKind::answered;
  std::uint16_t status = 0;
  bool success = false;       // by the destination's success rule
  bool request_sent = false;  // whole or in part: the receiver may have acted on it
  // Not none: whenever it is sent again, it ends like this. Decides what is next; not kept.
  FailReason final_reason = FailReason::none;
  std::optional<Duration> retry_after;
  std::string detail;  // for people: why it failed; never holds a secret
  std::string answer;  // the body's beginning: 16 KiB on failure, 1 KiB on success
  std::string answer_content_type;
};

enum class DeliveryState : std::uint8_t {
  pending = 0,   // not tried yet
  retrying = 1,  // tried, and will be again
  held = 2,      // its webhook or destination is disabled
  delivered = 3,
  failed = 4,
};

[[nodiscard]] std::string_view to_string(DeliveryState state);
[[nodiscard]] std::optional<DeliveryState> parse_delivery_state(std::string_view text);

// What is decided after an attempt.
struct Next {
  DeliveryState state = DeliveryState::retrying;  // retrying, delivered or failed
  WallTime retry_at;                              // of retrying
  FailReason reason = FailReason::none;           // of failed
  bool disable_destination = false;               // answered 410
};

// The request with which several deliveries were sent together.
struct AttemptBatch {
  Hash128 id;
  std::uint32_t deliveries_count = 0;  // 0: the delivery was sent alone

  [[nodiscard]] bool is_there() const { return deliveries_count > 0; }
  friend bool operator==(const AttemptBatch&, const AttemptBatch&) = default;
};

// The webhook-id of a batch: "bat_" and 32 hexadecimal digits.
[[nodiscard]] std::string batch_id_text(Hash128 id);

// One HTTP request made for a delivery, as the log keeps it.
struct Attempt {
  DeliveryId delivery;
  std::uint16_t number = 1;  // 1 is the first
  WallTime started_at;
  std::chrono::milliseconds duration{};
  std::uint32_t webhook_version = 0;
  std::uint32_t destination_version = 0;
  std::uint64_t body_hash = 0;  // base/hash.h of the body that was sent
  AttemptBatch batch;
  bool is_split = false;  // only asked for smaller batches: it uses up no try
  Outcome outcome;
  Next next;
};

// What an accepted event owes to one webhook.
struct Owed {
  WebhookId webhook{};
  std::uint32_t webhook_version = 0;  // that matched; it is sent by the newest
  DestinationId destination{};
};

}  // namespace eilpost
