#pragma once
// A backlog: events for a destination that is disabled, a kill, the restart with all of them owed,
// and how fast they go when it is resumed.
//
// Threads: one; blocks.

#include <cstdint>

#include "base/result.h"
#include "load/figures.h"
#include "load/scenario.h"

namespace eilpost::bench {

// Errors: whatever kept the program from starting, answering or delivering (timed_out).
[[nodiscard]] Result<Row> run_backlog(std::uint64_t count, const ScenarioOptions& options);

}  // namespace eilpost::bench
