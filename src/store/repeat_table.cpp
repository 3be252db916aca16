#include "store/repeat_table.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace eilpost::store {
namespace {

constexpr std::size_t kSlotsMin = 1024;

// {0, 0} marks a free slot.
Hash128 never_zero(Hash128 fingerprint) {
  if (fingerprint == Hash128{}) fingerprint.low = 1;
  return fingerprint;
}

}  // namespace

// Where it lies, or the free slot where it would go. REQUIRES: there are slots.
std::size_t RepeatTable::slot_of(Hash128 fingerprint) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = fingerprint.low & mask;
  while (slots_[slot] != Hash128{} && slots_[slot] != fingerprint) slot = (slot + 1) & mask;
  return slot;
}

bool RepeatTable::contains(Hash128 fingerprint) const {
  if (slots_.empty()) return false;
  return slots_[slot_of(never_zero(fingerprint))] != Hash128{};
}

void RepeatTable::insert(Hash128 fingerprint) {
  if (size_ * 2 >= slots_.size()) grow();
  fingerprint = never_zero(fingerprint);
  Hash128& slot = slots_[slot_of(fingerprint)];
  if (slot == fingerprint) return;
  slot = fingerprint;
  ++size_;
}

void RepeatTable::erase(Hash128 fingerprint) {
  if (slots_.empty()) return;
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = slot_of(never_zero(fingerprint));
  if (slots_[hole] == Hash128{}) return;
  --size_;
  // What follows moves up if it would not be found across the hole.
  for (std::size_t next = (hole + 1) & mask; slots_[next] != Hash128{}; next = (next + 1) & mask) {
    const std::size_t home = slots_[next].low & mask;
    if (((next - home) & mask) < ((next - hole) & mask)) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = {};
}

void RepeatTable::grow() {
  std::vector<Hash128> old(std::max(kSlotsMin, slots_.size() * 2));
  std::swap(old, slots_);
  for (const Hash128 fingerprint : old) {
    if (fingerprint != Hash128{}) slots_[slot_of(fingerprint)] = fingerprint;
  }
}

std::vector<Hash128> RepeatTable::sorted() const {
  std::vector<Hash128> list;
  list.reserve(size_);
  std::ranges::copy_if(slots_, std::back_inserter(list),
                       [](Hash128 fingerprint) { return fingerprint != Hash128{}; });
  std::ranges::sort(list, {}, order_of);
  return list;
}

}  // namespace eilpost::store
