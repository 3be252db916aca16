#pragma once
// What can be searched for in a block, small enough to be looked at in every block: a Bloom filter
// of hashes. It may say yes where there is nothing, for about one search in a hundred; a no is
// true.
//
// Format: docs/HISTORY.md, "Terms".

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"

namespace eilpost::history {

enum class TermKind : std::uint8_t {
  webhook = 1,
  destination = 2,
  event_type = 3,
  event_id = 4,
  user = 5,
  environment = 6,
};

[[nodiscard]] inline std::uint64_t term_of(TermKind kind, std::string_view text) {
  return hash64(text, static_cast<std::uint64_t>(kind));
}
[[nodiscard]] inline std::uint64_t term_of(TermKind kind, std::uint64_t number) {
  return combine_hashes(static_cast<std::uint64_t>(kind), number);
}

[[nodiscard]] Bytes make_terms(const std::vector<std::uint64_t>& terms);
[[nodiscard]] bool may_have(ByteView terms, std::uint64_t term);

}  // namespace eilpost::history
