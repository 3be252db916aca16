#pragma once
// Makes many objects by the API over several connections at once.
//
// Threads: any but the loop's; blocks.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "support/load/eilpost_process.h"
#include "support/load/load_loop.h"

namespace eilpost::load {

// POSTs each of `bodies` to /api/v1/PATH on `loop`; the ids of what was made, in the order of the
// bodies. Errors: protocol_violated (`detail` has the first answer other than 2xx), connect_failed.
[[nodiscard]] Result<std::vector<std::string>> create_many(const EilpostProcess& process,
                                                           LoadLoop& loop, std::string_view path,
                                                           const std::vector<std::string>& bodies);

}  // namespace eilpost::load
