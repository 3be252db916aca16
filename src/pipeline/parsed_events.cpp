#include "pipeline/parsed_events.h"

#include <utility>

#include "base/assert.h"

namespace eilpost::pipeline {

ParsedEvents::Parsed ParsedEvents::parse(std::string_view text) {
  const std::shared_ptr<Slot> slot = text.size() <= kBytesMax ? next_slot() : nullptr;
  const Result<EventDocument> document = slot ? EventDocument::parse(parser_, slot->memory, text)
                                              : EventDocument::parse(parser_, text);
  EILPOST_ASSERT(document.has_value());
  Parsed parsed{.document = *document, .kept = nullptr};
  if (!slot) return parsed;
  slot->document = *document;
  slot->is_free.store(false, std::memory_order_relaxed);
  parsed.kept = std::shared_ptr<const EventDocument>(
      &slot->document, [slot](const EventDocument* /*document*/) {
        slot->is_free.store(true, std::memory_order_release);
      });
  return parsed;
}

std::shared_ptr<ParsedEvents::Slot> ParsedEvents::next_slot() {
  std::shared_ptr<Slot>& slot = slots_[next_];
  next_ = (next_ + 1) % kSlots;
  if (!slot) slot = std::make_shared<Slot>();
  return slot->is_free.load(std::memory_order_acquire) ? slot : nullptr;
}

}  // namespace eilpost::pipeline
