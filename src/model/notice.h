#pragma once
// Something that happened to Eilpost itself and that people may want to hear of (docs/NOTICES.md):
// it becomes an event of the catalog's group `operations`.

#include <string>

#include "model/ids.h"
#include "model/json.h"

namespace eilpost {

struct Notice {
  std::string type;       // code of the event type
  DestinationId about{};  // never sent there
  Json data;              // as the type declares it
  std::string id;         // of the event; the same one again is a repeat. Empty: a new one
};

}  // namespace eilpost
