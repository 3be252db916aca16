#pragma once
// The documents of events, parsed once: for matching, and kept for the first attempts of what the
// event owes, which follow soon.
//
// Limits:  kSlots documents of at most kBytesMax are kept; an attempt parses any other anew.
// Threads: parse() on one; what it gives may be read and dropped on any.

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
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
    std::atomic<bool> is_free{true};
  };

  // In turn; null if that one is still in use. Nobody keeps one for long.
  [[nodiscard]] std::shared_ptr<Slot> next_slot();

  simdjson::dom::parser parser_;
  std::array<std::shared_ptr<Slot>, kSlots> slots_;
  std::size_t next_ = 0;
};

}  // namespace eilpost::pipeline
