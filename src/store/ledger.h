#pragma once
// What is owed, as the journal says: every delivery that is not settled, in accept order.
//
// Invariants: the same records in the same order give the same Ledger, whether they are applied as
//             they are appended, or read back later, or in part stand in a saved Ledger.
// Threads:    one at a time; a Snapshot may be read on another thread meanwhile.
// Limits:     48 bytes a delivery, in slabs of 1,024; two neighbours are together at least half
// full.

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "model/delivery.h"
#include "model/ids.h"
#include "store/batch_table.h"
#include "store/owed_table.h"
#include "store/records.h"

namespace eilpost::store {

// How much of a segment is still needed.
struct SegmentLoad {
  std::uint64_t deliveries_count = 0;  // that its records held, all in all
  std::uint64_t unsettled_count = 0;
  std::uint64_t bytes = 0;  // of those records

  friend bool operator==(const SegmentLoad&, const SegmentLoad&) = default;
};

class Ledger {
 public:
  static constexpr std::size_t kSlabEntries = 1024;

  Ledger() = default;
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Takes in what a record of `record_bytes` at `position` says.
  void apply(const Record& record, Position position, std::size_t record_bytes);

  [[nodiscard]] std::uint64_t unsettled_count() const { return unsettled_count_; }
  [[nodiscard]] std::optional<Unsettled> find(DeliveryId delivery) const;
  // About how many bytes of records are still needed.
  [[nodiscard]] std::uint64_t live_bytes() const;
  // The oldest segment that still holds an unsettled delivery.
  [[nodiscard]] std::optional<std::uint64_t> oldest_segment() const;
  [[nodiscard]] const std::map<std::uint64_t, SegmentLoad>& segments() const { return segments_; }

  // Calls `each` for those from `from` on, in accept order, until it returns false.
  void for_each_from(DeliveryId from, const std::function<bool(const Unsettled&)>& each) const;

  // As it is now, whatever is applied later; taking one costs little.
  class Snapshot;
  [[nodiscard]] Snapshot snapshot();

  // Nothing if the bytes are not what Snapshot::encode() wrote.
  [[nodiscard]] static std::unique_ptr<Ledger> decode(ByteView bytes);

  // For measuring: what the deliveries take in memory.
  [[nodiscard]] std::size_t memory_bytes() const { return slabs_.size() * sizeof(Slab); }

 private:
  // An entry that is settled keeps its place until its slab is tidied up.
  struct Entry {
    std::uint64_t sequence;
    std::uint64_t location : 56;  // from base_ on
    std::uint64_t state : 8;      // 0: settled; else DeliveryState + 1
    std::uint32_t user_hash;
    std::uint32_t batch;
    std::uint64_t accepted_at_ms : 48;
    std::uint64_t ordinal : 16;
    std::uint64_t next_attempt_at_ms : 48;  // 0: at once
    std::uint64_t attempts_count : 16;
    std::uint32_t wait_ms;  // that was decided, until then
    std::uint32_t owed : 22;
    std::uint32_t splits_count : 10;
  };
  static_assert(sizeof(Entry) == 48);

  struct Slab {
    std::uint64_t epoch = 0;  // a Snapshot that is newer shares it
    std::uint32_t count = 0;
    std::uint32_t live_count = 0;
    std::array<Entry, kSlabEntries> entries;
  };
  using SlabPointer = std::shared_ptr<Slab>;
  struct Place {
    std::size_t slab = 0;
    std::uint32_t entry = 0;
  };

  static DeliveryId key_of(const Entry& entry);
  static Unsettled to_unsettled(const Entry& entry, std::uint64_t base, const Owed& owed,
                                const BatchRef& batch);
  // The slab in which `delivery` lies or would be put. REQUIRES: there is one.
  [[nodiscard]] std::size_t slab_for(DeliveryId delivery) const;
  // The first entry of a slab that is not before `delivery`.
  [[nodiscard]] static std::uint32_t entry_for(const Slab& slab, DeliveryId delivery);
  [[nodiscard]] std::optional<Place> find_place(DeliveryId delivery) const;
  Slab& writable(std::size_t index);
  [[nodiscard]] SlabPointer new_slab();

  void apply_event(const EventRecord& record, Position sequence, Position position,
                   std::size_t record_bytes);
  void apply_attempt(const Attempt& attempt);
  void apply_batch(const Batched& batch, Position position);
  void insert(const Entry& entry);
  void append(const Entry& entry);
  void split(std::size_t index);
  void settle(Place place);
  void tidy(std::size_t index);
  void merge(std::size_t index);
  void hold(Position location, std::uint64_t bytes);
  void let_go(Position location);
  [[nodiscard]] Entry make_entry(DeliveryId delivery, Position location, const EventRecord& record,
                                 const OwedState& state);
  [[nodiscard]] Position location_of(const Entry& entry) const {
    return {.value = base_ + entry.location};
  }

  std::uint64_t base_ = 0;  // locations count from here
  std::uint64_t unsettled_count_ = 0;
  std::uint64_t epoch_ = 0;
  std::vector<SlabPointer> slabs_;  // none is empty
  SlabPointer spare_;               // the last slab that became empty
  OwedTable owed_;
  BatchTable batches_;
  std::map<std::uint64_t, SegmentLoad> segments_;
};

// Threads: encode() and for_each() may run while the Ledger goes on.
class Ledger::Snapshot {
 public:
  void for_each(const std::function<void(const Unsettled&)>& each) const;
  [[nodiscard]] Bytes encode() const;

 private:
  friend class Ledger;
  Snapshot() = default;

  std::uint64_t base_ = 0;
  std::uint64_t unsettled_count_ = 0;
  std::vector<std::shared_ptr<const Slab>> slabs_;
  std::vector<Owed> owed_;
  std::vector<BatchRef> batches_;
  std::map<std::uint64_t, SegmentLoad> segments_;
};

}  // namespace eilpost::store
