#pragma once
// How much a request costs on this machine in a server that does nothing: nginx `return 204`, asked
// by wrk. It says how fast the machine is at the moment.
//
// Threads: any; blocks.

#include <optional>
#include <string>

#include "load/figures.h"

namespace eilpost::bench {

// Nothing if one of the two programs is missing, or will not run.
[[nodiscard]] std::optional<Row> run_yardstick(const std::string& folder, unsigned seconds);

}  // namespace eilpost::bench
