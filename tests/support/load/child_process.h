#pragma once
// A program as a child process: started, signalled, measured.
//
// Threads: one.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace eilpost::load {

// What a process has used since it was started.
struct ProcessFigures {
  Duration cpu{};
  std::uint64_t written_bytes = 0;  // to files, by write(2) and its kin
  std::uint64_t resident_bytes = 0;
  std::uint64_t descriptors_count = 0;
};

// The first of the folders of $PATH, or of those where system programs lie, that has `name`; empty
// if none has.
[[nodiscard]] std::string find_program(std::string_view name);

// Blocks the calling thread.
void pause_thread(Duration duration);

class ChildProcess final {
 public:
  ChildProcess() = default;
  ~ChildProcess();  // Kills it.
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Runs words[0] with this process's environment without variables EILPOST_…, and `added`.
  // Appends its stdout and stderr to the file `log`. Errors: not_found. REQUIRES: none runs.
  [[nodiscard]] Result<void> start(std::vector<std::string> words,
                                   const std::map<std::string, std::string>& added,
                                   const std::string& log);
  // Waits for its end; the exit code. Errors: not_found (none runs), protocol_violated (a signal).
  [[nodiscard]] Result<int> wait();
  [[nodiscard]] Result<int> terminate();  // SIGTERM, then wait().
  void kill();                            // SIGKILL, and waits for its end.
  void freeze();
  void thaw();
  [[nodiscard]] bool is_running();
  // Of the one that is_running() found to have ended; nothing if a signal ended it.
  [[nodiscard]] std::optional<int> exit_code() const { return exit_code_; }
  [[nodiscard]] ProcessFigures figures() const;

 private:
  int reap();  // Waits for its end; the status as waitpid() gives it. REQUIRES: it was started.

  int pid_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace eilpost::load
