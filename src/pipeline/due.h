#pragma once
// A delivery that waits for its turn or its time.

#include <cstdint>
#include <memory>
#include <optional>

#include "base/time.h"
#include "model/event.h"
#include "model/event_document.h"
#include "model/ids.h"

namespace eilpost::pipeline {

// `event` is there while it is fresh, and `parsed`, its document, perhaps until the first attempt.
struct Due {
  DeliveryId id;
  WebhookId webhook{};
  WallTime accepted_at;
  std::uint16_t attempts_count = 0;
  std::uint16_t splits_count = 0;       // attempts of these that only asked for smaller batches
  std::uint32_t user = 0;               // store::user_hash()
  bool was_in_batch = false;            // the journal may say so
  std::optional<Instant> failed_since;  // of ordering per user
  std::shared_ptr<const Event> event;
  std::shared_ptr<const EventDocument> parsed;

  [[nodiscard]] DeliveryId key() const { return id; }
  void forget_event() {
    event.reset();
    parsed.reset();
  }
};

}  // namespace eilpost::pipeline
