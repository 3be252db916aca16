// The words for enumerators, as the API, the console and the log write them.

#include <array>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "base/encoding.h"
#include "model/catalog.h"
#include "model/delivery.h"
#include "model/destination.h"
#include "model/outbound.h"
#include "model/webhook.h"

namespace eilpost {
namespace {

// The enumerator that to_string() writes as `text`. Enumerators are 0 to `last` without a gap.
template <class Enum>
std::optional<Enum> parse_name(std::string_view text, Enum last) {
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(last); ++i) {
    const auto candidate = static_cast<Enum>(i);
    if (to_string(candidate) == text) return candidate;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(PropertyType type) {
  switch (type) {
    case PropertyType::string:
      return "string";
    case PropertyType::integer:
      return "integer";
    case PropertyType::number:
      return "number";
    case PropertyType::boolean:
      return "boolean";
    case PropertyType::array:
      return "array";
    case PropertyType::object:
      return "object";
    case PropertyType::id:
      return "id";
    case PropertyType::scalar:
      return "scalar";
    case PropertyType::any:
      return "any";
  }
  assert_failed("PropertyType");
}

std::optional<PropertyType> parse_property_type(std::string_view text) {
  return parse_name(text, PropertyType::any);
}

std::string_view to_string(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::answered:
      return "answered";
    case OutcomeKind::dns:
      return "dns";
    case OutcomeKind::connect:
      return "connect";
    case OutcomeKind::tls:
      return "tls";
    case OutcomeKind::timeout:
      return "timeout";
    case OutcomeKind::reset:
      return "reset";
    case OutcomeKind::too_large:
      return "too_large";
    case OutcomeKind::blocked_address:
      return "blocked_address";
    case OutcomeKind::token:
      return "token";
    case OutcomeKind::render:
      return "render";
  }
  assert_failed("OutcomeKind");
}

std::string batch_id_text(Hash128 id) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.u64(id.low);
  writer.u64(id.high);
  return "bat_" + encode_hex(bytes);
}

std::string_view to_string(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending:
      return "pending";
    case DeliveryState::retrying:
      return "retrying";
    case DeliveryState::held:
      return "held";
    case DeliveryState::delivered:
      return "delivered";
    case DeliveryState::failed:
      return "failed";
  }
  assert_failed("DeliveryState");
}

std::optional<DeliveryState> parse_delivery_state(std::string_view text) {
  return parse_name(text, DeliveryState::failed);
}

std::string_view to_string(FailReason reason) {
  switch (reason) {
    case FailReason::none:
      return "";
    case FailReason::attempts_used_up:
      return "attempts_used_up";
    case FailReason::final_status:
      return "final_status";
    case FailReason::webhook_deleted:
      return "webhook_deleted";
    case FailReason::destination_deleted:
      return "destination_deleted";
    case FailReason::backlog_full:
      return "backlog_full";
    case FailReason::expired:
      return "expired";
    case FailReason::erased:
      return "erased";
    case FailReason::damaged:
      return "damaged";
    case FailReason::rejected:
      return "rejected";
    case FailReason::record_lost:
      return "record_lost";
  }
  assert_failed("FailReason");
}

std::string_view to_string(DestinationState state) {
  switch (state) {
    case DestinationState::active:
      return "active";
    case DestinationState::paused:
      return "paused";
    case DestinationState::disabled:
      return "disabled";
  }
  assert_failed("DestinationState");
}

std::string_view to_string(HttpMethod method) {
  switch (method) {
    case HttpMethod::get:
      return "GET";
    case HttpMethod::post:
      return "POST";
    case HttpMethod::put:
      return "PUT";
    case HttpMethod::patch:
      return "PATCH";
    case HttpMethod::delete_:
      return "DELETE";
  }
  assert_failed("HttpMethod");
}

std::optional<HttpMethod> parse_http_method(std::string_view text) {
  return parse_name(text, HttpMethod::delete_);
}

std::string_view to_string(Operator op) {
  static constexpr std::array<std::string_view, 16> kNames = {
      "is",
      "is_not",
      "contains",
      "does_not_contain",
      "starts_with",
      "ends_with",
      "matches",
      "in",
      "not_in",
      "greater_than",
      "greater_or_equal",
      "less_than",
      "less_or_equal",
      "between",
      "exists",
      "does_not_exist",
  };
  const auto index = static_cast<std::size_t>(op);
  EILPOST_ASSERT(index < kNames.size());
  return kNames[index];
}

std::optional<Operator> parse_operator(std::string_view text) {
  return parse_name(text, Operator::does_not_exist);
}

}  // namespace eilpost
