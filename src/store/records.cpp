#include "store/records.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "base/hash.h"
#include "model/limits.h"
#include "store/squeeze.h"

namespace eilpost::store {
namespace {

// Flags of an event.
constexpr std::uint8_t kIsSqueezed = 1;
constexpr std::uint8_t kUserInTail = 2;
constexpr std::uint8_t kHasWebhookId = 4;

// Flags of an event record.
constexpr std::uint8_t kHasReplay = 1;
constexpr std::uint8_t kHasSplits = 2;  // of a carried one

// Flags of an attempt.
constexpr std::uint32_t kSuccess = 1;
constexpr std::uint32_t kRequestSent = 2;
constexpr std::uint32_t kHasRetryAfter = 4;
constexpr std::uint32_t kHasDetail = 8;
constexpr std::uint32_t kHasAnswer = 16;
constexpr std::uint32_t kHasContentType = 32;
constexpr std::uint32_t kHasRetryAt = 64;
constexpr std::uint32_t kDisablesDestination = 128;
constexpr std::uint32_t kInBatch = 256;
constexpr std::uint32_t kIsSplit = 512;

constexpr std::size_t kOwedBytesMin = 8 + 1 + 8;
constexpr std::size_t kMemberBytesMin = 1 + 1;

std::uint64_t fold_sign(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unfold_sign(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
}

std::int64_t milliseconds_of(WallTime time) {
  return time.time_since_epoch().count();
}

void write_time(ByteWriter& writer, WallTime time) {
  writer.varint(fold_sign(milliseconds_of(time)));
}

WallTime read_time(ByteReader& reader) {
  return WallTime(std::chrono::milliseconds(unfold_sign(reader.varint())));
}

// The difference of two times, whatever they are.
std::int64_t difference(WallTime later, WallTime earlier) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(milliseconds_of(later)) -
                                   static_cast<std::uint64_t>(milliseconds_of(earlier)));
}

std::int64_t difference(Position later, Position earlier) {
  return static_cast<std::int64_t>(later.value - earlier.value);
}

WallTime add_difference(WallTime earlier, std::int64_t value) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(
      static_cast<std::uint64_t>(milliseconds_of(earlier)) + static_cast<std::uint64_t>(value))));
}

template <class T>
T read_varint(ByteReader& reader) {
  const std::uint64_t value = reader.varint();
  if (value > std::numeric_limits<T>::max()) reader.fail();
  return static_cast<T>(value);
}

