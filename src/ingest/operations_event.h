#pragma once
// Notices become events, as those of senders do: the same document, the same rules. They have no
// source and no end user, and stand under production, whatever environments there are.

#include <cstdint>

#include "base/time.h"
#include "model/catalog.h"
#include "model/event.h"
#include "model/notice.h"

namespace eilpost::ingest {

// `seed`: of the id, if the notice has none. REQUIRES: type and data are as the catalog declares
// them.
[[nodiscard]] Event operations_event(const Notice& notice, const Catalog& catalog, WallTime now,
                                     std::uint64_t seed);

}  // namespace eilpost::ingest
