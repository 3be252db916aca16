#pragma once
// What is seen in events: guidance items, properties with their types, values. Collected from a
// sample of them, so that a burst costs no more than a trickle.
//
// Threads: one.

#include <cstddef>
#include <cstdint>
#include <map>
#include <simdjson.h>
#include <string>
#include <tuple>
#include <utility>

#include "base/time.h"
#include "model/event.h"
#include "model/property_type.h"

namespace eilpost::history {

inline constexpr std::size_t kSeenBatchMax = 50;         // events looked at of one batch
inline constexpr std::size_t kSeenPerSecond = 100;       // and in the long run
inline constexpr std::size_t kSeenValueBytesMax = 200;   // longer values are not kept
inline constexpr std::size_t kSeenValuesMax = 100;       // of one property
inline constexpr std::size_t kSeenPropertiesMax = 1000;  // of one event type
inline constexpr std::size_t kSeenItemsMax = 10'000;     // of one type of item

class Seen final {
 public:
  struct Item {
    std::string name;
    WallTime last_seen_at;
  };
  struct Property {
    PropertyType type = PropertyType::any;
    std::uint64_t count = 0;
  };
  struct Value {
    std::uint64_t count = 0;
    WallTime last_seen_at;
  };

  // Looks at an event unless the budget is used up.
  void look_at(const Event& event, Instant now);
  void begin_batch() { batch_count_ = 0; }
  void clear();

  // By (type of item, id as JSON); by (event type, path); by (event type, path, value as JSON).
  [[nodiscard]] const auto& items() const { return items_; }
  [[nodiscard]] const auto& properties() const { return properties_; }
  [[nodiscard]] const auto& values() const { return values_; }
  [[nodiscard]] bool is_empty() const { return properties_.empty() && items_.empty(); }

 private:
  void note_item(const Event& event, simdjson::dom::object data);
  void note_properties(const Event& event, simdjson::dom::object data);
  void note(const Event& event, const std::string& path, simdjson::dom::element value);
  [[nodiscard]] bool take_budget(Instant now);

  simdjson::dom::parser parser_;
  std::map<std::pair<std::string, std::string>, Item> items_;
  std::map<std::pair<std::string, std::string>, Property> properties_;
  std::map<std::tuple<std::string, std::string, std::string>, Value> values_;
  std::size_t batch_count_ = 0;
  std::size_t budget_ = 2 * kSeenPerSecond;
  Instant filled_at_{};
};

// The type of a property that was seen with both.
[[nodiscard]] PropertyType join_types(PropertyType a, PropertyType b);

}  // namespace eilpost::history
