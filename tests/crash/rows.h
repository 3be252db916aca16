#pragma once
// The rows of the crash matrix: what is done to the program in each.
//
// Threads: one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crash/fault_control.h"
#include "crash/rig.h"

namespace eilpost::crash {

struct Row;

// Begins the rig and does what the row is about; the program runs when it returns. What it should
// not have seen goes to rig.remark(). A row that this machine does not allow calls rig.skip().
using Play = Result<void> (*)(Rig& rig, const Row& row);

struct Row {
  std::string_view group;
  std::string name;
  Play play = nullptr;
  Point point = Point::none;
  bool has_late = false;  // some deliveries stay owed while the journal grows
  bool is_short = false;  // is played in ctest too
  bool is_log_whole = true;
  std::uint64_t history_bytes_max = 32ULL << 20U;
};

[[nodiscard]] std::vector<Row> all_rows();

// Parts of all_rows().
[[nodiscard]] std::vector<Row> rows_of_disks();
[[nodiscard]] std::vector<Row> rows_of_damage();

}  // namespace eilpost::crash
