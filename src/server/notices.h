#pragma once
// The notices that the settings give rise to (docs/NOTICES.md). Those about deliveries come from
// the pipeline.
//
// Threads: any.

#include <vector>

#include "base/time.h"
#include "model/destination.h"
#include "model/notice.h"

namespace eilpost::server {

// REQUIRES: the destination is disabled.
[[nodiscard]] Notice disabled_notice(const Destination& destination);

// Of each certificate that ends soon or has ended. One of the same day has the same id, so that
// whoever asks again says nothing twice, a restart between or not.
[[nodiscard]] std::vector<Notice> certificate_notices(const Destination& destination, WallTime now);

}  // namespace eilpost::server