template <class Enum>
Enum read_enum(ByteReader& reader, Enum last) {
  const std::uint8_t value = reader.u8();
  if (value > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(value);
}

void write_delivery(ByteWriter& writer, DeliveryId id) {
  writer.u64(id.sequence.value);
  writer.varint(id.ordinal);
}

DeliveryId read_delivery(ByteReader& reader) {
  DeliveryId id;
  id.sequence.value = reader.u64();
  id.ordinal = read_varint<std::uint16_t>(reader);
  return id;
}

void write_event(ByteWriter& writer, const Event& event) {
  const std::optional<Squeezed> squeezed = squeeze(event);
  const std::string_view tail = squeezed ? squeezed->tail : std::string_view(event.document);
  const std::size_t user_at = event.user.empty() ? std::string_view::npos : tail.find(event.user);
  const bool is_user_in_tail = user_at != std::string_view::npos;

  writer.u8(static_cast<std::uint8_t>((squeezed ? kIsSqueezed : 0U) |
                                      (is_user_in_tail ? kUserInTail : 0U) |
                                      (event.webhook_id.empty() ? 0U : kHasWebhookId)));
  write_time(writer, event.received_at);
  writer.varint(fold_sign(difference(event.time, event.received_at)));
  writer.varint(static_cast<std::uint32_t>(event.environment));
  writer.u64(static_cast<std::uint64_t>(event.source));
  writer.text(event.id);
  writer.text(event.type);
  if (is_user_in_tail) {
    writer.varint(user_at);
    writer.varint(event.user.size());
  } else {
    writer.text(event.user);
  }
  if (!event.webhook_id.empty()) writer.text(event.webhook_id);
  if (squeezed) {
    writer.text(squeezed->name);
    writer.text(squeezed->middle);
  }
  writer.text(tail);
}

EventView read_event(ByteReader& reader) {
  const ByteView before = reader.rest();
  EventView view;
  const std::uint8_t flags = reader.u8();
  if ((flags & ~(kIsSqueezed | kUserInTail | kHasWebhookId)) != 0) reader.fail();
  view.is_squeezed = (flags & kIsSqueezed) != 0;
  view.received_at = read_time(reader);
  view.time = add_difference(view.received_at, unfold_sign(reader.varint()));
  view.environment = static_cast<EnvironmentId>(read_varint<std::uint32_t>(reader));
  view.source = static_cast<SourceId>(reader.u64());
  view.id = reader.text();
  view.type = reader.text();
  std::uint64_t user_at = 0;
  std::uint64_t user_size = 0;
  if ((flags & kUserInTail) != 0) {
    user_at = reader.varint();
    user_size = reader.varint();
  } else {
    view.user = reader.text();
  }
  if ((flags & kHasWebhookId) != 0) view.webhook_id = reader.text();
  if (view.is_squeezed) {
    view.name = reader.text();
    view.middle = reader.text();
  }
  view.tail = reader.text();
  if ((flags & kUserInTail) != 0) {
    if (user_at > view.tail.size() || user_size > view.tail.size() - user_at) {
      reader.fail();
      return view;
    }
    view.user = view.tail.substr(user_at, user_size);
  }
  view.encoded = before.first(before.size() - reader.rest().size());
  return view;
}

void write_owed(ByteWriter& writer, const Owed& owed) {
  writer.u64(static_cast<std::uint64_t>(owed.webhook));
  writer.varint(owed.webhook_version);
  writer.u64(static_cast<std::uint64_t>(owed.destination));
}

Owed read_owed(ByteReader& reader) {
  Owed owed;
  owed.webhook = static_cast<WebhookId>(reader.u64());
  owed.webhook_version = read_varint<std::uint32_t>(reader);
  owed.destination = static_cast<DestinationId>(reader.u64());
  return owed;
}

// The number of deliveries that follow; fails if so many cannot be there.
std::size_t read_owed_count(ByteReader& reader) {
  const std::uint64_t count = reader.varint();
  if (count > kOwedMax || count > reader.rest().size() / kOwedBytesMin) {
    reader.fail();
    return 0;
  }
  return count;
}

void read_event_record(ByteReader& reader, RecordKind kind, EventRecord& record) {
  record.sequence = {};
  record.replay_of.reset();
  record.deliveries.clear();
  const std::uint8_t flags = reader.u8();
  const bool is_carried = kind == RecordKind::carried;
  if ((flags & ~(kHasReplay | (is_carried ? kHasSplits : 0U))) != 0) reader.fail();
  if (is_carried) record.sequence.value = reader.u64();
  record.event = read_event(reader);
  if ((flags & kHasReplay) != 0) record.replay_of = ReplayOf{.original = read_delivery(reader)};
  const std::size_t count = read_owed_count(reader);
  for (std::size_t i = 0; i < count; ++i) {
    OwedState state;
    state.ordinal = static_cast<std::uint16_t>(i);
    state.owed = read_owed(reader);
    if (is_carried) {
      state.ordinal = read_varint<std::uint16_t>(reader);
      state.attempts_count = read_varint<std::uint16_t>(reader);
      if ((flags & kHasSplits) != 0) state.splits_count = read_varint<std::uint16_t>(reader);
      state.next_attempt_at = read_time(reader);
      state.wait = std::chrono::milliseconds(read_varint<std::uint32_t>(reader));
      state.state = read_enum(reader, DeliveryState::retrying);
      state.batch.members_count = read_varint<std::uint32_t>(reader);
      if (state.batch.is_there()) state.batch.formed_at.value = reader.u64();
    }
    record.deliveries.push_back(state);
  }
}

std::uint32_t attempt_flags(const Attempt& attempt) {
  const Outcome& outcome = attempt.outcome;
  std::uint32_t flags = 0;
  if (outcome.success) flags |= kSuccess;
  if (outcome.request_sent) flags |= kRequestSent;
  if (outcome.retry_after) flags |= kHasRetryAfter;
  if (!outcome.detail.empty()) flags |= kHasDetail;
  if (!outcome.answer.empty()) flags |= kHasAnswer;
  if (!outcome.answer_content_type.empty()) flags |= kHasContentType;
  if (attempt.next.retry_at != WallTime{}) flags |= kHasRetryAt;
  if (attempt.next.disable_destination) flags |= kDisablesDestination;
  if (attempt.batch.is_there()) flags |= kInBatch;
  if (attempt.is_split) flags |= kIsSplit;
  return flags;
}

void read_attempt(ByteReader& reader, Attempt& attempt) {
  attempt.delivery = read_delivery(reader);
  const auto flags = read_varint<std::uint32_t>(reader);
  attempt.number = read_varint<std::uint16_t>(reader);
  attempt.started_at = read_time(reader);
  attempt.duration = std::chrono::milliseconds(unfold_sign(reader.varint()));
  attempt.webhook_version = read_varint<std::uint32_t>(reader);
  attempt.destination_version = read_varint<std::uint32_t>(reader);
  attempt.body_hash = reader.u64();
  attempt.is_split = (flags & kIsSplit) != 0;
  attempt.batch = {};
  if ((flags & kInBatch) != 0) {
    attempt.batch.id.low = reader.u64();
    attempt.batch.id.high = reader.u64();
    attempt.batch.deliveries_count = read_varint<std::uint32_t>(reader);
  }

  Outcome& outcome = attempt.outcome;
  outcome.kind = read_enum(reader, kLastOutcomeKind);
  outcome.status = read_varint<std::uint16_t>(reader);
  outcome.success = (flags & kSuccess) != 0;
  outcome.request_sent = (flags & kRequestSent) != 0;
  outcome.retry_after.reset();
  if ((flags & kHasRetryAfter) != 0) outcome.retry_after = Duration(unfold_sign(reader.varint()));
  outcome.detail = (flags & kHasDetail) != 0 ? reader.text() : std::string_view();
  outcome.answer = (flags & kHasAnswer) != 0 ? reader.text() : std::string_view();
  outcome.answer_content_type = (flags & kHasContentType) != 0 ? reader.text() : std::string_view();

  attempt.next.state = read_enum(reader, DeliveryState::failed);
  attempt.next.reason = read_enum(reader, kLastFailReason);
  attempt.next.retry_at = (flags & kHasRetryAt) != 0 ? read_time(reader) : WallTime{};
  attempt.next.disable_destination = (flags & kDisablesDestination) != 0;
}

void read_batch(ByteReader& reader, Batched& batch) {
  batch.members.clear();
  const std::uint64_t count = reader.varint();
  if (count > limits::kBatchEventsMax || count > reader.rest().size() / kMemberBytesMin) {
    reader.fail();
    return;
  }
  batch.members.reserve(count);
  Position last;
  for (std::uint64_t i = 0; i < count; ++i) {
    last.value += static_cast<std::uint64_t>(unfold_sign(reader.varint()));
    batch.members.push_back({.sequence = last, .ordinal = read_varint<std::uint16_t>(reader)});
  }
}

}  // namespace

