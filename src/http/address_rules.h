#pragma once
// Which addresses destinations may have: the guard against server-side request forgery.
//
// The ranges are those of the IANA special-purpose address registries for IPv4 and IPv6 (RFC 6890),
// with multicast, and the address of cloud metadata services.
// Threads: a const AddressRules may be used from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "env/network.h"

namespace eilpost::http {

// An address block.
struct Cidr {
  env::Address address;
  std::uint8_t prefix_bits = 0;

  [[nodiscard]] bool contains(const env::Address& other) const;  // Never across families.

  friend bool operator==(const Cidr&, const Cidr&) = default;
};

// ADDRESS/BITS, or an address alone. Errors: bad_input: not an address, too many bits, or bits set
// behind the prefix.
[[nodiscard]] Result<Cidr> parse_cidr(std::string_view text);
// Separated by commas, white space around them; empty text is an empty list.
[[nodiscard]] Result<std::vector<Cidr>> parse_cidr_list(std::string_view text);
[[nodiscard]] std::string to_string(const Cidr& cidr);

class AddressRules {
 public:
  AddressRules() = default;
  // What a CIDR of `allowed` contains is admitted, whatever range it is of.
  explicit AddressRules(std::vector<Cidr> allowed) : allowed_(std::move(allowed)) {}

  // Nothing if a connection may be made to `address`, else the reason: "127.0.0.1 is a loopback
  // address". An IPv6 address that carries an IPv4 one (v4-mapped, v4-compatible, NAT64, 6to4,
  // Teredo) is judged by that too: admitting 10.0.0.0/8 admits ::ffff:10.1.2.3.
  [[nodiscard]] std::optional<std::string> check(const env::Address& address) const;

 private:
  [[nodiscard]] bool is_allowed(const env::Address& address) const;

  std::vector<Cidr> allowed_;
};

}  // namespace eilpost::http
