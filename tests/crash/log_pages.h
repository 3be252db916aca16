#pragma once
// Reads the delivery log of a running program by its API.
//
// Threads: one; blocks.
// Errors:  protocol_violated (`detail` has the answer).

#include <vector>

#include "base/result.h"
#include "crash/books.h"
#include "support/load/eilpost_process.h"

namespace eilpost::crash {

// All of it, newest first.
[[nodiscard]] Result<std::vector<LoggedDelivery>> read_log(const load::EilpostProcess& process);

// The attempts of some of the deliveries: those with another count of attempts than of requests
// first; then a sample of the others.
[[nodiscard]] Result<void> read_attempts(const load::EilpostProcess& process, Books& books);

}  // namespace eilpost::crash
