// eilpost_sim: runs whole servers in simulated worlds, one a seed. docs/SIMULATION.md.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <thread>

#include "runner.h"

int main(int argc, char** argv) {
  CLI::App app("Runs whole servers in simulated worlds; one seed replays exactly.");
  eilpost::sim::RunOptions options;
  options.jobs = std::max(1U, std::thread::hardware_concurrency());
  std::uint64_t seed = 0;
  bool requires_probes = false;
  const auto* one = app.add_option("--seed", seed, "run this one and print its trace");
  app.add_option("--seeds", options.count, "how many seeds to run")->excludes("--seed");
  app.add_option("--first", options.first, "the first of them");
  app.add_option("--jobs", options.jobs, "how many at once")->check(CLI::PositiveNumber);
  app.add_flag("--twice", options.twice, "run each twice; both runs must be the same");
  app.add_flag("--require-probes", requires_probes, "fail if a probe was never reached");
  CLI11_PARSE(app, argc, argv);
  if (one->count() > 0) {
    options.first = seed;
    options.count = 1;
    options.shows_trace = true;
  }

  const eilpost::sim::RunResult result = eilpost::sim::run_seeds(options);
  std::size_t unreached = 0;
  for (const auto& [name, count] : result.probes) {
    if (options.count > 1) fmt::print("probe {:<44} in {} seeds\n", name, count);
    if (count == 0) ++unreached;
  }
  fmt::print("{} seeds passed, {} failed; {} of {} probes reached\n", result.passed, result.failed,
             result.probes.size() - unreached, result.probes.size());
  const bool is_short_of_probes = requires_probes && unreached > 0;
  return result.failed > 0 || is_short_of_probes ? 1 : 0;
}
