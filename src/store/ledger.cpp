#include "store/ledger.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/assert.h"
#include "store/segment.h"

namespace eilpost::store {
namespace {

constexpr std::uint8_t kSettledState = 0;
constexpr std::uint8_t kHasSplits = 128;  // beside the state, in a checkpoint
constexpr std::uint32_t kAttemptsMax = (1U << 16U) - 1;
constexpr std::uint32_t kTidyBelow = Ledger::kSlabEntries / 4;
constexpr std::uint32_t kMergedMax = Ledger::kSlabEntries / 2;
constexpr std::size_t kOwedBytes = 8 + 4 + 8;
constexpr std::size_t kBatchBytes = 8 + 4;
constexpr std::uint64_t kTimeMax = (1ULL << 48U) - 1;

std::uint8_t to_state(DeliveryState state) {
  return static_cast<std::uint8_t>(static_cast<std::uint8_t>(state) + 1);
}

std::uint64_t time_ms(WallTime time) {
  return static_cast<std::uint64_t>(std::clamp<std::int64_t>(time.time_since_epoch().count(), 0,
                                                             static_cast<std::int64_t>(kTimeMax)));
}

WallTime to_time(std::uint64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

std::uint32_t wait_ms(std::chrono::milliseconds wait) {
  constexpr std::int64_t kWaitMax = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(wait.count(), 0, kWaitMax));
}

}  // namespace

DeliveryId Ledger::key_of(const Entry& entry) {
  return {.sequence = {.value = entry.sequence},
          .ordinal = static_cast<std::uint16_t>(entry.ordinal)};
}

Unsettled Ledger::to_unsettled(const Entry& entry, std::uint64_t base, const Owed& owed,
                               const BatchRef& batch) {
  return {.delivery = key_of(entry),
          .location = {.value = base + entry.location},
          .owed = owed,
          .user_hash = entry.user_hash,
          .attempts_count = static_cast<std::uint16_t>(entry.attempts_count),
          .splits_count = static_cast<std::uint16_t>(entry.splits_count),
          .accepted_at = to_time(entry.accepted_at_ms),
          .next_attempt_at = to_time(entry.next_attempt_at_ms),
          .wait = std::chrono::milliseconds(entry.wait_ms),
          .state = static_cast<DeliveryState>(entry.state - 1),
          .batch = batch};
}

void Ledger::apply(const Record& record, Position position, std::size_t record_bytes) {
  switch (record.kind) {
    case RecordKind::accepted:
      apply_event(record.event, position, position, record_bytes);
      return;
    case RecordKind::carried:
      apply_event(record.event, record.event.sequence, position, record_bytes);
      return;
    case RecordKind::attempt:
      apply_attempt(record.attempt);
      return;
    case RecordKind::settled:
      if (const auto place = find_place(record.settled.delivery)) settle(*place);
      return;
    case RecordKind::batch:
      apply_batch(record.batch, position);
      return;
  }
  assert_failed("unknown RecordKind");
}

void Ledger::apply_event(const EventRecord& record, Position sequence, Position position,
                         std::size_t record_bytes) {
  if (record.deliveries.empty()) return;
  const std::uint64_t share_bytes = record_bytes / record.deliveries.size();
  for (const OwedState& state : record.deliveries) {
    const DeliveryId delivery{.sequence = sequence, .ordinal = state.ordinal};
    if (const auto place = find_place(delivery)) {
      Entry& entry = writable(place->slab).entries[place->entry];
      let_go(location_of(entry));
      entry.location = position.value - base_;
    } else {
      insert(make_entry(delivery, position, record, state));
    }
    hold(position, share_bytes);
  }
}

Ledger::Entry Ledger::make_entry(DeliveryId delivery, Position location, const EventRecord& record,
                                 const OwedState& state) {
  if (slabs_.empty()) base_ = to_position(segment_of(location), 0).value;
  Entry entry{};
  entry.sequence = delivery.sequence.value;
  entry.ordinal = delivery.ordinal;
  entry.location = location.value - base_;
  entry.state = to_state(state.state);
  entry.user_hash = user_hash(record.event.user);
  entry.accepted_at_ms = time_ms(record.event.received_at) & kTimeMax;
  entry.next_attempt_at_ms = time_ms(state.next_attempt_at) & kTimeMax;
  entry.wait_ms = wait_ms(state.wait);
  entry.owed = owed_.add(state.owed);
  entry.batch = batches_.add(state.batch);
  entry.attempts_count = state.attempts_count;
  entry.splits_count = std::min(state.splits_count, kSplitsMax) & kSplitsMax;
  return entry;
}

void Ledger::apply_attempt(const Attempt& attempt) {
  const std::optional<Place> place = find_place(attempt.delivery);
  if (!place) return;
  const DeliveryState state = attempt.next.state;
  if (state == DeliveryState::delivered || state == DeliveryState::failed) {
    settle(*place);
    return;
  }
  Entry& entry = writable(place->slab).entries[place->entry];
  const bool is_newer = attempt.number > entry.attempts_count;
  if (attempt.is_split && is_newer && entry.splits_count < kSplitsMax) ++entry.splits_count;
  entry.attempts_count = std::max(static_cast<std::uint16_t>(entry.attempts_count), attempt.number);
  entry.state = to_state(DeliveryState::retrying);
  entry.next_attempt_at_ms = time_ms(attempt.next.retry_at) & kTimeMax;
  entry.wait_ms = wait_ms(attempt.next.retry_at - attempt.started_at - attempt.duration);
}

void Ledger::apply_batch(const Batched& batch, Position position) {
  const BatchRef formed{.formed_at = position,
                        .members_count = static_cast<std::uint32_t>(batch.members.size())};
  for (const DeliveryId member : batch.members) {
    const std::optional<Place> place = find_place(member);
    if (!place) continue;
    Entry& entry = writable(place->slab).entries[place->entry];
    batches_.release(entry.batch);
    entry.batch = batches_.add(formed);
  }
}

std::size_t Ledger::slab_for(DeliveryId delivery) const {
  const auto after = std::ranges::upper_bound(
      slabs_, delivery, {}, [](const SlabPointer& slab) { return key_of(slab->entries[0]); });
  return after == slabs_.begin() ? 0 : static_cast<std::size_t>(after - slabs_.begin()) - 1;
}

std::uint32_t Ledger::entry_for(const Slab& slab, DeliveryId delivery) {
  const auto entries = std::span(slab.entries).first(slab.count);
  return static_cast<std::uint32_t>(std::ranges::lower_bound(entries, delivery, {}, key_of) -
                                    entries.begin());
}

std::optional<Ledger::Place> Ledger::find_place(DeliveryId delivery) const {
  if (slabs_.empty()) return std::nullopt;
  const std::size_t index = slab_for(delivery);
  const Place place{.slab = index, .entry = entry_for(*slabs_[index], delivery)};
  const Slab& slab = *slabs_[place.slab];
  if (place.entry == slab.count) return std::nullopt;
  const Entry& entry = slab.entries[place.entry];
  if (entry.state == kSettledState || key_of(entry) != delivery) return std::nullopt;
  return place;
}

std::optional<Unsettled> Ledger::find(DeliveryId delivery) const {
  const std::optional<Place> place = find_place(delivery);
  if (!place) return std::nullopt;
  const Entry& entry = slabs_[place->slab]->entries[place->entry];
  return to_unsettled(entry, base_, owed_.at(entry.owed), batches_.at(entry.batch));
}

Ledger::Slab& Ledger::writable(std::size_t index) {
  SlabPointer& slab = slabs_[index];
  if (slab->epoch < epoch_) {
    slab = std::make_shared<Slab>(*slab);
    slab->epoch = epoch_;
  }
  return *slab;
}

Ledger::SlabPointer Ledger::new_slab() {
  SlabPointer slab = std::exchange(spare_, nullptr);
  if (slab == nullptr || slab->epoch < epoch_) slab = std::make_shared_for_overwrite<Slab>();
  slab->epoch = epoch_;
  slab->count = 0;
  slab->live_count = 0;
  return slab;
}

void Ledger::insert(const Entry& entry) {
  const DeliveryId key = key_of(entry);
  ++unsettled_count_;
  if (slabs_.empty() || key_of(slabs_.back()->entries[slabs_.back()->count - 1]) < key) {
    append(entry);
    return;
  }
  std::size_t index = slab_for(key);
  if (slabs_[index]->count == kSlabEntries) {
    split(index);
    index = slab_for(key);
  }
  Slab& slab = writable(index);
  const std::uint32_t at = entry_for(slab, key);
  const bool is_there = at < slab.count && key_of(slab.entries[at]) == key;  // but settled
  if (!is_there) {
    std::move_backward(slab.entries.begin() + at, slab.entries.begin() + slab.count,
                       slab.entries.begin() + slab.count + 1);
    ++slab.count;
  }
  slab.entries[at] = entry;
  ++slab.live_count;
}

void Ledger::append(const Entry& entry) {
  if (slabs_.empty() || slabs_.back()->count == kSlabEntries) slabs_.push_back(new_slab());
  Slab& slab = writable(slabs_.size() - 1);
  slab.entries[slab.count] = entry;
  ++slab.count;
  ++slab.live_count;
}

// Moves the second half of a slab into a new one behind it.
void Ledger::split(std::size_t index) {
  Slab& slab = writable(index);
  SlabPointer half = new_slab();
  const std::uint32_t kept = slab.count / 2;
  for (std::uint32_t i = kept; i < slab.count; ++i) {
    half->entries[half->count] = slab.entries[i];
    ++half->count;
    if (slab.entries[i].state != kSettledState) ++half->live_count;
  }
  slab.count = kept;
  slab.live_count -= half->live_count;
  slabs_.insert(slabs_.begin() + static_cast<std::ptrdiff_t>(index) + 1, std::move(half));
}

void Ledger::settle(Place place) {
  Slab& slab = writable(place.slab);
  Entry& entry = slab.entries[place.entry];
  let_go(location_of(entry));
  owed_.release(entry.owed);
  batches_.release(entry.batch);
  entry.state = kSettledState;
  --slab.live_count;
  --unsettled_count_;
  if (slab.live_count <= kTidyBelow) tidy(place.slab);
}

void Ledger::tidy(std::size_t index) {
  if (slabs_[index]->live_count == 0) {
    spare_ = std::move(slabs_[index]);
    slabs_.erase(slabs_.begin() + static_cast<std::ptrdiff_t>(index));
    return;
  }
  const auto fits = [&](std::size_t other) {
    return slabs_[index]->live_count + slabs_[other]->live_count <= kMergedMax;
  };
  if (index > 0 && fits(index - 1)) {
    merge(index - 1);
  } else if (index + 1 < slabs_.size() && fits(index + 1)) {
    merge(index);
  }
}

// Makes one slab of the unsettled entries of two neighbours.
void Ledger::merge(std::size_t index) {
  SlabPointer merged = new_slab();
  for (const std::size_t from : {index, index + 1}) {
    const Slab& slab = *slabs_[from];
    for (std::uint32_t i = 0; i < slab.count; ++i) {
      if (slab.entries[i].state == kSettledState) continue;
      merged->entries[merged->count] = slab.entries[i];
      ++merged->count;
    }
  }
  merged->live_count = merged->count;
  slabs_[index] = std::move(merged);
  slabs_.erase(slabs_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

void Ledger::hold(Position location, std::uint64_t bytes) {
  SegmentLoad& load = segments_[segment_of(location)];
  ++load.deliveries_count;
  ++load.unsettled_count;
  load.bytes += bytes;
}

void Ledger::let_go(Position location) {
  const auto found = segments_.find(segment_of(location));
  EILPOST_ASSERT(found != segments_.end());
  if (--found->second.unsettled_count == 0) segments_.erase(found);
}

std::uint64_t Ledger::live_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, load] : segments_) {
    bytes += load.bytes / load.deliveries_count * load.unsettled_count;
  }
  return bytes;
}

