#pragma once
// A log that a test can read.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "env/log.h"

namespace eilpost::env {

// Threads: one.
class SimLog final : public Log {
 public:
  void write(LogLevel level, std::string_view line) override {
    lines_.emplace_back(level, std::string(line));
  }

  [[nodiscard]] const std::vector<std::pair<LogLevel, std::string>>& lines() const {
    return lines_;
  }
  // Whether some line has this text in it.
  [[nodiscard]] bool contains(std::string_view text) const {
    return std::ranges::any_of(lines_,
                               [&](const auto& line) { return line.second.contains(text); });
  }
  [[nodiscard]] std::size_t count_of(LogLevel level) const {
    return static_cast<std::size_t>(
        std::ranges::count(lines_, level, [](const auto& line) { return line.first; }));
  }

 private:
  std::vector<std::pair<LogLevel, std::string>> lines_;
};

}  // namespace eilpost::env
