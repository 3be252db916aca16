#include "http/url.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/parse.h"

namespace eilpost::http {
namespace {

constexpr std::size_t kHostBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

std::uint16_t default_port(Scheme scheme) {
  return scheme == Scheme::https ? 443 : 80;
}

std::string_view name_of(Scheme scheme) {
  return scheme == Scheme::https ? "https" : "http";
}

std::unexpected<Error> refuse(std::string detail) {
  return fail(ErrorCode::bad_input, std::move(detail));
}

bool is_hex_digit(char c) {
  return is_ascii_digit(c) || (to_ascii_lower(c) >= 'a' && to_ascii_lower(c) <= 'f');
}

Result<void> check_characters(std::string_view text) {
  if (text.empty()) return refuse("The URL is empty.");
  if (text.size() > kUrlBytesMax) {
    return refuse(fmt::format("The URL is longer than {} bytes.", kUrlBytesMax));
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) {
      return refuse(
          "The URL holds a character that is not ASCII: write a host name as punycode (xn--…), "
          "anything else percent-encoded.");
    }
    if (c == ' ') return refuse("The URL holds a space: write it as %20.");
    if (byte < 0x20 || byte == 0x7F) return refuse("The URL holds a control character.");
    if (c == '\\') return refuse("The URL holds a backslash: write / or %5C.");
  }
  return {};
}

// Path and query: RFC 3986's characters, and [ ] in a query, where they are common and harmless.
Result<void> check_encoded(std::string_view text, bool is_query) {
  const std::string_view punctuation = is_query ? "-._~!$&'()*+,;=:@/?[]" : "-._~!$&'()*+,;=:@/";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) {
        return refuse("The URL holds a % that two hexadecimal digits do not follow.");
      }
    } else if (!is_ascii_letter(c) && !is_ascii_digit(c) && !punctuation.contains(c)) {
      return refuse(fmt::format("The URL holds the character {}: write it as %{:02X}.", c,
                                static_cast<unsigned>(c)));
    }
  }
  return {};
}

// Whether programs may take this for an IPv4 address: its last label is a number.
bool ends_in_number(std::string_view host) {
  const std::string_view last = host.substr(host.rfind('.') + 1);
  if (std::ranges::all_of(last, is_ascii_digit)) return true;
  return last.starts_with("0x") && std::ranges::all_of(last.substr(2), is_hex_digit);
}

Result<void> check_label(std::string_view label) {
  if (label.empty()) return refuse("The host name has an empty part.");
  if (label.size() > kLabelBytesMax) {
    return refuse(
        fmt::format("A part of the host name is longer than {} characters.", kLabelBytesMax));
  }
  if (label.front() == '-' || label.back() == '-') {
    return refuse("A part of the host name begins or ends with a hyphen.");
  }
  for (const char c : label) {
    if (c == '%') return refuse("The host name is percent-encoded.");
    if (!is_ascii_letter(c) && !is_ascii_digit(c) && c != '-' && c != '_') {
      return refuse(fmt::format("The host name holds the character {}.", c));
    }
  }
  return {};
}

// A registered name or an IPv4 address.
Result<void> read_name(Url& url, std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return refuse("The URL has no host.");
  if (text.size() > kHostBytesMax) {
    return refuse(fmt::format("The host name is longer than {} characters.", kHostBytesMax));
  }
  url.host = to_ascii_lower(text);
  for (std::string_view rest = url.host; true;) {
    const std::size_t dot = rest.find('.');
    EILPOST_RETURN_IF_ERROR(check_label(rest.substr(0, dot)));
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (!ends_in_number(url.host)) return {};
  const Result<env::Address> address = env::parse_address(url.host);
  if (!address) {
    return refuse("The host looks like an IPv4 address: write it as four decimal numbers.");
  }
  url.address = *address;
  return {};
}

Result<void> read_port(Url& url, std::string_view text) {
  const auto port = parse_integer<std::uint16_t>(text);
  if (!port || *port == 0 || text.size() > 5) {
    return refuse("The port must be a number from 1 to 65535.");
  }
  url.port = *port;
  return {};
}

Result<void> read_authority(Url& url, std::string_view text) {
  if (text.contains('@')) {
    return refuse("The URL holds user information: use the destination's authentication.");
  }
  if (!text.starts_with('[')) {
    const std::size_t colon = text.find(':');
    EILPOST_RETURN_IF_ERROR(read_name(url, text.substr(0, colon)));
    if (colon == std::string_view::npos) return {};
    return read_port(url, text.substr(colon + 1));
  }
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return refuse("The IPv6 address has no closing bracket.");
  const Result<env::Address> address = env::parse_address(text.substr(1, end - 1));
  if (!address || !address->is_v6) return refuse("The brackets do not hold an IPv6 address.");
  url.address = *address;
  url.host = env::to_string(*address);
  const std::string_view rest = text.substr(end + 1);
  if (rest.empty()) return {};
  if (!rest.starts_with(':')) return refuse("Only a port may follow the IPv6 address.");
  return read_port(url, rest.substr(1));
}

}  // namespace

std::string Url::authority() const {
  const bool is_v6 = address && address->is_v6;
  std::string text = is_v6 ? "[" + host + "]" : host;
  if (port != default_port(scheme)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::target() const {
  return query ? path + "?" + *query : path;
}

std::string Url::to_string() const {
  return fmt::format("{}://{}{}", name_of(scheme), authority(), target());
}

Result<Url> parse_url(std::string_view text) {
  EILPOST_RETURN_IF_ERROR(check_characters(text));
  Url url;
  const std::size_t scheme_end = text.find("://");
  const std::string_view scheme =
      scheme_end == std::string_view::npos ? std::string_view() : text.substr(0, scheme_end);
  if (iequals(scheme, "http")) {
    url.scheme = Scheme::http;
  } else if (!iequals(scheme, "https")) {
    return refuse("The URL must begin with https:// or http://.");
  }
  url.port = default_port(url.scheme);

  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  EILPOST_RETURN_IF_ERROR(read_authority(url, rest.substr(0, authority_end)));
  rest.remove_prefix(authority_end);

  const std::size_t mark = rest.find('?');
  const std::string_view path = rest.substr(0, mark);
  EILPOST_RETURN_IF_ERROR(check_encoded(path, /*is_query=*/false));
  url.path = path.empty() ? "/" : std::string(path);
  if (mark != std::string_view::npos) {
    const std::string_view query = rest.substr(mark + 1);
    EILPOST_RETURN_IF_ERROR(check_encoded(query, /*is_query=*/true));
    url.query = query;
  }
  return url;
}

}  // namespace eilpost::http
