#pragma once
// The soak: a steady load for a long time on one data folder, with random kills, power losses, and
// receivers that fail and recover; what the program uses of the machine must stay bounded.
//
// Method:  laps of a minute; in each third nothing is killed, and it lasts two, so that leaks
//          show. A lap ends when nothing is owed any more, and its books are compared; the data
//          stay.
// Threads: one.

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "crash/books.h"

namespace eilpost::crash {

struct Usage {
  std::uint64_t resident_bytes = 0;
  std::uint64_t descriptors_count = 0;
  std::uint64_t disk_bytes = 0;
};

struct Lap {
  std::uint64_t number = 0;
  Verdict verdict;
  std::uint64_t kills = 0;
  std::uint64_t samples = 0;
  Usage most;
};

struct SoakOptions {
  std::string binary;
  std::string library;
  std::string folder;
  std::uint64_t seed = 0;
  Duration duration = std::chrono::minutes(10);
  std::uint64_t events_per_second = 600;
  bool is_calm = false;  // one lap, in which nothing is killed
  Usage bounds{
      .resident_bytes = 112ULL << 20U, .descriptors_count = 320, .disk_bytes = 96ULL << 20U};
  std::function<void(const Lap&)> on_lap;
};

// False: something was wrong in a lap; it is among its violations. Errors: as those of Rig.
[[nodiscard]] Result<bool> soak(const SoakOptions& options);

}  // namespace eilpost::crash
