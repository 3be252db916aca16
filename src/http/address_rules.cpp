#include "http/address_rules.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"

namespace eilpost::http {
namespace {

struct Range {
  std::string_view cidr;
  std::string_view kind;  // with its article
};

// From the IANA special-purpose address registries (www.iana.org/assignments), everything that is
// not globally reachable, and multicast. The first that contains an address names it.
constexpr Range kRanges[] = {
    {"169.254.169.254/32", "a cloud metadata"},  // AWS, Azure, Google and others
    {"100.100.100.200/32", "a cloud metadata"},  // Alibaba
    {"192.0.0.192/32", "a cloud metadata"},      // Oracle
    {"168.63.129.16/32", "a cloud metadata"},    // Azure; looks public
    {"0.0.0.0/32", "an unspecified"},
    {"0.0.0.0/8", "a this-network"},            // RFC 791
    {"10.0.0.0/8", "a private"},                // RFC 1918
    {"100.64.0.0/10", "a carrier-grade NAT"},   // RFC 6598
    {"127.0.0.0/8", "a loopback"},              // RFC 1122
    {"169.254.0.0/16", "a link-local"},         // RFC 3927
    {"172.16.0.0/12", "a private"},             // RFC 1918
    {"192.0.0.0/24", "a protocol assignment"},  // RFC 6890
    {"192.0.2.0/24", "a documentation"},        // RFC 5737
    {"192.88.99.0/24", "a 6to4 relay"},         // RFC 7526
    {"192.168.0.0/16", "a private"},            // RFC 1918
    {"198.18.0.0/15", "a benchmarking"},        // RFC 2544
    {"198.51.100.0/24", "a documentation"},     // RFC 5737
    {"203.0.113.0/24", "a documentation"},      // RFC 5737
    {"224.0.0.0/4", "a multicast"},             // RFC 5771
    {"255.255.255.255/32", "a broadcast"},      // RFC 8190
    {"240.0.0.0/4", "a reserved"},              // RFC 1112

    {"fd00:ec2::254/128", "a cloud metadata"},  // AWS
    {"fd20:ce::254/128", "a cloud metadata"},   // Google
    {"::/128", "an unspecified"},               // RFC 4291
    {"::1/128", "a loopback"},                  // RFC 4291
    {"::ffff:0:0/96", "a v4-mapped"},           // RFC 4291
    {"::/96", "a v4-compatible"},               // RFC 4291, deprecated
    {"64:ff9b::/96", "a NAT64"},                // RFC 6052
    {"64:ff9b:1::/48", "a local NAT64"},        // RFC 8215
    {"100::/64", "a discard-only"},             // RFC 6666
    {"2001::/32", "a Teredo"},                  // RFC 4380
    {"2001:2::/48", "a benchmarking"},          // RFC 5180
    {"2001:10::/28", "an ORCHID"},              // RFC 4843
    {"2001:20::/28", "an ORCHID"},              // RFC 7343
    {"2001::/23", "a protocol assignment"},     // RFC 2928
    {"2001:db8::/32", "a documentation"},       // RFC 3849
    {"2002::/16", "a 6to4"},                    // RFC 3056
    {"3fff::/20", "a documentation"},           // RFC 9637
    {"5f00::/16", "a segment routing"},         // RFC 9602
    {"fc00::/7", "a unique-local"},             // RFC 4193
    {"fe80::/10", "a link-local"},              // RFC 4291
    {"fec0::/10", "a site-local"},              // RFC 3879
    {"ff00::/8", "a multicast"},                // RFC 4291
};

// What IANA has given out as global unicast; all else is reserved.
constexpr std::string_view kGlobalUnicast = "2000::/3";

// Ranges whose addresses carry an IPv4 address, which is where the packets end.
struct Embedding {
  std::string_view cidr;
  std::array<std::uint8_t, 4> places;  // of the IPv4 address's bytes
  bool is_inverted = false;
};
constexpr Embedding kEmbeddings[] = {
    {"::ffff:0:0/96", {12, 13, 14, 15}},
    {"::/96", {12, 13, 14, 15}},
    {"64:ff9b::/96", {12, 13, 14, 15}},
    {"64:ff9b:1::/48", {6, 7, 9, 10}},      // RFC 6052 2.2
    {"2001::/32", {12, 13, 14, 15}, true},  // the client's, RFC 4380 4
    {"2002::/16", {2, 3, 4, 5}}};

Cidr known_cidr(std::string_view text) {
  const Result<Cidr> cidr = parse_cidr(text);
  EILPOST_ASSERT(cidr.has_value());
  return *cidr;
}

template <class Source>
struct Known {
  Cidr cidr;
  const Source* source;
};

template <class Source, std::size_t kCount>
std::vector<Known<Source>> read_all(const Source (&sources)[kCount]) {
  std::vector<Known<Source>> known;
  for (const Source& source : sources) known.push_back({known_cidr(source.cidr), &source});
  return known;
}

// "a loopback", or nothing for an address that anybody may reach.
std::optional<std::string_view> kind_of(const env::Address& address) {
  static const std::vector<Known<Range>> kKnown = read_all(kRanges);
  static const Cidr kGlobal = known_cidr(kGlobalUnicast);
  for (const Known<Range>& known : kKnown) {
    if (known.cidr.contains(address)) return known.source->kind;
  }
  if (address.is_v6 && !kGlobal.contains(address)) return "a reserved";
  return std::nullopt;
}

struct Embedded {
  env::Address inner;
  std::uint8_t prefix_bits;
};

std::optional<Embedded> find_embedded(const env::Address& address) {
  static const std::vector<Known<Embedding>> kKnown = read_all(kEmbeddings);
  if (!address.is_v6) return std::nullopt;
  for (const Known<Embedding>& known : kKnown) {
    if (!known.cidr.contains(address)) continue;
    Embedded embedded{.inner = {}, .prefix_bits = known.cidr.prefix_bits};
    for (std::size_t i = 0; i < known.source->places.size(); ++i) {
      const std::uint8_t byte = address.bytes[known.source->places[i]];
      embedded.inner.bytes[i] = known.source->is_inverted ? static_cast<std::uint8_t>(~byte) : byte;
    }
    return embedded;
  }
  return std::nullopt;
}

// `address` with the bits behind the prefix cleared.
env::Address mask(const env::Address& address, std::uint8_t prefix_bits) {
  env::Address masked = address;
  for (std::size_t i = 0; i < masked.bytes.size(); ++i) {
    const std::size_t bits_before = i * 8;
    if (bits_before + 8 <= prefix_bits) continue;
    const std::size_t kept = prefix_bits > bits_before ? prefix_bits - bits_before : 0;
    masked.bytes[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
  return masked;
}

}  // namespace

bool Cidr::contains(const env::Address& other) const {
  return other.is_v6 == address.is_v6 && mask(other, prefix_bits) == address;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  const Result<env::Address> address = env::parse_address(text.substr(0, slash));
  if (!address) {
    return fail(ErrorCode::bad_input, fmt::format("{} is not an IP address block", text));
  }
  const std::uint8_t bits_max = address->is_v6 ? 128 : 32;
  Cidr cidr{.address = *address, .prefix_bits = bits_max};
  if (slash == std::string_view::npos) return cidr;

  const std::string_view bits_text = text.substr(slash + 1);
  const auto bits = parse_integer<std::uint8_t>(bits_text);
  const bool has_leading_zero = bits_text.size() > 1 && bits_text.starts_with('0');
  if (!bits || *bits > bits_max || has_leading_zero) {
    return fail(ErrorCode::bad_input,
                fmt::format("{}: a number from 0 to {} must follow the slash", text, bits_max));
  }
  cidr.prefix_bits = *bits;
  cidr.address = mask(*address, *bits);
  if (cidr.address != *address) {
    return fail(ErrorCode::bad_input,
                fmt::format("{} has bits set behind its prefix: write {}", text, to_string(cidr)));
  }
  return cidr;
}

Result<std::vector<Cidr>> parse_cidr_list(std::string_view text) {
  std::vector<Cidr> cidrs;
  if (trim_ascii(text).empty()) return cidrs;
  while (true) {
    const std::size_t comma = text.find(',');
    EILPOST_ASSIGN_OR_RETURN(const Cidr cidr, parse_cidr(trim_ascii(text.substr(0, comma))));
    cidrs.push_back(cidr);
    if (comma == std::string_view::npos) return cidrs;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const Cidr& cidr) {
  return fmt::format("{}/{}", env::to_string(cidr.address), cidr.prefix_bits);
}

std::optional<std::string> AddressRules::check(const env::Address& address) const {
  const std::optional<Embedded> embedded = find_embedded(address);
  if (embedded) {
    if (is_allowed(embedded->inner)) return std::nullopt;
    const std::optional<std::string_view> inner_kind = kind_of(embedded->inner);
    for (const Cidr& cidr : allowed_) {
      // An entry that admits a whole kind of address does not mean what they lead to.
      const bool names_inner = cidr.prefix_bits > embedded->prefix_bits;
      if (cidr.contains(address) && (names_inner || !inner_kind)) return std::nullopt;
    }
    if (inner_kind) {
      return fmt::format("{} leads to {}, {} address", env::to_string(address),
                         env::to_string(embedded->inner), *inner_kind);
    }
  } else if (is_allowed(address)) {
    return std::nullopt;
  }
  const std::optional<std::string_view> kind = kind_of(address);
  if (!kind) return std::nullopt;
  return fmt::format("{} is {} address", env::to_string(address), *kind);
}

bool AddressRules::is_allowed(const env::Address& address) const {
  return std::ranges::any_of(allowed_, [&](const Cidr& cidr) { return cidr.contains(address); });
}

}  // namespace eilpost::http
