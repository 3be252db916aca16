#include "pipeline/parsed_events.h"

#include <bit>

#include "base/assert.h"

namespace eilpost::pipeline {

ParsedEvents::Slots::Slots() {
  for (std::atomic<std::uint64_t>& word : free) word.store(~std::uint64_t{0});
}

ParsedEvents::Parsed ParsedEvents::parse(std::string_view text) {
  const std::optional<std::size_t> place = text.size() <= kBytesMax ? take_slot() : std::nullopt;
  Slot* const slot = place ? slots_->slots[*place].get() : nullptr;
  const Result<EventDocument> document = slot != nullptr
                                             ? EventDocument::parse(parser_, slot->memory, text)
                                             : EventDocument::parse(parser_, text);
  EILPOST_ASSERT(document.has_value());
  Parsed parsed{.document = *document, .kept = nullptr};
  if (slot == nullptr) return parsed;
  slot->document = *document;
  parsed.kept = std::shared_ptr<const EventDocument>(
      &slot->document, [slots = slots_, place = *place](const EventDocument* /*document*/) {
        slots->free[place / 64].fetch_or(std::uint64_t{1} << (place % 64),
                                         std::memory_order_release);
      });
  return parsed;
}

std::optional<std::size_t> ParsedEvents::take_slot() {
  for (std::size_t i = 0; i < slots_->free.size(); ++i) {
    const std::uint64_t free = slots_->free[i].load(std::memory_order_acquire);
    if (free == 0) continue;
    const auto bit = static_cast<std::size_t>(std::countr_zero(free));
    slots_->free[i].fetch_and(~(std::uint64_t{1} << bit), std::memory_order_relaxed);
    const std::size_t place = i * 64 + bit;
    std::unique_ptr<Slot>& slot = slots_->slots[place];
    if (!slot) slot = std::make_unique<Slot>();
    return place;
  }
  return std::nullopt;
}

}  // namespace eilpost::pipeline
