#pragma once
// Figures for the operator that have labels: what came of attempts, how long they took, and which
// requests were refused.
//
// Units: durations are counted in milliseconds.
// Threads: a lane writes its own LaneFigures; anybody reads them.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/time.h"
#include "model/delivery.h"

namespace eilpost::pipeline {

// An answer's class, or why there was none.
inline constexpr auto kAttemptOutcomes = std::to_array<std::string_view>(
    {"2xx", "3xx", "4xx", "5xx", "dns", "connect", "tls", "timeout", "reset", "too_large",
     "blocked_address", "token", "render", "other"});
// Upper bounds of the buckets; there is one more for what took longer.
inline constexpr auto kDurationBoundsMs =
    std::to_array<std::uint64_t>({5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10'000, 30'000});
// The statuses that ingest refuses with; any other counts as the last, 0.
inline constexpr auto kRefusalStatuses = std::to_array<int>(
    {400, 401, 403, 405, 408, 413, 414, 415, 417, 422, 429, 431, 501, 503, 505, 0});

template <class Cell>
struct BasicFigures {
  std::array<Cell, kAttemptOutcomes.size()> attempts_ended{};
  std::array<Cell, kDurationBoundsMs.size() + 1> attempt_durations{};
  Cell attempt_duration_ms{};  // the sum
  std::array<Cell, kRefusalStatuses.size()> requests_refused{};
};
using LaneFigures = BasicFigures<std::atomic<std::uint64_t>>;
using Figures = BasicFigures<std::uint64_t>;

void count_attempt(LaneFigures& figures, const Outcome& outcome,
                   std::chrono::milliseconds duration);
void count_refusal(LaneFigures& figures, int status);
void add_to(Figures& sum, const LaneFigures& figures);

}  // namespace eilpost::pipeline
