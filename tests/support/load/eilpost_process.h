#pragma once
// The real binary as a child process: started, set up by its API, killed, measured.
//
// Threads: one.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "env/network.h"
#include "http/message.h"
#include "support/load/child_process.h"

namespace eilpost::load {

struct ProcessOptions {
  std::string binary;                              // build/release/eilpost
  std::string data;                                // the data folder
  std::string log;                                 // file that gets stderr and stdout
  std::uint16_t port = 0;                          // 0 chooses one; it is kept over restarts
  std::map<std::string, std::string> environment;  // added to this process's
  std::vector<std::string> arguments;              // after `serve`
};

enum class Awaits : std::uint8_t {
  ready,   // /readyz says 200
  answer,  // it answers, be it that it is not ready
};

class EilpostProcess final {
 public:
  explicit EilpostProcess(ProcessOptions options);
  EilpostProcess(const EilpostProcess&) = delete;
  EilpostProcess& operator=(const EilpostProcess&) = delete;

  // Starts it and waits for what `awaits` says. Errors: timed_out (`detail` has the end of its
  // log).
  [[nodiscard]] Result<void> start(Awaits awaits = Awaits::ready);
  // SIGTERM, and waits for its end; the exit code.
  [[nodiscard]] Result<int> terminate() { return child_.terminate(); }
  void kill() { child_.kill(); }  // SIGKILL, and waits for its end.
  void freeze() { child_.freeze(); }
  void thaw() { child_.thaw(); }
  [[nodiscard]] bool is_running() { return child_.is_running(); }
  // Of the one that is_running() found to have ended; nothing if a signal ended it.
  [[nodiscard]] std::optional<int> exit_code() const { return child_.exit_code(); }

  [[nodiscard]] env::Endpoint endpoint() const;
  [[nodiscard]] ProcessFigures figures() const { return child_.figures(); }
  // What it wrote to its log since its start.
  [[nodiscard]] std::string log() const;
  // The end of that.
  [[nodiscard]] std::string log_tail() const;

  // One call of the management API (Authorization is added), or of any other path. Blocks.
  [[nodiscard]] Result<http::Response> call(http::Method method, std::string_view path,
                                            std::string body = {}) const;
  // The same for a path below /api/v1 that answers 2xx with JSON. Errors: protocol_violated
  // (`detail` has the answer).
  [[nodiscard]] Result<std::string> call_api(http::Method method, std::string_view path,
                                             std::string body = {}) const;

  static constexpr std::string_view kApiKey = "eil_loadtest00000000000000000000000000";

 private:
  [[nodiscard]] Result<std::uint16_t> find_port() const;

  ProcessOptions options_;
  ChildProcess child_;
};

}  // namespace eilpost::load
