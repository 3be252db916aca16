#include "crash/report.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <sys/utsname.h>
#include <unistd.h>

namespace eilpost::crash {
namespace {

constexpr std::size_t kViolationsShown = 12;

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// "35, 41": the times to the first delivery, ms.
std::string times_text(const std::vector<Duration>& times) {
  std::string text;
  for (const Duration time : times) {
    text += fmt::format("{}{:.0f}", text.empty() ? "" : ", ", milliseconds(time));
  }
  return text.empty() ? "–" : text;
}

std::string remarks_text(const RowResult& result) {
  std::vector<std::string> parts = result.notes;
  if (result.faults > 0) parts.push_back(fmt::format("{} operations failed", result.faults));
  if (result.lost_bytes > 0) {
    parts.push_back(fmt::format("{} KiB not synced were lost", (result.lost_bytes + 1023) / 1024));
  }
  if (result.verdict.damaged > 0) {
    parts.push_back(fmt::format("{} deliveries damaged", result.verdict.damaged));
  }
  if (!result.verdict.violations.empty()) {
    parts.push_back(fmt::format("**wrong: {}**", result.verdict.violations.front()));
  }
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : "; ") + part;
  std::ranges::replace(text, '|', '/');
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string table_row(const RowResult& result) {
  if (result.skipped) {
    return fmt::format("| {} | {} | skipped: {} | | | | | | | |\n", result.row.group,
                       result.row.name, *result.skipped);
  }
  const Verdict& verdict = result.verdict;
  return fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", result.row.group,
                     result.row.name, result.kills, verdict.accepted, verdict.owed,
                     verdict.delivered + verdict.ended, verdict.lost, verdict.duplicated,
                     times_text(result.delivery_times), remarks_text(result));
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string machine() {
  utsname names{};
  if (uname(&names) != 0) return "unknown";
  return fmt::format("{} {} {}, {} cores", names.sysname, names.release, names.machine,
                     sysconf(_SC_NPROCESSORS_ONLN));
}

std::string head_text(const std::vector<RowResult>& results, std::uint64_t seed) {
  std::uint64_t kills = 0;
  Verdict all;
  std::size_t wrong = 0;
  std::size_t skipped = 0;
  for (const RowResult& result : results) {
    kills += result.kills;
    all.accepted += result.verdict.accepted;
    all.owed += result.verdict.owed;
    all.lost += result.verdict.lost;
    all.duplicated += result.verdict.duplicated;
    if (!result.is_good()) ++wrong;
    if (result.skipped) ++skipped;
  }
  return fmt::format(
      "# Crash matrix\n\n"
      "Written by `./dev crash` (`eilpost_crash matrix --seed {}`) on {}; {}.\n\n"
      "{} rows, {} skipped, {} wrong; {} kills; {} events accepted, which owe {} deliveries: "
      "**{} lost**, {} duplicated, each of them by a kill.\n\n",
      seed, today(), machine(), results.size(), skipped, wrong, kills, all.accepted, all.owed,
      all.lost, all.duplicated);
}

constexpr std::string_view kLegend =
    "Each row has a data folder of its own, a steady load of 3,000 events a second, and receivers "
    "that answer soon, late, and\n"
    "never well; the program runs with small files (`--segment-bytes 1048576 --repeat-ids-max "
    "32000 --history-bytes-max 33554432`), so\n"
    "that all of its housekeeping happens. The row *killed at* is two kills: the process alone "
    "ends; then the power fails, and\n"
    "what was not synced is taken back. After each row everything drains, and the books are "
    "compared (docs/TESTING.md).\n\n"
    "Columns: events answered 202; the deliveries that they owe; those that ended as they must "
    "(delivered, or failed where the\n"
    "receiver refuses everything); lost ones; requests that came again after a 200, all of them "
    "near a kill; milliseconds from\n"
    "each start of the program (or from the end of the trouble) to the first delivery.\n\n"
    "| what | where | kills | accepted | owed | ended well | lost | duplicated | first delivery, "
    "ms | remarks |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n";

// What people have written behind the mark.
std::string hand_written(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t at = text.find(kHandWrittenMark);
  return at == std::string::npos ? std::string() : text.substr(at);
}

}  // namespace

std::string describe(const RowResult& result) {
  if (result.skipped) {
    return fmt::format("skip  {}: {}: {}\n", result.row.group, result.row.name, *result.skipped);
  }
  const Verdict& verdict = result.verdict;
  std::string text = fmt::format(
      "{}  {:<72} {:>6} accepted {:>6} owed {:>3} lost {:>4} duplicated  first after {} ms  {:.1f} "
      "s  {}\n",
      result.is_good() ? "ok   " : "WRONG",
      fmt::format("{}: {}", result.row.group, result.row.name), verdict.accepted, verdict.owed,
      verdict.lost, verdict.duplicated, times_text(result.delivery_times),
      milliseconds(result.took) / 1000, remarks_text(result));
  const std::size_t shown = std::min(verdict.violations.size(), kViolationsShown);
  for (std::size_t i = 0; i < shown; ++i) text += fmt::format("      {}\n", verdict.violations[i]);
  if (shown < verdict.violations.size()) {
    text += fmt::format("      … {} in all\n", verdict.violations.size());
  }
  return text;
}

Result<void> write_report(const std::vector<RowResult>& results, std::uint64_t seed,
                          const std::string& path) {
  std::string text = head_text(results, seed);
  text += kLegend;
  for (const RowResult& result : results) text += table_row(result);
  const std::string rest = hand_written(path);
  if (!rest.empty()) text += "\n" + rest;
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream << text;
  stream.close();
  if (!stream) return fail(ErrorCode::disk_failed, path);
  return {};
}

}  // namespace eilpost::crash
