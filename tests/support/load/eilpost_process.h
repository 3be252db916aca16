#pragma once
// The real binary as a child process: started, asked, killed, measured.
//
// Threads: one.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "env/network.h"
#include "http/message.h"

namespace eilpost::load {

struct ProcessOptions {
  std::string binary;                              // build/release/eilpost
  std::string data;                                // the data folder
  std::string log;                                 // file that gets stderr and stdout
  std::uint16_t port = 0;                          // 0 chooses one; it is kept over restarts
  std::map<std::string, std::string> environment;  // added to this process's
  std::vector<std::string> arguments;              // after `serve`
};

// What the process has used since it was started.
struct ProcessFigures {
  Duration cpu{};
  std::uint64_t written_bytes = 0;  // to disk, as the kernel counts
  std::uint64_t resident_bytes = 0;
  std::uint64_t descriptors_count = 0;
};

class EilpostProcess final {
 public:
  explicit EilpostProcess(ProcessOptions options);
  ~EilpostProcess();  // Kills it.
  EilpostProcess(const EilpostProcess&) = delete;
  EilpostProcess& operator=(const EilpostProcess&) = delete;

  // Starts it and waits until it is ready. Errors: timed_out (`detail` has the end of its log).
  [[nodiscard]] Result<void> start();
  // SIGTERM, and waits for its end; the exit code.
  [[nodiscard]] Result<int> terminate();
  void kill();  // SIGKILL, and waits for its end.
  void freeze();
  void thaw();
  [[nodiscard]] bool is_running();

  [[nodiscard]] env::Endpoint endpoint() const;
  [[nodiscard]] ProcessFigures figures() const;

  // One call of the management API (Authorization is added), or of any other path. Blocks.
  [[nodiscard]] Result<http::Response> call(http::Method method, std::string_view path,
                                            std::string body = {}) const;

  static constexpr std::string_view kApiKey = "eil_loadtest00000000000000000000000000";

 private:
  [[nodiscard]] std::string log_tail() const;
  [[nodiscard]] Result<std::uint16_t> find_port() const;

  ProcessOptions options_;
  int pid_ = 0;
};

}  // namespace eilpost::load
