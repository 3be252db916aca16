#pragma once
// The crash matrix as a page of Markdown (docs/CRASH_MATRIX.md) and as lines for the terminal.
//
// Threads: any.

#include <string>
#include <vector>

#include "base/result.h"
#include "crash/matrix.h"

namespace eilpost::crash {

// One line for the terminal; several if something is wrong.
[[nodiscard]] std::string describe(const RowResult& result);

// Replaces what the file holds before kHandWrittenMark by the report; what comes behind the mark is
// for people and stays. Errors: disk_failed.
[[nodiscard]] Result<void> write_report(const std::vector<RowResult>& results, std::uint64_t seed,
                                        const std::string& path);

inline constexpr std::string_view kHandWrittenMark = "<!-- From here on written by hand. -->\n";

}  // namespace eilpost::crash
