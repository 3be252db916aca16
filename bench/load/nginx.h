#pragma once
// nginx as a child process on a loopback port: what is measured beside it, or stands before a
// receiver.
//
// Threads: one; blocks.

#include <cstdint>
#include <string>

#include "base/result.h"
#include "support/load/child_process.h"

namespace eilpost::bench {

struct NginxSite {
  std::string location;   // what stands in `location / { … }`
  std::string upstream;   // HOST:PORT that `proxy_pass http://receiver;` goes to; empty: none
  std::string chain_pem;  // its certificate and key: it speaks TLS then
  std::string key_pem;
  bool speaks_http2 = false;  // REQUIRES: it speaks TLS
};

class Nginx final {
 public:
  // Its files go to `folder`, which must outlive it.
  explicit Nginx(std::string folder) : folder_(std::move(folder)) {}

  // The port it listens on. Errors: not_found (nginx is not installed), listen_failed.
  [[nodiscard]] Result<std::uint16_t> start(const NginxSite& site);
  [[nodiscard]] bool is_running() { return process_.is_running(); }
  [[nodiscard]] load::ProcessFigures figures() const { return process_.figures(); }

 private:
  void write_config(const NginxSite& site, std::uint16_t port) const;

  const std::string folder_;
  load::ChildProcess process_;
};

}  // namespace eilpost::bench
