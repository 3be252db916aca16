#include "history/block.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "history/terms.h"

namespace eilpost::history {
namespace {

// Flags of an event.
constexpr std::uint8_t kHasReplay = 1;
constexpr std::uint8_t kHasWebhookId = 2;

// Flags of a delivery, beside the outcome (0: none) in the lower bits.
constexpr std::uint8_t kOutcomeMask = 15;
constexpr std::uint8_t kHasNextAttempt = 16;
constexpr std::uint8_t kHasSettledAt = 32;
static_assert(static_cast<std::uint8_t>(kLastOutcomeKind) + 1 <= kOutcomeMask);
static_assert(static_cast<std::uint8_t>(kLastFailReason) < 16);  // It shares a byte with the state.

constexpr std::size_t kDeliveryBytesMin = 7;

constexpr std::uint64_t kEventsOfLevel[] = {16, 256};
constexpr std::uint64_t kBytesOfLevel[] = {kBlockBytes / 32, kBlockBytes / 2};

std::uint64_t fold_sign(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unfold_sign(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
}

// The difference of two times, whatever they are.
std::uint64_t fold_difference(WallTime later, WallTime earlier) {
  return fold_sign(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(later.time_since_epoch().count()) -
                                static_cast<std::uint64_t>(earlier.time_since_epoch().count())));
}

WallTime add_folded(WallTime earlier, std::uint64_t folded) {
  return WallTime(std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<std::uint64_t>(earlier.time_since_epoch().count()) +
                                static_cast<std::uint64_t>(unfold_sign(folded)))));
}

template <class T>
T read_varint(ByteReader& reader) {
  const std::uint64_t value = reader.varint();
  if (value > std::numeric_limits<T>::max()) reader.fail();
  return static_cast<T>(value);
}

template <class Enum>
Enum read_enum(ByteReader& reader, std::uint8_t value, Enum last) {
  if (value > static_cast<std::uint8_t>(last)) reader.fail();
  return static_cast<Enum>(value);
}

class RowsDecoder {
 public:
  explicit RowsDecoder(std::string_view text) : reader_(as_bytes(text)) {}

  Result<LoggedEvents> decode(Position first) {
    Position sequence = first;
    while (!reader_.failed() && !reader_.rest().empty()) {
      sequence.value += reader_.varint();
      read_event(sequence);
    }
    if (reader_.failed()) return fail(ErrorCode::database_corrupt, "A block of rows is damaged.");
    return std::move(rows_);
  }

 private:
  std::uint64_t number(std::vector<std::uint64_t>& numbers) {
    const std::uint64_t place = reader_.varint();
    if (place == numbers.size()) numbers.push_back(reader_.u64());
    if (place < numbers.size()) return numbers[place];
    reader_.fail();
    return 0;
  }
  std::string_view type() {
    const std::uint64_t place = reader_.varint();
    if (place == types_.size()) types_.push_back(reader_.text());
    if (place < types_.size()) return types_[place];
    reader_.fail();
    return {};
  }

  void read_event(Position sequence) {
    LoggedEvent event;
    event.sequence = sequence;
    const std::uint8_t flags = reader_.u8();
    if ((flags & ~(kHasReplay | kHasWebhookId)) != 0) reader_.fail();
    event.id = reader_.text();
    event.type = type();
    event.user = reader_.text();
    event.environment = static_cast<EnvironmentId>(number(environments_));
    event.source = static_cast<SourceId>(number(sources_));
    event.received_at = add_folded(last_received_at_, reader_.varint());
    last_received_at_ = event.received_at;
    event.time = add_folded(event.received_at, reader_.varint());
    if ((flags & kHasReplay) != 0) {
      event.replay_of.emplace();
      event.replay_of->sequence.value = reader_.u64();
      event.replay_of->ordinal = read_varint<std::uint16_t>(reader_);
    }
    if ((flags & kHasWebhookId) != 0) event.webhook_id = reader_.text();
    event.details_offset = details_offset_;
    event.details_bytes = reader_.varint();
    details_offset_ += event.details_bytes;
    event.first_delivery = rows_.deliveries.size();
    event.deliveries_count = reader_.varint();
    if (event.deliveries_count > reader_.rest().size() / kDeliveryBytesMin) reader_.fail();
    for (std::size_t i = 0; i < event.deliveries_count && !reader_.failed(); ++i) {
      read_delivery(event.received_at);
    }
    rows_.events.push_back(event);
  }

