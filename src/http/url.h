#pragma once
// Destinations' URLs (RFC 3986), read strictly: what two programs could read differently is
// refused.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/network.h"

namespace eilpost::http {

inline constexpr std::size_t kUrlBytesMax = 8UL * 1024;

enum class Scheme : std::uint8_t { http, https };

struct Url {
  Scheme scheme = Scheme::https;
  std::string host;                     // lower case, no final dot; IPv6 without brackets
  std::optional<env::Address> address;  // if the host is an IP literal
  std::uint16_t port = 443;
  std::string path;                  // as it was given; at least "/"
  std::optional<std::string> query;  // as it was given, without '?'

  // The Host header: the host, and the port if it is not the scheme's.
  [[nodiscard]] std::string authority() const;
  // The request line's: path and query.
  [[nodiscard]] std::string target() const;
  // "https://example.com/a?b"
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const Url&, const Url&) = default;
};

// Reads an absolute http or https URL; a fragment is dropped. Errors: bad_input, with a detail that
// tells a person what to mend: another scheme, user information, an empty or percent-encoded host,
// non-ASCII (give it as punycode), IPv4 in short, octal, hexadecimal or decimal form, control
// characters, spaces, backslashes, a bad port or percent-encoding, more than kUrlBytesMax bytes.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

}  // namespace eilpost::http
