#pragma once
// Leaves out of an event's document what the event's other fields say already: about 200 bytes.
//
// A document that begins exactly as model/event_document.h has it,
//   {"event":{"id":ID,"type":TYPE,"name":NAME,"time":TIME,"received_at":RECEIVED…},
//    "created_at":MILLISECONDS,"data":…
// is kept as NAME, the middle (…) and the tail; any other as a whole. Every byte that is left out
// was compared before, so unsqueezing gives the same document always.

#include <optional>
#include <string>
#include <string_view>

#include "model/event.h"

namespace eilpost::store {

struct Squeezed {
  std::string_view name;
  std::string_view middle;
  std::string_view tail;
};

// Pieces of `event.document`; nothing if it does not have that form.
[[nodiscard]] std::optional<Squeezed> squeeze(const Event& event);

// The document whose pieces these are; the other fields of `event` are set already.
[[nodiscard]] std::string unsqueeze(const Event& event, const Squeezed& pieces);

}  // namespace eilpost::store