  void read_delivery(WallTime received_at) {
    LoggedDelivery& delivery = rows_.deliveries.emplace_back();
    delivery.webhook = static_cast<WebhookId>(number(webhooks_));
    delivery.destination = static_cast<DestinationId>(number(destinations_));
    DeliveryProgress& progress = delivery.progress;
    progress.webhook_version = read_varint<std::uint32_t>(reader_);
    const std::uint8_t state = reader_.u8();
    progress.state = read_enum(reader_, state & 15U, DeliveryState::failed);
    progress.reason = read_enum(reader_, state >> 4U, kLastFailReason);
    progress.attempts_count = read_varint<std::uint16_t>(reader_);
    const std::uint8_t flags = reader_.u8();
    if ((flags & kOutcomeMask) != 0) {
      progress.last_outcome = read_enum(reader_, (flags & kOutcomeMask) - 1, kLastOutcomeKind);
    }
    progress.last_status = read_varint<std::uint16_t>(reader_);
    if ((flags & kHasNextAttempt) != 0) {
      progress.next_attempt_at = add_folded(received_at, reader_.varint());
    }
    if ((flags & kHasSettledAt) != 0) {
      progress.settled_at = add_folded(received_at, reader_.varint());
    }
  }

  ByteReader reader_;
  LoggedEvents rows_;
  WallTime last_received_at_;
  std::size_t details_offset_ = 0;
  std::vector<std::uint64_t> sources_;
  std::vector<std::uint64_t> environments_;
  std::vector<std::uint64_t> webhooks_;
  std::vector<std::uint64_t> destinations_;
  std::vector<std::string_view> types_;
};

}  // namespace

LoggedEvent* LoggedEvents::find(Position sequence) {
  const auto it = std::ranges::lower_bound(events, sequence, {}, &LoggedEvent::sequence);
  return it != events.end() && it->sequence == sequence ? &*it : nullptr;
}

LoggedDelivery* LoggedEvents::find(DeliveryId id) {
  const LoggedEvent* const event = find(id.sequence);
  if (event == nullptr || id.ordinal >= event->deliveries_count) return nullptr;
  return &deliveries[event->first_delivery + id.ordinal];
}

int level_of(const BlockFacts& facts) {
  for (int level = 0; level < kBlockLevelMax; ++level) {
    if (facts.events_count < kEventsOfLevel[level] && facts.details_bytes < kBytesOfLevel[level]) {
      return level;
    }
  }
  return kBlockLevelMax;
}

void append_detail(ByteView record, Bytes& details) {
  ByteWriter(details).bytes(record);
}

bool BlockBuilder::write_number(Numbers& numbers, std::uint64_t value) {
  ByteWriter writer(rows_);
  if (value == numbers.last && !numbers.places.empty()) {
    writer.varint(numbers.last_place);
    return false;
  }
  const auto [it, is_new] = numbers.places.try_emplace(value, numbers.places.size());
  numbers.last = value;
  numbers.last_place = it->second;
  writer.varint(it->second);
  if (is_new) writer.u64(value);
  return is_new;
}

bool BlockBuilder::write_type(std::string_view type) {
  ByteWriter writer(rows_);
  if (type == types_.last && !types_.places.empty()) {
    writer.varint(types_.last_place);
    return false;
  }
  const auto found = types_.places.find(type);
  const bool is_new = found == types_.places.end();
  types_.last = type;
  types_.last_place = is_new ? types_.places.size() : found->second;
  writer.varint(types_.last_place);
  if (!is_new) return false;
  types_.places.emplace(type, types_.last_place);
  writer.text(type);
  return true;
}

