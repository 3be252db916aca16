// Addresses as text: RFC 4291 forms in, RFC 5952 forms out.

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <optional>

#include "env/network.h"

namespace eilpost::env {
namespace {

constexpr std::size_t kTextBytesMax = INET6_ADDRSTRLEN;
constexpr std::string_view kDigits = "0123456789";

// A decimal number up to `value_max` without sign, spaces or leading zeros.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t value_max) {
  if (text.empty() || text.size() > 5) return std::nullopt;
  if (text.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  if (value > value_max) return std::nullopt;
  return value;
}

bool parse_v4(std::string_view text, std::uint8_t* target) {
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return false;
    const auto value = parse_decimal(text.substr(0, dot), 255);
    if (!value) return false;
    target[part] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return true;
}

// inet_pton is strict for IPv6 in every point but one: it leaves the dotted tail's leading zeros
// to the system, so that tail is checked here too.
bool parse_v6(std::string_view text, std::uint8_t* target) {
  if (text.size() >= kTextBytesMax || text.contains('\0')) return false;
  if (text.contains('.')) {
    const std::size_t colon = text.rfind(':');
    std::uint8_t ignored[4];
    if (colon == std::string_view::npos || !parse_v4(text.substr(colon + 1), ignored)) return false;
  }
  char terminated[kTextBytesMax] = {};
  std::memcpy(terminated, text.data(), text.size());
  return inet_pton(AF_INET6, terminated, target) == 1;
}

}  // namespace

std::string to_string(const Address& address) {
  char text[kTextBytesMax] = {};
  inet_ntop(address.is_v6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

std::string to_string(const Endpoint& endpoint) {
  const std::string address = to_string(endpoint.address);
  const std::string port = std::to_string(endpoint.port);
  if (endpoint.address.is_v6) return "[" + address + "]:" + port;
  return address + ":" + port;
}

Result<Address> parse_address(std::string_view text) {
  Address address;
  address.is_v6 = text.contains(':');
  const bool valid =
      address.is_v6 ? parse_v6(text, address.bytes.data()) : parse_v4(text, address.bytes.data());
  if (!valid) {
    return fail(ErrorCode::bad_input, "not an IP address: " + std::string(text.substr(0, 100)));
  }
  return address;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return fail(ErrorCode::bad_input,
                "not ADDRESS:PORT (" + std::string(why) + "): " + std::string(text.substr(0, 100)));
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return bad("no port");
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  const Result<Address> address = parse_address(host);
  if (!address) return bad("the address");
  if (address->is_v6 != bracketed) return bad("IPv6, and only IPv6, stands in brackets");
  const auto port = parse_decimal(text.substr(colon + 1), 65535);
  if (!port) return bad("the port");
  return Endpoint{.address = *address, .port = static_cast<std::uint16_t>(*port)};
}

}  // namespace eilpost::env
