// eilpost_load: events through the real program, measured from end to end.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include "load/scenario.h"
#include "load/yardstick.h"

namespace eilpost::bench {
namespace {

struct Arguments {
  ScenarioOptions scenario{.binary = EILPOST_BINARY_DEFAULT};
  std::size_t runs = 3;
  std::string json_file;
  std::string only;
  bool is_brief = false;
};

std::vector<Scenario> scenarios() {
  constexpr std::uint64_t kSteadyRate = 2000;
  return {{.name = "one event a request, 64 connections"},
          {.name = "batches of 20, 16 connections", .connections = 16, .events_per_request = 20},
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

int run_all(const Arguments& arguments) {
  const std::map<std::string, std::string> facts = notes();
  for (const auto& [name, text] : facts) fmt::print("{}: {}\n", name, text);
  std::vector<Row> rows;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name.find(arguments.only) == std::string::npos) continue;
    std::vector<Row> runs;
    if (scenario.is_costly && arguments.is_brief) continue;
    const std::size_t runs_count = scenario.is_costly ? 1 : arguments.runs;
    for (std::size_t i = 0; i < runs_count; ++i) {
      Result<Row> row = run(scenario, arguments.scenario);
      if (!row) {
        fmt::print(stderr, "{}: {} {}\n", scenario.name, text_of(row.error().code),
                   row.error().detail);
        return 1;
      }
      fmt::print("{}, run {}: {:.0f} events/s\n", scenario.name, i + 1, row->figures[0].value);
      runs.push_back(std::move(*row));
    }
    rows.push_back(median_of(std::move(runs)));
  }
  const auto yardstick = run_yardstick(arguments.scenario.folder);
  if (yardstick) rows.push_back(*yardstick);
  fmt::print("\nMedians of {} by events_per_second, {} s each.\n{}", arguments.runs,
             arguments.scenario.seconds, table(rows));
  if (yardstick && yardstick->figures[1].value > 0) {
    for (const Row& row : rows) {
      if (row.figures.size() < 6) continue;
      fmt::print("{}: an event costs the server {:.1f} nginx requests\n", row.scenario,
                 row.figures[5].value / yardstick->figures[1].value);
    }
  }
  if (!arguments.json_file.empty()) std::ofstream(arguments.json_file) << json(rows, facts);
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
  app.add_option("--json", arguments.json_file, "Writes the figures there as well");
  CLI11_PARSE(app, argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  return eilpost::bench::run_all(arguments);
}