void BlockBuilder::add(const LoggedEvent& event, std::span<const LoggedDelivery> deliveries,
                       ByteView details) {
  const bool is_first = facts_.events_count == 0;
  EILPOST_ASSERT(is_first || event.sequence > facts_.last);
  ByteWriter writer(rows_);
  writer.varint(is_first ? 0 : event.sequence.value - facts_.last.value);
  writer.u8(static_cast<std::uint8_t>((event.replay_of ? kHasReplay : 0U) |
                                      (event.webhook_id.empty() ? 0U : kHasWebhookId)));
  writer.text(event.id);
  terms_.push_back(term_of(TermKind::event_id, event.id));
  if (write_type(event.type)) terms_.push_back(term_of(TermKind::event_type, event.type));
  writer.text(event.user);
  terms_.push_back(term_of(TermKind::user, event.user));
  const auto environment = std::uint64_t{static_cast<std::uint32_t>(event.environment)};
  if (write_number(environments_, environment)) {
    terms_.push_back(term_of(TermKind::environment, environment));
  }
  write_number(sources_, static_cast<std::uint64_t>(event.source));
  writer.varint(fold_difference(event.received_at, last_received_at_));
  last_received_at_ = event.received_at;
  writer.varint(fold_difference(event.time, event.received_at));
  if (event.replay_of) {
    writer.u64(event.replay_of->sequence.value);
    writer.varint(event.replay_of->ordinal);
  }
  if (!event.webhook_id.empty()) writer.text(event.webhook_id);
  writer.varint(details.size());
  writer.varint(deliveries.size());
  for (const LoggedDelivery& delivery : deliveries) add_delivery(delivery, event.received_at);
  details_.insert(details_.end(), details.begin(), details.end());
  note(event, deliveries);
}

void BlockBuilder::add_delivery(const LoggedDelivery& delivery, WallTime received_at) {
  ByteWriter writer(rows_);
  const auto webhook = static_cast<std::uint64_t>(delivery.webhook);
  if (write_number(webhooks_, webhook)) terms_.push_back(term_of(TermKind::webhook, webhook));
  const auto destination = static_cast<std::uint64_t>(delivery.destination);
  if (write_number(destinations_, destination)) {
    terms_.push_back(term_of(TermKind::destination, destination));
  }
  const DeliveryProgress& progress = delivery.progress;
  writer.varint(progress.webhook_version);
  writer.u8(static_cast<std::uint8_t>(static_cast<unsigned>(progress.state) |
                                      (static_cast<unsigned>(progress.reason) << 4U)));
  writer.varint(progress.attempts_count);
  const unsigned outcome =
      progress.last_outcome ? static_cast<unsigned>(*progress.last_outcome) + 1 : 0;
  writer.u8(static_cast<std::uint8_t>(outcome | (progress.next_attempt_at ? kHasNextAttempt : 0U) |
                                      (progress.settled_at ? kHasSettledAt : 0U)));
  writer.varint(progress.last_status);
  if (progress.next_attempt_at) {
    writer.varint(fold_difference(*progress.next_attempt_at, received_at));
  }
  if (progress.settled_at) writer.varint(fold_difference(*progress.settled_at, received_at));
}

void BlockBuilder::note(const LoggedEvent& event, std::span<const LoggedDelivery> deliveries) {
  if (facts_.events_count == 0) {
    facts_.first = event.sequence;
    facts_.accepted_min = facts_.accepted_max = event.received_at;
  }
  facts_.last = event.sequence;
  ++facts_.events_count;
  facts_.deliveries_count += deliveries.size();
  for (const LoggedDelivery& delivery : deliveries) {
    if (is_settled(delivery.progress.state)) {
      facts_.states |= bit_of(delivery.progress.state);
    } else {
      ++facts_.late_count;
    }
  }
  facts_.details_bytes = details_.size();
  facts_.accepted_min = std::min(facts_.accepted_min, event.received_at);
  facts_.accepted_max = std::max(facts_.accepted_max, event.received_at);
}

Block BlockBuilder::finish(BlockCodec& codec) {
  EILPOST_ASSERT(facts_.events_count > 0);
  Block block{.facts = facts_, .terms = make_terms(terms_), .rows = {}, .details = {}};
  const ByteView rows = codec.compress(as_text(rows_));
  block.rows.assign(rows.begin(), rows.end());
  const ByteView details = codec.compress(as_text(details_));
  block.details.assign(details.begin(), details.end());
  facts_ = {};
  last_received_at_ = {};
  rows_.clear();
  details_.clear();
  terms_.clear();
  sources_ = environments_ = webhooks_ = destinations_ = {};
  types_ = {};
  return block;
}

Result<LoggedEvents> decode_rows(std::string_view text, Position first) {
  return RowsDecoder(text).decode(first);
}

}  // namespace eilpost::history
