#pragma once
// Plays rows of the crash matrix, each on a data folder of its own.
//
// Threads: one.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "crash/books.h"
#include "crash/rows.h"

namespace eilpost::crash {

struct RowResult {
  Row row;
  Verdict verdict;
  std::uint64_t kills = 0;   // by a signal
  std::uint64_t passed = 0;  // how often the program came by the point
  std::uint64_t faults = 0;  // operations that were made to fail
  std::uint64_t lost_bytes = 0;
  std::vector<Duration> delivery_times;  // from each start, or end of the trouble, to a delivery
  std::vector<std::string> notes;
  std::optional<std::string> skipped;  // why this machine does not allow it
  Duration took{};

  [[nodiscard]] bool is_good() const { return skipped || verdict.violations.empty(); }
};

struct MatrixOptions {
  std::string binary;
  std::string library;
  std::string folder;
  std::uint64_t seed = 0;
  bool is_short = false;  // only the rows for ctest
  std::string only;       // only the rows with this text in group or name
  std::function<void(const RowResult&)> on_played;
};

// What failed on the way is a violation of its row.
[[nodiscard]] std::vector<RowResult> play_matrix(const MatrixOptions& options);

}  // namespace eilpost::crash