std::uint32_t user_hash(std::string_view user) {
  if (user.empty()) return 0;
  const auto hash = static_cast<std::uint32_t>(hash64(user));
  return hash == 0 ? 1 : hash;
}

Event to_event(const EventView& view) {
  Event event;
  event.id = view.id;
  event.type = view.type;
  event.user = view.user;
  event.webhook_id = view.webhook_id;
  event.environment = view.environment;
  event.source = view.source;
  event.time = view.time;
  event.received_at = view.received_at;
  if (view.is_squeezed) {
    event.document =
        unsqueeze(event, {.name = view.name, .middle = view.middle, .tail = view.tail});
  } else {
    event.document = view.tail;
  }
  return event;
}

void encode_accepted(const Accept& accept, Bytes& target) {
  EILPOST_ASSERT(accept.owed.size() <= kOwedMax);
  ByteWriter writer(target);
  writer.u8(static_cast<std::uint8_t>(RecordKind::accepted));
  writer.u8(accept.replay_of ? kHasReplay : 0U);
  write_event(writer, *accept.event);
  if (accept.replay_of) write_delivery(writer, accept.replay_of->original);
  writer.varint(accept.owed.size());
  for (const Owed& owed : accept.owed) write_owed(writer, owed);
}

void encode_carried(const EventRecord& record, Bytes& target) {
  ByteWriter writer(target);
  const bool has_splits = std::ranges::any_of(
      record.deliveries, [](const OwedState& state) { return state.splits_count > 0; });
  writer.u8(static_cast<std::uint8_t>(RecordKind::carried));
  writer.u8(static_cast<std::uint8_t>((record.replay_of ? kHasReplay : 0U) |
                                      (has_splits ? kHasSplits : 0U)));
  writer.u64(record.sequence.value);
  writer.raw(record.event.encoded);
  if (record.replay_of) write_delivery(writer, record.replay_of->original);
  writer.varint(record.deliveries.size());
  for (const OwedState& state : record.deliveries) {
    write_owed(writer, state.owed);
    writer.varint(state.ordinal);
    writer.varint(state.attempts_count);
    if (has_splits) writer.varint(state.splits_count);
    write_time(writer, state.next_attempt_at);
    writer.varint(static_cast<std::uint64_t>(state.wait.count()));
    writer.u8(static_cast<std::uint8_t>(state.state));
    writer.varint(state.batch.members_count);
    if (state.batch.is_there()) writer.u64(state.batch.formed_at.value);
  }
}

