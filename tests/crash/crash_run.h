#pragma once
// Loads the real program, kills it again and again, restarts it on the same data, lets it drain,
// and collects the books.
//
// Threads: one; the load runs on a loop of its own.

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "crash/books.h"

namespace eilpost::crash {

struct RunOptions {
  std::string binary;
  std::string library;  // the preloaded one
  std::string folder;   // for data and log
  std::uint64_t rounds = 20;
  std::uint64_t seed = 0;
  // Called after each kill.
  std::function<void(std::uint64_t round, Duration load)> on_killed;
};

// Errors: whatever kept the program from starting or answering; that something acknowledged was
// still owed long after the last kill is no error: the books show it.
[[nodiscard]] Result<Books> run(const RunOptions& options);

}  // namespace eilpost::crash
