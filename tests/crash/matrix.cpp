#include "crash/matrix.h"

#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "crash/rig.h"

namespace eilpost::crash {
namespace {

using namespace std::chrono_literals;

void collect(Rig& rig, RowResult& result) {
  result.kills = rig.kills_count();
  result.passed = rig.faults().passages_of(result.row.point);
  result.faults = rig.faults().faults_count();
  result.lost_bytes = rig.faults().lost_bytes();
  result.delivery_times = rig.delivery_times();
  result.notes = rig.notes();
  result.skipped = rig.skipped();
}

Result<void> play(Rig& rig, RowResult& result) {
  EILPOST_RETURN_IF_ERROR(result.row.play(rig, result.row));
  if (rig.skipped()) return {};
  rig.with_books([&](Books& books) { books.is_log_whole = result.row.is_log_whole; });
  EILPOST_ASSIGN_OR_RETURN(const Books books, rig.finish());
  result.verdict = compare(books);
  if (result.verdict.accepted == 0) result.verdict.violations.emplace_back("nothing was accepted");
  return {};
}

RowResult play_row(const MatrixOptions& options, const Row& row, std::uint64_t number) {
  RowResult result{.row = row};
  const std::string folder = fmt::format("{}/row-{}", options.folder, number);
  std::filesystem::create_directories(folder);
  const auto rig = Rig::make({.binary = options.binary,
                              .library = options.library,
                              .folder = folder,
                              .load = {.seed = options.seed + number, .has_late = row.has_late},
                              .history_bytes_max = row.history_bytes_max,
                              .drain_max = 30s,
                              .kill_margin = 30ms});
  if (!rig) {
    result.verdict.violations.push_back(rig.error().detail);
    return result;
  }
  const Instant begun_at = (*rig)->loop().now();
  const Result<void> played = play(**rig, result);
  if (!played) {
    result.verdict.violations.push_back(
        fmt::format("{} {}", text_of(played.error().code), played.error().detail));
  }
  collect(**rig, result);
  result.took = (*rig)->loop().now() - begun_at;
  return result;
}

bool is_wanted(const MatrixOptions& options, const Row& row) {
  if (options.is_short && !row.is_short) return false;
  return options.only.empty() || row.name.contains(options.only) ||
         row.group.contains(options.only);
}

}  // namespace

std::vector<RowResult> play_matrix(const MatrixOptions& options) {
  std::vector<RowResult> results;
  std::uint64_t number = 0;
  for (const Row& row : all_rows()) {
    ++number;
    if (!is_wanted(options, row)) continue;
    results.push_back(play_row(options, row, number));
    if (options.on_played) options.on_played(results.back());
    // The data of what failed stay for whoever looks into it.
    if (!results.back().is_good()) continue;
    std::error_code ignored;
    std::filesystem::remove_all(fmt::format("{}/row-{}", options.folder, number), ignored);
  }
  return results;
}

}  // namespace eilpost::crash
