// eilpost_sim: runs whole servers in simulated worlds, one a seed. docs/SIMULATION.md.

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <thread>

#include "runner.h"

namespace {

// A line: a seed, then what it showed once. Nothing if the file cannot be read.
std::vector<std::uint64_t> read_seeds(const std::string& path) {
  std::vector<std::uint64_t> seeds;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::uint64_t seed = 0;
    if (words >> seed) seeds.push_back(seed);
  }
  return seeds;
}

// Prints what is to be known of the probes; how many were not reached.
std::size_t report_probes(const eilpost::sim::RunResult& result, bool prints) {
  std::size_t unreached = 0;
  for (const auto& [name, count] : result.probes) {
    if (prints) fmt::print("probe {:<40} in {} seeds\n", name, count);
    if (count == 0) ++unreached;
  }
  return unreached;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs whole servers in simulated worlds; one seed replays exactly.");
  eilpost::sim::RunOptions options;
  options.jobs = std::max(1U, std::thread::hardware_concurrency());
  std::uint64_t seed = 0;
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  std::string named;
  bool requires_probes = false;
  const auto* one = app.add_option("--seed", seed, "run this one and print its trace");
  app.add_option("--seeds", count, "how many seeds to run")->excludes("--seed");
  app.add_option("--first", first, "the first of them");
  app.add_option("--named", named, "run the seeds that this file names")->check(CLI::ExistingFile);
  app.add_option("--jobs", options.jobs, "how many at once")->check(CLI::PositiveNumber);
  app.add_flag("--twice", options.twice, "run each twice; both runs must be the same");
  app.add_flag("--require-probes", requires_probes, "fail if a probe was never reached");
  CLI11_PARSE(app, argc, argv);
  if (one->count() > 0) {
    options.seeds.push_back(seed);
    options.shows_trace = true;
  } else if (!named.empty()) {
    options.seeds = read_seeds(named);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) options.seeds.push_back(first + i);
  }

  const eilpost::sim::RunResult result = eilpost::sim::run_seeds(options);
  const std::size_t unreached = report_probes(result, options.seeds.size() > 1);
  fmt::print("{} seeds passed, {} failed; {} of {} probes reached\n", result.passed, result.failed,
             result.probes.size() - unreached, result.probes.size());
  const bool is_short_of_probes = requires_probes && unreached > 0;
  return result.failed > 0 || is_short_of_probes ? 1 : 0;
}
