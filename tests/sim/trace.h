#pragma once
// What happened in a world, line by line, and the first promise that was broken in it.
//
// Threads: one.

#include <cstdint>
#include <deque>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "env/sim/sim_clock.h"

namespace eilpost::sim {

class Trace {
 public:
  explicit Trace(const env::SimClock& clock) : clock_(clock), begin_(clock.now()) {}

  template <class... Args>
  void note(fmt::format_string<Args...> format, Args&&... args) {
    add(fmt::format(format, std::forward<Args>(args)...));
  }
  void add(std::string_view text) {
    std::string line = fmt::format("{:>16} ", seconds());
    line += text;
    digest_ = combine_hashes(digest_, hash64(line));
    lines_.push_back(std::move(line));
    if (!keeps_all && lines_.size() > kLinesKept) lines_.pop_front();
  }

  // Virtual time since the world began.
  [[nodiscard]] std::string seconds() const {
    return fmt::format("{:.6f}s", std::chrono::duration<double>(clock_.now() - begin_).count());
  }
  [[nodiscard]] const std::deque<std::string>& lines() const { return lines_; }
  // Equal for equal runs.
  [[nodiscard]] std::uint64_t digest() const { return digest_; }

  bool keeps_all = false;

 private:
  static constexpr std::size_t kLinesKept = 150;

  const env::SimClock& clock_;
  Instant begin_;
  std::deque<std::string> lines_;
  std::uint64_t digest_ = 0;
};

// Keeps the first broken promise of a run.
class Judge {
 public:
  explicit Judge(Trace& trace) : trace_(trace) {}

  template <class... Args>
  void broken(std::string_view promise, fmt::format_string<Args...> format, Args&&... args) {
    const std::string text = fmt::format(format, std::forward<Args>(args)...);
    trace_.note("BROKEN ({}): {}", promise, text);
    if (!verdict_) verdict_ = fmt::format("at {}: {}\n  {}", trace_.seconds(), promise, text);
  }
  [[nodiscard]] const std::optional<std::string>& verdict() const { return verdict_; }

 private:
  Trace& trace_;
  std::optional<std::string> verdict_;
};

}  // namespace eilpost::sim
