#pragma once
// Many events that follow each other, with what became of their deliveries, packed together: rows
// to search, and details (the journal's records of the events and of their attempts) to show.
//
// Format: docs/HISTORY.md, "A block".
// Errors: decoding gives database_corrupt; it never reads past the end.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/result.h"
#include "history/bodies.h"
#include "history/rows.h"
#include "model/event.h"

namespace eilpost::history {

inline constexpr std::size_t kBlockDeliveriesMax = 2000;  // about

// A delivery and how far it has come.
struct LoggedDelivery {
  WebhookId webhook{};
  DestinationId destination{};
  DeliveryProgress progress;
};

// An event without its document; the views live as long as what it was read from.
struct LoggedEvent {
  Position sequence;
  std::string_view id;
  std::string_view type;
  std::string_view user;
  std::string_view webhook_id;
  EnvironmentId environment{};
  SourceId source{};
  WallTime time;
  WallTime received_at;
  std::optional<DeliveryId> replay_of;
  std::size_t first_delivery = 0;  // in the list of deliveries
  std::size_t deliveries_count = 0;
  std::size_t details_offset = 0;
  std::size_t details_bytes = 0;
};

// Events by sequence, with all their deliveries in one list.
struct LoggedEvents {
  std::vector<LoggedEvent> events;
  std::vector<LoggedDelivery> deliveries;

  [[nodiscard]] std::span<LoggedDelivery> deliveries_of(const LoggedEvent& event) {
    return std::span(deliveries).subspan(event.first_delivery, event.deliveries_count);
  }
  [[nodiscard]] std::span<const LoggedDelivery> deliveries_of(const LoggedEvent& event) const {
    return std::span(deliveries).subspan(event.first_delivery, event.deliveries_count);
  }
  [[nodiscard]] LoggedEvent* find(Position sequence);
  // Null too if the event does not have so many.
  [[nodiscard]] LoggedDelivery* find(DeliveryId id);
};

// What can be known of a block without unpacking it.
struct BlockFacts {
  Position first;
  Position last;
  std::uint64_t events_count = 0;
  std::uint64_t deliveries_count = 0;
  std::uint64_t late_count = 0;     // deliveries that were not settled when the block was written
  std::uint64_t states = 0;         // of the others: a bit for each DeliveryState
  std::uint64_t details_bytes = 0;  // unpacked
  WallTime accepted_min;
  WallTime accepted_max;
};

struct Block {
  BlockFacts facts;
  Bytes terms;
  Bytes rows;  // compressed, like the details
  Bytes details;
};

// Small blocks are merged until they are of the highest level.
inline constexpr int kBlockLevelMax = 2;
[[nodiscard]] int level_of(const BlockFacts& facts);

[[nodiscard]] constexpr std::uint64_t bit_of(DeliveryState state) {
  return std::uint64_t{1} << static_cast<unsigned>(state);
}

// Details of an event: records of the journal, each with its length before it; the event's is the
// first.
void append_detail(ByteView record, Bytes& details);
// Calls `each` with every record; false if the details are damaged.
template <class Each>
[[nodiscard]] bool for_each_detail(ByteView details, Each each) {
  ByteReader reader(details);
  while (!reader.failed() && !reader.rest().empty()) each(reader.bytes());
  return !reader.failed();
}

// Packs events into a block. Threads: one.
class BlockBuilder final {
 public:
  // REQUIRES: `event` comes after those before it.
  void add(const LoggedEvent& event, std::span<const LoggedDelivery> deliveries, ByteView details);
  [[nodiscard]] const BlockFacts& facts() const { return facts_; }
  // Begins anew afterwards. REQUIRES: there are events.
  [[nodiscard]] Block finish(BlockCodec& codec);

 private:
  // Values by the order in which they were seen; a new one stands where it is seen first.
  struct Numbers {
    std::unordered_map<std::uint64_t, std::size_t> places;
    std::uint64_t last = 0;
    std::size_t last_place = 0;
  };
  struct Texts {
    std::unordered_map<std::string, std::size_t, StringHash, std::equal_to<>> places;
    std::string last;
    std::size_t last_place = 0;
  };

  // True: it is new.
  bool write_number(Numbers& numbers, std::uint64_t value);
  bool write_type(std::string_view type);
  void add_delivery(const LoggedDelivery& delivery, WallTime received_at);
  void note(const LoggedEvent& event, std::span<const LoggedDelivery> deliveries);

  BlockFacts facts_;
  WallTime last_received_at_;
  Bytes rows_;
  Bytes details_;
  std::vector<std::uint64_t> terms_;
  Numbers sources_;
  Numbers environments_;
  Numbers webhooks_;
  Numbers destinations_;
  Texts types_;
};

// The views point into `text`, which is what the builder packed as rows.
[[nodiscard]] Result<LoggedEvents> decode_rows(std::string_view text, Position first);

}  // namespace eilpost::history
