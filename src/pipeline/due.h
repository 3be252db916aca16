#pragma once
// A delivery that waits for its turn or its time.

#include <cstdint>
#include <memory>

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
  std::shared_ptr<const Event> event;
  std::shared_ptr<const EventDocument> parsed;

  void forget_event() {
    event.reset();
    parsed.reset();
  }
};

}  // namespace eilpost::pipeline
