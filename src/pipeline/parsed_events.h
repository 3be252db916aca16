#pragma once
// The documents of events, parsed once: for matching, and kept for the first attempts of what the
// event owes, which follow soon.
//
// Limits:  kSlots documents of at most kBytesMax are kept; an attempt parses any other anew.
// Threads: parse() on one; what it gives may be read and dropped on any.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <simdjson.h>
#include <string_view>

#include "model/event_document.h"

namespace eilpost::pipeline {

class ParsedEvents {
 public:
  struct Parsed {
    EventDocument document;  // valid until the next parse()
    // The same for as long as somebody has it; null: no place was left.
    std::shared_ptr<const EventDocument> kept;
  };

  // REQUIRES: `text` is a canonical document.
  [[nodiscard]] Parsed parse(std::string_view text);

  static constexpr std::size_t kSlots = 256;
  static constexpr std::size_t kBytesMax = 8UL * 1024;

 private:
  struct Slot {
    simdjson::dom::document memory;
    EventDocument document;
  };
  struct Slots {
    Slots();

    std::array<std::unique_ptr<Slot>, kSlots> slots;
    std::array<std::atomic<std::uint64_t>, kSlots / 64> free;  // a bit for each
  };

  // The first that is free: few are in use at once, and their memory stays in the processor's
  // cache.
  [[nodiscard]] std::optional<std::size_t> take_slot();

  simdjson::dom::parser parser_;
  std::shared_ptr<Slots> slots_ = std::make_shared<Slots>();
};

}  // namespace eilpost::pipeline
