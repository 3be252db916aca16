#pragma once
// Runs seeds, each in a process of its own: an assertion that fails ends one seed, not all, and no
// seed sees what another left behind.

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace eilpost::sim {

struct RunOptions {
  std::vector<std::uint64_t> seeds;
  std::size_t jobs = 1;
  bool twice = false;  // each seed must give the same trace again
  bool shows_trace = false;
};

struct RunResult {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> probes;  // in how many seeds each was reached
};

// Prints what failed to stdout as it comes.
[[nodiscard]] RunResult run_seeds(const RunOptions& options);

}  // namespace eilpost::sim