void encode_attempt(const Attempt& attempt, Bytes& target) {
  ByteWriter writer(target);
  writer.u8(static_cast<std::uint8_t>(RecordKind::attempt));
  write_delivery(writer, attempt.delivery);
  writer.varint(attempt_flags(attempt));
  writer.varint(attempt.number);
  write_time(writer, attempt.started_at);
  writer.varint(fold_sign(attempt.duration.count()));
  writer.varint(attempt.webhook_version);
  writer.varint(attempt.destination_version);
  writer.u64(attempt.body_hash);
  if (attempt.batch.is_there()) {
    writer.u64(attempt.batch.id.low);
    writer.u64(attempt.batch.id.high);
    writer.varint(attempt.batch.deliveries_count);
  }

  const Outcome& outcome = attempt.outcome;
  writer.u8(static_cast<std::uint8_t>(outcome.kind));
  writer.varint(outcome.status);
  if (outcome.retry_after) writer.varint(fold_sign(outcome.retry_after->count()));
  if (!outcome.detail.empty()) writer.text(outcome.detail);
  if (!outcome.answer.empty()) writer.text(outcome.answer);
  if (!outcome.answer_content_type.empty()) writer.text(outcome.answer_content_type);

  writer.u8(static_cast<std::uint8_t>(attempt.next.state));
  writer.u8(static_cast<std::uint8_t>(attempt.next.reason));
  if (attempt.next.retry_at != WallTime{}) write_time(writer, attempt.next.retry_at);
}

void encode_settled(const Settled& settled, Bytes& target) {
  ByteWriter writer(target);
  writer.u8(static_cast<std::uint8_t>(RecordKind::settled));
  write_delivery(writer, settled.delivery);
  writer.u8(static_cast<std::uint8_t>(settled.reason));
  write_time(writer, settled.at);
}

void encode_batch(const Batched& batch, Bytes& target) {
  ByteWriter writer(target);
  writer.u8(static_cast<std::uint8_t>(RecordKind::batch));
  writer.varint(batch.members.size());
  Position last;
  for (const DeliveryId member : batch.members) {
    writer.varint(fold_sign(difference(member.sequence, last)));
    writer.varint(member.ordinal);
    last = member.sequence;
  }
}

bool decode_record(ByteView bytes, Record& record) {
  ByteReader reader(bytes);
  const std::uint8_t kind = reader.u8();
  switch (kind) {
    case static_cast<std::uint8_t>(RecordKind::accepted):
    case static_cast<std::uint8_t>(RecordKind::carried):
      record.kind = static_cast<RecordKind>(kind);
      read_event_record(reader, record.kind, record.event);
      break;
    case static_cast<std::uint8_t>(RecordKind::attempt):
      record.kind = RecordKind::attempt;
      read_attempt(reader, record.attempt);
      break;
    case static_cast<std::uint8_t>(RecordKind::settled):
      record.kind = RecordKind::settled;
      record.settled.delivery = read_delivery(reader);
      record.settled.reason = read_enum(reader, kLastFailReason);
      record.settled.at = read_time(reader);
      break;
    case static_cast<std::uint8_t>(RecordKind::batch):
      record.kind = RecordKind::batch;
      read_batch(reader, record.batch);
      break;
    default:
      return false;
  }
  return reader.is_at_end();
}

bool is_followed(ByteView bytes) {
  return !bytes.empty() && bytes.front() != static_cast<std::byte>(RecordKind::carried) &&
         bytes.front() != static_cast<std::byte>(RecordKind::batch);
}

Entry to_entry(const FollowedRecord& followed) {
  Record record;
  const bool is_good = decode_record(followed.bytes, record);
  EILPOST_ASSERT(is_good && is_followed(followed.bytes));
  if (record.kind == RecordKind::attempt) return std::move(record.attempt);
  if (record.kind == RecordKind::settled) return record.settled;
  AcceptedEntry entry;
  entry.sequence = followed.position;
  entry.event = to_event(record.event.event);
  entry.owed.reserve(record.event.deliveries.size());
  for (const OwedState& state : record.event.deliveries) entry.owed.push_back(state.owed);
  entry.replay_of = record.event.replay_of;
  return entry;
}

std::vector<Entry> to_entries(const Followed& followed) {
  std::vector<Entry> entries;
  entries.reserve(followed.records.size());
  for (const FollowedRecord& record : followed.records) entries.push_back(to_entry(record));
  return entries;
}

}  // namespace eilpost::store
