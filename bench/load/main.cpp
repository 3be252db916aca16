// eilpost_load: events through the real program, measured from end to end.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include "load/backlog.h"
#include "load/scenario.h"
#include "load/yardstick.h"

namespace eilpost::bench {
namespace {

constexpr std::uint64_t kBacklogCount = 1'000'000;
constexpr std::string_view kTableBegin = "<!-- written by ./dev bench --markdown: from here -->\n";
constexpr std::string_view kTableEnd = "<!-- to here -->\n";

struct Arguments {
  ScenarioOptions scenario{.binary = EILPOST_BINARY_DEFAULT};
  std::size_t runs = 3;
  std::string json_file;
  std::string markdown_file;
  std::string command;  // as it was given
  std::string only;
  bool is_brief = false;
};

std::vector<Scenario> scenarios() {
  constexpr std::uint64_t kSteadyRate = 2000;
  return {{.name = "one event a request, 64 connections"},
          {.name = "batches of 20, 16 connections", .connections = 16, .events_per_request = 20},
          {.name = "one event a request, HTTPS receiver", .over_tls = true},
          {.name = "batches of 20, HTTPS receiver",
           .connections = 16,
           .events_per_request = 20,
           .over_tls = true},
          {.name = "one event a request, HTTP/2 receiver", .over_tls = true, .over_http2 = true},
          {.name = "batches of 20, HTTP/2 receiver",
           .connections = 16,
           .events_per_request = 20,
           .over_tls = true,
           .over_http2 = true},
          {.name = "one event a request, sent in batches of 100",
           .batch_events_max = 100,
           .batch_wait_ms = 100},
          {.name = "batches of 20, sent in batches of 100",
           .connections = 16,
           .events_per_request = 20,
           .batch_events_max = 100,
           .batch_wait_ms = 100},
          {.name = "2000/s to 100 destinations that answer",
           .connections = 32,
           .events_per_second = kSteadyRate,
           .destinations = 100},
          {.name = "the same, one of the 100 hangs",
           .connections = 32,
           .events_per_second = kSteadyRate,
           .destinations = 100,
           .first_hangs = true},
          {.name = "fan-out to 10 webhooks", .connections = 32, .fan_out = 10},
          {.name = "fan-out to 100 webhooks", .connections = 8, .fan_out = 100},
          {.name = "curve: 10 webhooks that do not match", .idle_webhooks = 10},
          {.name = "curve: 1,000 webhooks that do not match", .idle_webhooks = 1000},
          {.name = "curve: 100,000 webhooks that do not match",
           .idle_webhooks = 100'000,
           .is_costly = true},
          {.name = "curve: 10 destinations", .destinations = 10},
          {.name = "curve: 100 destinations", .destinations = 100},
          {.name = "curve: 1,000 destinations", .destinations = 1000},
          {.name = "curve: 10,000 deliveries pending", .pending = 10'000},
          {.name = "curve: 100,000 deliveries pending", .pending = 100'000},
          {.name = "curve: 1,000,000 deliveries pending", .pending = 1'000'000, .is_costly = true}};
}

std::map<std::string, std::string> notes() {
  double loads[3] = {0, 0, 0};
  (void)::getloadavg(loads, 3);
  utsname system{};
  (void)::uname(&system);
  return {{"cores", fmt::format("{}", std::thread::hardware_concurrency())},
          {"load_average_before", fmt::format("{:.1f}", loads[0])},
          {"kernel", system.release}};
}

// What a request costs in nginx at the moment, in µs; 0 if that cannot be measured.
double nginx_cost(const Arguments& arguments) {
  const auto seconds = std::clamp(static_cast<unsigned>(arguments.scenario.seconds), 1U, 3U);
  const auto row = run_yardstick(arguments.scenario.folder, seconds);
  return row ? value_of(*row, "cpu_us_per_request") : 0;
}

// `run_once` as often as asked, each beside its own yardstick; the run of the middle.
Result<Row> run_often(const Arguments& arguments, std::size_t runs_count, std::string_view name,
                      const std::function<Result<Row>()>& run_once) {
  std::vector<Row> runs;
  for (std::size_t i = 0; i < runs_count; ++i) {
    const double yardstick = nginx_cost(arguments);
    EILPOST_ASSIGN_OR_RETURN(Row row, run_once());
    if (const double cost = value_of(row, "cpu_us_per_event"); yardstick > 0 && cost > 0) {
      row.figures.push_back({"nginx_cpu_us_per_request", yardstick, 1});
      row.figures.push_back({"in_nginx_requests", cost / yardstick, 1});
    }
    fmt::print("{}, run {}: {} {:.0f}\n", name, i + 1, row.figures[0].name, row.figures[0].value);
    runs.push_back(std::move(row));
  }
  return median_of(std::move(runs));
}

Result<std::vector<Row>> run_all(const Arguments& arguments) {
  std::vector<Row> rows;
  const auto is_wanted = [&](std::string_view name, bool is_costly) {
    return name.find(arguments.only) != std::string_view::npos &&
           !(is_costly && arguments.is_brief);
  };
  for (const Scenario& scenario : scenarios()) {
    if (!is_wanted(scenario.name, scenario.is_costly)) continue;
    const std::size_t runs_count = scenario.is_costly ? 1 : arguments.runs;
    Result<Row> row = run_often(arguments, runs_count, scenario.name,
                                [&] { return run(scenario, arguments.scenario); });
    if (!row) {
      row.error().detail = scenario.name + ": " + row.error().detail;
      return std::unexpected(row.error());
    }
    rows.push_back(std::move(*row));
  }
  if (is_wanted("backlog", /*is_costly=*/true)) {
    EILPOST_ASSIGN_OR_RETURN(Row row, run_often(arguments, 1, "backlog", [&] {
                               return run_backlog(kBacklogCount, arguments.scenario);
                             }));
    rows.push_back(std::move(row));
  }
  return rows;
}

// Puts the table between its marks. Errors: not_found, disk_failed.
Result<void> write_markdown(const Arguments& arguments, const std::vector<Row>& rows,
                            const std::map<std::string, std::string>& facts) {
  std::ifstream stream(arguments.markdown_file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t begin = text.find(kTableBegin);
  const std::size_t end = text.find(kTableEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return fail(ErrorCode::not_found, fmt::format("{} has no lines \"{}\" and \"{}\"",
                                                  arguments.markdown_file, kTableBegin, kTableEnd));
  }
  const std::time_t now = std::time(nullptr);
  std::string table = fmt::format("`{}`, {:%Y-%m-%d}", arguments.command, fmt::gmtime(now));
  for (const auto& [name, fact] : facts) table += fmt::format(", {} {}", name, fact);
  table += fmt::format(". Medians of {} runs of {} s.\n\n{}", arguments.runs,
                       arguments.scenario.seconds, markdown(rows));
  const std::size_t from = begin + kTableBegin.size();
  text.replace(from, end - from, table);
  std::ofstream out(arguments.markdown_file, std::ios::binary);
  out << text;
  if (!out.flush()) return fail(ErrorCode::disk_failed, arguments.markdown_file);
  return {};
}

int report(const Arguments& arguments) {
  const std::map<std::string, std::string> facts = notes();
  for (const auto& [name, text] : facts) fmt::print("{}: {}\n", name, text);
  const Result<std::vector<Row>> rows = run_all(arguments);
  if (!rows) {
    fmt::print(stderr, "{} {}\n", text_of(rows.error().code), rows.error().detail);
    return 1;
  }
  fmt::print("\nMedians of {} by the first figure, {} s each.\n{}", arguments.runs,
             arguments.scenario.seconds, table(*rows));
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << json(*rows, facts);
  if (arguments.markdown_file.empty()) return 0;
  if (const auto written = write_markdown(arguments, *rows, facts); !written) {
    fmt::print(stderr, "{} {}\n", text_of(written.error().code), written.error().detail);
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace eilpost::bench

int main(int argc, char** argv) {
  CLI::App app("Events through the real program, measured from end to end.", "eilpost_load");
  eilpost::bench::Arguments arguments;
  app.add_option("--binary", arguments.scenario.binary, "The program")->envname("EILPOST_BINARY");
  app.add_option("--seconds", arguments.scenario.seconds, "Of load, each")->capture_default_str();
  app.add_option("--runs", arguments.runs, "Of each scenario; the median is shown")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--only", arguments.only, "Only scenarios whose name contains this");
  app.add_flag("--brief", arguments.is_brief, "Leaves out what takes long to prepare");
  app.add_option("--folder", arguments.scenario.folder,
                 "For the data; beside this program unless given");
  app.add_option("--markdown", arguments.markdown_file,
                 "Writes the table into this file, between its two marks");
  app.add_option("--json", arguments.json_file, "Writes the figures there as well");
  CLI11_PARSE(app, argc, argv);
  arguments.command = "./dev bench";
  for (int i = 1; i < argc; ++i) arguments.command += fmt::format(" {}", argv[i]);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return eilpost::bench::report(arguments);
}
