#pragma once
// What one record of the journal says, and its bytes.
//
// Format: docs/JOURNAL.md, "Records".
// Errors: decode_record() refuses what encode could not have written; it never reads past the end.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/ids.h"
#include "store/store.h"

namespace eilpost::store {

inline constexpr std::size_t kOwedMax = 65'535;  // of one event: an ordinal has 16 bits

enum class RecordKind : std::uint8_t {
  accepted = 1,  // an event and what it owes
  attempt = 2,
  settled = 3,  // a delivery that ended without an attempt
  carried = 4,  // an event that an older segment held, with only what is still owed
  batch = 5,    // deliveries that are sent together
};

// An event inside a record's bytes; the document lies there in pieces.
struct EventView {
  std::string_view id;
  std::string_view type;
  std::string_view user;
  std::string_view webhook_id;
  EnvironmentId environment{};
  SourceId source{};
  WallTime time;
  WallTime received_at;
  bool is_squeezed = false;  // the document's head is made from the fields above
  std::string_view name;     // of a squeezed document
  std::string_view middle;   // of a squeezed document: from received_at to created_at
  std::string_view tail;     // the rest; of any other document all of it
  ByteView encoded;          // the bytes of the event in the record
};

[[nodiscard]] Event to_event(const EventView& view);

// A delivery of an event record and how far it has come; `accepted` records hold fresh ones.
struct OwedState {
  std::uint16_t ordinal = 0;
  Owed owed;
  std::uint16_t attempts_count = 0;
  std::uint16_t splits_count = 0;  // attempts of these that use up no try
  WallTime next_attempt_at;
  std::chrono::milliseconds wait{};              // that was decided, until then
  DeliveryState state = DeliveryState::pending;  // pending or retrying
  BatchRef batch;
};

// An accepted or a carried record.
struct EventRecord {
  Position sequence;  // of a carried record; an accepted one's is its own position
  EventView event;
  std::optional<ReplayOf> replay_of;
  std::vector<OwedState> deliveries;
};

// A decoded record. Only the member that `kind` names is meaningful; the views point into the bytes
// that were decoded. Reuse it: it keeps its memory.
struct Record {
  RecordKind kind = RecordKind::settled;
  EventRecord event;
  Attempt attempt;
  Settled settled;
  Batched batch;
};

// Each adds one record to the end of `target`.
void encode_accepted(const Accept& accept, Bytes& target);
void encode_attempt(const Attempt& attempt, Bytes& target);
void encode_settled(const Settled& settled, Bytes& target);
void encode_batch(const Batched& batch, Bytes& target);
// `record` as it was decoded, with only those deliveries that are still owed.
void encode_carried(const EventRecord& record, Bytes& target);

// False if `bytes` is not exactly one record.
[[nodiscard]] bool decode_record(ByteView bytes, Record& record);

// Whether those who follow the journal see the record. A carried one they saw where it was
// accepted; which deliveries are sent together their attempts say. REQUIRES: it can be decoded.
[[nodiscard]] bool is_followed(ByteView bytes);
// What a record says that was followed.
[[nodiscard]] Entry to_entry(const FollowedRecord& followed);
[[nodiscard]] std::vector<Entry> to_entries(const Followed& followed);

}  // namespace eilpost::store
