#pragma once
// An accepted event, checked and normalised.

#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace eilpost {

// `document` is the event's canonical JSON (model/event_document.h); the other fields repeat what
// is in it, for routing and searching.
struct Event {
  std::string id;    // as the sender gave it, or generated
  std::string type;  // code of the event type
  std::string user;  // wm.euId; empty if unknown
  EnvironmentId environment{};
  SourceId source{};
  WallTime time;         // event.time
  WallTime received_at;  // event.received_at
  std::string document;
  // Of an event accepted for a replay: the webhook-id to send. Empty: the delivery's own id.
  std::string webhook_id;
};

}  // namespace eilpost
