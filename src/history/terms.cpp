#include "history/terms.h"

namespace eilpost::history {
namespace {

constexpr std::uint64_t kBitsPerTerm = 10;
constexpr int kProbes = 7;

// Calls `each` with the bits of a term until it returns false.
template <class Each>
bool for_each_bit(std::uint64_t term, std::uint64_t bits, Each each) {
  // The upper half of a product is a number below `bits`, as even as the factor.
  std::uint64_t probe = term;
  const std::uint64_t step = (term >> 32U) | (term << 32U) | 1U;
  for (int i = 0; i < kProbes; ++i) {
    if (!each(((probe >> 32U) * bits) >> 32U)) return false;
    probe += step;
  }
  return true;
}

}  // namespace

Bytes make_terms(const std::vector<std::uint64_t>& terms) {
  Bytes bytes((terms.size() * kBitsPerTerm + 7) / 8);
  const std::uint64_t bits = bytes.size() * 8;
  for (const std::uint64_t term : terms) {
    (void)for_each_bit(term, bits, [&](std::uint64_t bit) {
      bytes[bit / 8] |= static_cast<std::byte>(1U << (bit % 8));
      return true;
    });
  }
  return bytes;
}

bool may_have(ByteView terms, std::uint64_t term) {
  if (terms.empty()) return false;
  return for_each_bit(term, terms.size() * 8, [&](std::uint64_t bit) {
    return (terms[bit / 8] & static_cast<std::byte>(1U << (bit % 8))) != std::byte{};
  });
}

}  // namespace eilpost::history
