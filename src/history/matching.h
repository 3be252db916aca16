#pragma once
// Whether an event, a delivery or a whole block is what a Filter asks for.

#include <string_view>

#include "base/time.h"
#include "history/block.h"
#include "history/history.h"

namespace eilpost::history {

// What a Filter can ask of an event.
struct EventKeys {
  std::string_view id;
  std::string_view type;
  std::string_view user;
  EnvironmentId environment{};
  WallTime received_at;
};
[[nodiscard]] EventKeys keys_of(const LoggedEvent& event);
[[nodiscard]] EventKeys keys_of(const EventRow& row);

[[nodiscard]] bool matches_event(const Filter& filter, const EventKeys& event);
[[nodiscard]] bool matches_delivery(const Filter& filter, const LoggedDelivery& delivery);

// False: no event of the block is asked for, or none with a delivery to the webhook and the
// destination asked for.
[[nodiscard]] bool may_match(const Filter& filter, const BlockFacts& facts, ByteView terms);
// Whether deliveries that are in `state`, or held in it, are asked for.
[[nodiscard]] bool may_match_state(const Filter& filter, DeliveryState state);

}  // namespace eilpost::history
