#pragma once
// What the operator reads: one line a fact.
//
// A line never holds a secret, an event's content or an end user's data; ids are fine.
// Threads: any.

#include <cstdint>
#include <string_view>

namespace eilpost::env {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;

  void debug(std::string_view line) { write(LogLevel::debug, line); }
  void info(std::string_view line) { write(LogLevel::info, line); }
  void warning(std::string_view line) { write(LogLevel::warning, line); }
  void error(std::string_view line) { write(LogLevel::error, line); }
};

}  // namespace eilpost::env