std::optional<std::uint64_t> Ledger::oldest_segment() const {
  if (segments_.empty()) return std::nullopt;
  return segments_.begin()->first;
}

void Ledger::for_each_from(DeliveryId from,
                           const std::function<bool(const Unsettled&)>& each) const {
  if (slabs_.empty()) return;
  std::size_t index = slab_for(from);
  std::uint32_t at = entry_for(*slabs_[index], from);
  for (; index < slabs_.size(); ++index, at = 0) {
    const Slab& slab = *slabs_[index];
    for (; at < slab.count; ++at) {
      const Entry& entry = slab.entries[at];
      if (entry.state == kSettledState) continue;
      const BatchRef batch = batches_.at(entry.batch);
      if (!each(to_unsettled(entry, base_, owed_.at(entry.owed), batch))) return;
    }
  }
}

Ledger::Snapshot Ledger::snapshot() {
  ++epoch_;
  Snapshot snapshot;
  snapshot.base_ = base_;
  snapshot.unsettled_count_ = unsettled_count_;
  snapshot.slabs_.assign(slabs_.begin(), slabs_.end());
  snapshot.owed_ = owed_.list();
  snapshot.batches_ = batches_.list();
  snapshot.segments_ = segments_;
  return snapshot;
}

void Ledger::Snapshot::for_each(const std::function<void(const Unsettled&)>& each) const {
  for (const auto& slab : slabs_) {
    for (std::uint32_t i = 0; i < slab->count; ++i) {
      const Entry& entry = slab->entries[i];
      if (entry.state == kSettledState) continue;
      const BatchRef batch =
          entry.batch == BatchTable::kNone ? BatchRef{} : batches_[entry.batch - 1];
      each(to_unsettled(entry, base_, owed_[entry.owed], batch));
    }
  }
}

