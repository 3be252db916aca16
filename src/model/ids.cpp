#include "model/ids.h"

#include <limits>

#include "base/encoding.h"
#include "base/parse.h"

namespace eilpost {
namespace {

constexpr std::uint64_t kIdEnd = 1ULL << 63U;
constexpr std::string_view kDeliveryPrefix = "dlv_";

template <class Id>
constexpr std::string_view kPrefix;
template <>
constexpr std::string_view kPrefix<SourceId> = "so_";
template <>
constexpr std::string_view kPrefix<WebhookId> = "wh_";
template <>
constexpr std::string_view kPrefix<DestinationId> = "dst_";
template <>
constexpr std::string_view kPrefix<UserId> = "usr_";
template <>
constexpr std::string_view kPrefix<ApiKeyId> = "key_";

template <class Id>
std::string id_to_string(Id id) {
  return std::string(kPrefix<Id>) + encode_base32(static_cast<std::uint64_t>(id));
}

}  // namespace

std::string to_string(SourceId id) {
  return id_to_string(id);
}
std::string to_string(WebhookId id) {
  return id_to_string(id);
}
std::string to_string(DestinationId id) {
  return id_to_string(id);
}
std::string to_string(UserId id) {
  return id_to_string(id);
}
std::string to_string(ApiKeyId id) {
  return id_to_string(id);
}

template <class Id>
std::optional<Id> parse_id(std::string_view text) {
  if (!text.starts_with(kPrefix<Id>)) return std::nullopt;
  const auto value = decode_base32(text.substr(kPrefix<Id>.size()));
  if (!value || *value >= kIdEnd) return std::nullopt;
  return Id{*value};
}

template std::optional<SourceId> parse_id<SourceId>(std::string_view text);
template std::optional<WebhookId> parse_id<WebhookId>(std::string_view text);
template std::optional<DestinationId> parse_id<DestinationId>(std::string_view text);
template std::optional<UserId> parse_id<UserId>(std::string_view text);
template std::optional<ApiKeyId> parse_id<ApiKeyId>(std::string_view text);

std::string to_string(DeliveryId id) {
  std::string text;
  text.reserve(kDeliveryPrefix.size() + kBase32U64Chars + 1 +
               std::numeric_limits<std::uint16_t>::digits10 + 1);
  text += kDeliveryPrefix;
  text += encode_base32(id.sequence.value);
  text += '-';
  text += std::to_string(id.ordinal);
  return text;
}

template <>
std::optional<DeliveryId> parse_id<DeliveryId>(std::string_view text) {
  if (!text.starts_with(kDeliveryPrefix)) return std::nullopt;
  const std::string_view rest = text.substr(kDeliveryPrefix.size());
  if (rest.size() < kBase32U64Chars + 2 || rest[kBase32U64Chars] != '-') return std::nullopt;
  const auto sequence = decode_base32(rest.substr(0, kBase32U64Chars));
  const std::string_view digits = rest.substr(kBase32U64Chars + 1);
  const auto ordinal = parse_integer<std::uint16_t>(digits);
  if (!sequence || !ordinal) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  return DeliveryId{.sequence = {*sequence}, .ordinal = *ordinal};
}

}  // namespace eilpost
