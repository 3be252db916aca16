#include "pipeline/figures.h"

#include <algorithm>

namespace eilpost::pipeline {
namespace {

using Cell = std::atomic<std::uint64_t>;

// One writer, so that nothing has to be locked.
void add(Cell& cell, std::uint64_t count = 1) {
  cell.store(cell.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}

std::string_view label_of(const Outcome& outcome) {
  if (outcome.kind != OutcomeKind::answered) return to_string(outcome.kind);
  switch (outcome.status / 100) {
    case 2:
      return "2xx";
    case 3:
      return "3xx";
    case 4:
      return "4xx";
    case 5:
      return "5xx";
    default:
      return "other";
  }
}

// The place of `value`; the last one if it has none.
template <class List, class Value>
std::size_t index_in(const List& list, const Value& value) {
  const auto at = static_cast<std::size_t>(std::ranges::find(list, value) - list.begin());
  return std::min(at, list.size() - 1);
}

template <std::size_t Count>
void add_all(std::array<std::uint64_t, Count>& sum, const std::array<Cell, Count>& cells) {
  for (std::size_t i = 0; i < Count; ++i) sum[i] += cells[i].load(std::memory_order_relaxed);
}

}  // namespace

void count_attempt(LaneFigures& figures, const Outcome& outcome,
                   std::chrono::milliseconds duration) {
  add(figures.attempts_ended[index_in(kAttemptOutcomes, label_of(outcome))]);
  const auto duration_ms =
      static_cast<std::uint64_t>(std::max<std::chrono::milliseconds::rep>(duration.count(), 0));
  const auto bound = std::ranges::lower_bound(kDurationBoundsMs, duration_ms);
  add(figures.attempt_durations[static_cast<std::size_t>(bound - kDurationBoundsMs.begin())]);
  add(figures.attempt_duration_ms, duration_ms);
}

void count_refusal(LaneFigures& figures, int status) {
  add(figures.requests_refused[index_in(kRefusalStatuses, status)]);
}

void add_to(Figures& sum, const LaneFigures& figures) {
  add_all(sum.attempts_ended, figures.attempts_ended);
  add_all(sum.attempt_durations, figures.attempt_durations);
  sum.attempt_duration_ms += figures.attempt_duration_ms.load(std::memory_order_relaxed);
  add_all(sum.requests_refused, figures.requests_refused);
}

}  // namespace eilpost::pipeline
