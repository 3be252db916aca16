// 16 bytes are an address, the rest an allow-list. An IPv4 address that is refused is refused in
// each form that an IPv6 address can carry it in, and an entry admits all that it contains.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "http/address_rules.h"

namespace http = eilpost::http;
using eilpost::env::Address;

namespace {

Address carry(const Address& inner, std::string_view prefix, std::size_t offset) {
  Address outer = eilpost::env::parse_address(prefix).value();
  std::copy_n(inner.bytes.begin(), 4, outer.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  return outer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 16) return 0;
  Address v6{.is_v6 = true, .bytes = {}};
  std::copy_n(data, 16, v6.bytes.begin());
  Address v4;
  std::copy_n(data, 4, v4.bytes.begin());
  const std::string_view list(reinterpret_cast<const char*>(data + 16), size - 16);

  const eilpost::Result<std::vector<http::Cidr>> allowed = http::parse_cidr_list(list);
  if (!allowed) EILPOST_ASSERT(!allowed.error().detail.empty());
  const std::vector<http::Cidr> cidrs = allowed.value_or(std::vector<http::Cidr>{});
  for (const http::Cidr& cidr : cidrs) {
    EILPOST_ASSERT(http::parse_cidr(to_string(cidr)) == cidr);
    EILPOST_ASSERT(cidr.contains(cidr.address));
  }

  const http::AddressRules none;
  const http::AddressRules rules(cidrs);
  const auto contains = [&](const Address& address) {
    return std::ranges::any_of(cidrs, [&](const http::Cidr& c) { return c.contains(address); });
  };
  EILPOST_ASSERT(!contains(v4) || !rules.check(v4));
  for (const Address& address : {v4, v6}) {
    // An allow-list never forbids, and changes nothing for what it does not contain.
    if (!none.check(address)) EILPOST_ASSERT(!rules.check(address));
  }
  if (!contains(v4)) EILPOST_ASSERT(none.check(v4) == rules.check(v4));

  for (const Address& outer : {carry(v4, "::ffff:0.0.0.0", 12), carry(v4, "::", 12),
                               carry(v4, "64:ff9b::", 12), carry(v4, "2002::", 2)}) {
    EILPOST_ASSERT(none.check(outer).has_value());
    if (rules.check(v4) && !contains(outer)) EILPOST_ASSERT(rules.check(outer).has_value());
    if (contains(v4)) EILPOST_ASSERT(!rules.check(outer));
  }
  return 0;
}
