#pragma once
// The ids of Eilpost's own things. Each is a type of its own; in text each has a prefix.
//
// Format: a random number below 2^63 (SQLite keeps it as a primary key), in text its prefix and 13
//         characters of Crockford base32: wh_01d6x3kq9m2vz.

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace eilpost {

enum class SourceId : std::uint64_t {};
enum class WebhookId : std::uint64_t {};
enum class DestinationId : std::uint64_t {};
enum class UserId : std::uint64_t {};  // a person who signs in to Eilpost, not an end user
enum class ApiKeyId : std::uint64_t {};

// production (0), editor (2) and test (3) are built in; others are numbered from 100.
enum class EnvironmentId : std::uint32_t { production = 0, editor = 2, test = 3 };

[[nodiscard]] std::string to_string(SourceId id);       // src…: "so_…" (a key is "src_…")
[[nodiscard]] std::string to_string(WebhookId id);      // "wh_…"
[[nodiscard]] std::string to_string(DestinationId id);  // "dst_…"
[[nodiscard]] std::string to_string(UserId id);         // "usr_…"
[[nodiscard]] std::string to_string(ApiKeyId id);       // "key_…"

// Nothing if the prefix or the rest is not what to_string() writes.
template <class Id>
[[nodiscard]] std::optional<Id> parse_id(std::string_view text);

// A place in the journal; it grows, is never used again and means nothing above store/.
struct Position {
  std::uint64_t value = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// One event owed to one webhook: the position at which the event was accepted (its accept sequence;
// it stays when the journal moves the record) and the place among what that event owes.
//
// Format: "dlv_", 13 characters of base32, "-", the ordinal in decimal. It is also the webhook-id.
struct DeliveryId {
  Position sequence;
  std::uint16_t ordinal = 0;
  friend auto operator<=>(const DeliveryId&, const DeliveryId&) = default;
};

[[nodiscard]] std::string to_string(DeliveryId id);
template <>
[[nodiscard]] std::optional<DeliveryId> parse_id<DeliveryId>(std::string_view text);

}  // namespace eilpost

template <>
struct std::hash<eilpost::DeliveryId> {
  std::size_t operator()(const eilpost::DeliveryId& id) const noexcept {
    return static_cast<std::size_t>((id.sequence.value * 0x9E3779B97F4A7C15ULL) ^ id.ordinal);
  }
};
