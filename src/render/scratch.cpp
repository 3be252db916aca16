#include "render/scratch.h"

#include <algorithm>

#include "base/hash.h"

namespace eilpost::render {

void NameIndex::clear() {
  count_ = 0;
  if (++stamp_ != 0) return;
  std::ranges::fill(slots_, Slot{});
  stamp_ = 1;
}

std::optional<std::size_t> NameIndex::find(std::string_view name, std::uint64_t hash,
                                           const std::vector<Entry>& entries) const {
  if (slots_.empty()) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].stamp == stamp_; i = (i + 1) & mask) {
    if (slots_[i].hash == hash && entries[slots_[i].entry].name == name) return slots_[i].entry;
  }
  return std::nullopt;
}

void NameIndex::insert(std::uint64_t hash, std::size_t entry) {
  constexpr std::size_t kSlotsMin = 64;
  if (2 * (count_ + 1) > slots_.size()) {
    const std::vector<Slot> old =
        std::exchange(slots_, std::vector<Slot>(std::max(kSlotsMin, slots_.size() * 2)));
    for (const Slot& slot : old) {
      if (slot.stamp == stamp_) place(slot.hash, slot.entry);
    }
  }
  place(hash, static_cast<std::uint32_t>(entry));
  ++count_;
}

void NameIndex::place(std::uint64_t hash, std::uint32_t entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].stamp == stamp_) i = (i + 1) & mask;
  slots_[i] = {.hash = hash, .entry = entry, .stamp = stamp_};
}

crypto::HmacSha256& SigningKeys::copy_of(const std::shared_ptr<const SigningKey>& key) {
  const std::uint64_t address = reinterpret_cast<std::uintptr_t>(key.get());
  Slot& slot = slots_[hash64(address) % kSlots];
  if (slot.key != key) {
    slot.key = key;
    slot.copy = key->hmac.copy();
  }
  return *slot.copy;
}

void Scratch::reset() {
  constexpr std::size_t kKeptBytesMax = 256UL * 1024;
  document.reset();
  arena.reset();
  entries_state = Entries::none;
  entries.clear();
  names.clear();
  nodes.clear();
  loops.clear();
  notes.clear();
  each_steps = 0;
  for (std::string* buffer : {&body, &text, &entry_text, &entry_name}) {
    if (buffer->capacity() > kKeptBytesMax) std::string().swap(*buffer);
    buffer->clear();
  }
}

std::shared_ptr<Scratch> make_scratch() {
  return std::make_shared<Scratch>();
}

}  // namespace eilpost::render