Bytes Ledger::Snapshot::encode() const {
  constexpr std::size_t kEntryBytesGuess = 40;
  Bytes bytes;
  bytes.reserve(unsettled_count_ * kEntryBytesGuess + owed_.size() * kOwedBytes + 64);
  ByteWriter writer(bytes);
  writer.u64(base_);
  writer.varint(owed_.size());
  for (const Owed& owed : owed_) {
    writer.u64(static_cast<std::uint64_t>(owed.webhook));
    writer.u32(owed.webhook_version);
    writer.u64(static_cast<std::uint64_t>(owed.destination));
  }
  writer.varint(batches_.size());
  for (const BatchRef& batch : batches_) {
    writer.u64(batch.formed_at.value);
    writer.u32(batch.members_count);
  }
  writer.varint(segments_.size());
  for (const auto& [number, load] : segments_) {
    writer.varint(number);
    writer.varint(load.deliveries_count);
    writer.varint(load.unsettled_count);
    writer.varint(load.bytes);
  }
  writer.varint(unsettled_count_);
  std::uint64_t last_sequence = 0;
  for (const auto& slab : slabs_) {
    for (const Entry& entry : std::span(slab->entries).first(slab->count)) {
      if (entry.state == kSettledState) continue;
      writer.varint(entry.sequence - last_sequence);
      last_sequence = entry.sequence;
      writer.varint(entry.ordinal);
      writer.varint(entry.location);
      const bool has_splits = entry.splits_count > 0;
      writer.u8(static_cast<std::uint8_t>(entry.state | (has_splits ? kHasSplits : 0U)));
      writer.u32(entry.user_hash);
      writer.varint(entry.batch);
      writer.varint(entry.accepted_at_ms);
      writer.varint(entry.next_attempt_at_ms);
      writer.varint(entry.wait_ms);
      writer.varint(entry.owed);
      writer.varint(entry.attempts_count);
      if (has_splits) writer.varint(entry.splits_count);
    }
  }
  return bytes;
}

