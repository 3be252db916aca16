#include "store/carrier.h"

#include <algorithm>
#include <utility>

#include "store/segment.h"

namespace eilpost::store {
namespace {

// A step must not keep commits waiting for more than some milliseconds.
constexpr std::size_t kStepDeliveries = 256;
constexpr std::size_t kStepBytes = 512UL * 1024;
constexpr std::size_t kStepLooks = 20'000;

}  // namespace

std::vector<Bytes> Carrier::next(const Ledger& ledger, Journal& journal, std::uint64_t segment) {
  if (segment != segment_) {
    segment_ = segment;
    cursor_ = {};
    is_through_ = false;
  }
  const std::size_t bytes_max = std::min(kStepBytes, journal.append_bytes_max());
  const std::vector<Unsettled> chosen = choose(ledger, segment);
  std::vector<Bytes> records;
  std::size_t bytes = 0;
  for (std::size_t begin = 0; begin < chosen.size();) {
    const auto rest = std::span(chosen).subspan(begin);
    const auto next_event = std::ranges::find_if(rest, [&](const Unsettled& delivery) {
      return delivery.delivery.sequence != rest.front().delivery.sequence;
    });
    const auto count = static_cast<std::size_t>(next_event - rest.begin());
    auto record = carry_event(journal, rest.first(count));
    const std::size_t record_bytes = record ? record->size() + Journal::kRecordOverheadBytes : 0;
    if (!records.empty() && bytes + record_bytes > bytes_max) {  // The next step goes on here.
      cursor_ = rest.front().delivery;
      is_through_ = false;
      break;
    }
    begin += count;
    if (!record || record_bytes > journal.append_bytes_max()) continue;
    bytes += record_bytes;
    records.push_back(std::move(*record));
  }
  return records;
}

// The next deliveries whose record lies in `segment`; those of one event are chosen together.
std::vector<Unsettled> Carrier::choose(const Ledger& ledger, std::uint64_t segment) {
  std::vector<Unsettled> chosen;
  std::size_t looks = 0;
  bool is_at_end = true;
  // An accept sequence is at or before the location, so nothing of the segment lies farther on.
  const Position end = to_position(segment + 1, 0);
  ledger.for_each_from(cursor_, [&](const Unsettled& delivery) {
    if (delivery.delivery.sequence >= end) return false;
    const bool is_same_event =
        !chosen.empty() && chosen.back().delivery.sequence == delivery.delivery.sequence;
    if (!is_same_event && (chosen.size() >= kStepDeliveries || looks >= kStepLooks)) {
      cursor_ = delivery.delivery;
      is_at_end = false;
      return false;
    }
    ++looks;
    if (segment_of(delivery.location) == segment) chosen.push_back(delivery);
    return true;
  });
  is_through_ = is_at_end;
  return chosen;
}

std::optional<Bytes> Carrier::carry_event(Journal& journal, std::span<const Unsettled> deliveries) {
  const Result<Bytes> bytes = journal.read_one(deliveries.front().location);
  if (!bytes || !decode_record(*bytes, scratch_)) return std::nullopt;
  if (scratch_.kind != RecordKind::accepted && scratch_.kind != RecordKind::carried) {
    return std::nullopt;
  }
  EventRecord& record = scratch_.event;
  record.sequence = deliveries.front().delivery.sequence;
  record.deliveries.clear();
  for (const Unsettled& delivery : deliveries) {
    record.deliveries.push_back({.ordinal = delivery.delivery.ordinal,
                                 .owed = delivery.owed,
                                 .attempts_count = delivery.attempts_count,
                                 .splits_count = delivery.splits_count,
                                 .next_attempt_at = delivery.next_attempt_at,
                                 .wait = delivery.wait,
                                 .state = delivery.state,
                                 .batch = delivery.batch});
  }
  Bytes carried;
  carried.reserve(bytes->size() + 64);
  encode_carried(record, carried);
  return carried;
}

}  // namespace eilpost::store