std::unique_ptr<Ledger> Ledger::decode(ByteView bytes) {
  auto ledger = std::make_unique<Ledger>();
  ByteReader reader(bytes);
  ledger->base_ = reader.u64();
  const std::uint64_t owed_count = reader.varint();
  if (owed_count > reader.rest().size() / kOwedBytes) return nullptr;
  std::vector<Owed> owed(owed_count);
  for (Owed& row : owed) {
    row.webhook = static_cast<WebhookId>(reader.u64());
    row.webhook_version = reader.u32();
    row.destination = static_cast<DestinationId>(reader.u64());
  }
  const std::uint64_t batches_count = reader.varint();
  if (batches_count > reader.rest().size() / kBatchBytes) return nullptr;
  std::vector<BatchRef> batches(batches_count);
  for (BatchRef& row : batches) {
    row.formed_at.value = reader.u64();
    row.members_count = reader.u32();
  }
  const std::uint64_t segments_count = reader.varint();
  for (std::uint64_t i = 0; i < segments_count && !reader.failed(); ++i) {
    SegmentLoad& load = ledger->segments_[reader.varint()];
    load.deliveries_count = reader.varint();
    load.unsettled_count = reader.varint();
    load.bytes = reader.varint();
    if (load.deliveries_count == 0) return nullptr;
  }
  const std::uint64_t count = reader.varint();
  std::uint64_t sequence = 0;
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) {
    Entry entry{};
    sequence += reader.varint();
    entry.sequence = sequence;
    entry.ordinal = reader.varint() & 0xFFFFU;
    entry.location = reader.varint() & ((1ULL << 56U) - 1);
    const std::uint8_t state = reader.u8();
    entry.state = state & ~kHasSplits & 0xFFU;
    entry.user_hash = reader.u32();
    const std::uint64_t batch = reader.varint();
    entry.accepted_at_ms = reader.varint() & kTimeMax;
    entry.next_attempt_at_ms = reader.varint() & kTimeMax;
    entry.wait_ms = static_cast<std::uint32_t>(reader.varint());
    const std::uint64_t number = reader.varint();
    entry.attempts_count = reader.varint() & kAttemptsMax;
    if ((state & kHasSplits) != 0) entry.splits_count = reader.varint() & kSplitsMax;
    if (reader.failed() || number >= owed.size() || batch > batches.size() ||
        entry.state == kSettledState || entry.state > to_state(DeliveryState::retrying)) {
      return nullptr;
    }
    entry.owed = ledger->owed_.add(owed[number]) & OwedTable::kNumberMax;
    if (batch != BatchTable::kNone) entry.batch = ledger->batches_.add(batches[batch - 1]);
    ledger->append(entry);
    ++ledger->unsettled_count_;
  }
  if (!reader.is_at_end()) return nullptr;
  return ledger;
}

}  // namespace eilpost::store
