#pragma once
// The outside world as it is: threads, sockets, files, the clock of the machine.

#include <memory>
#include <string>
#include <vector>

#include "env/env.h"
#include "env/real/dns_resolver.h"
#include "env/real/real_clock.h"
#include "env/real/real_entropy.h"
#include "env/real/real_loop.h"

namespace eilpost::env {

struct RealEnvOptions {
  std::size_t lanes_count = 1;
  std::string data_directory;  // Made if it is missing; its parent must be there.
  DnsOptions dns;
  std::string trusted_certificates_file;  // PEM; empty: the system's own places
};

// Ownership: outlives everything built on it. Workers may be destroyed before or after stop().
// Threads:   open(), start(), stop() and the destructor: one thread, not a lane's.
class RealEnv final : public Env {
 public:
  static constexpr std::size_t kLanesMax = 256;

  // Ignores SIGPIPE for the process. Errors: disk_failed, disk_full, not_found (the folder),
  // bad_config. REQUIRES: 1 <= lanes_count <= kLanesMax.
  [[nodiscard]] static Result<std::unique_ptr<RealEnv>> open(const RealEnvOptions& options);

  ~RealEnv() override;

  // Starts the threads of the lanes. Once. Until then the lanes may be furnished from this thread.
  void start();
  // Ends the turn of each lane, then its thread. Work and timers that have not run are destroyed.
  void stop();

  [[nodiscard]] std::size_t lanes_count() const override { return lanes_.size(); }
  [[nodiscard]] Loop& lane(std::size_t index) override { return real_lane(index); }
  [[nodiscard]] RealLoop& real_lane(std::size_t index);
  [[nodiscard]] Clock& clock() override { return clock_; }
  [[nodiscard]] Entropy& entropy() override { return entropy_; }
  [[nodiscard]] Directory& directory() override { return *directory_; }
  // Below /usr/share/zoneinfo. REQUIRES: `name` has no component that leaves the folder.
  [[nodiscard]] std::optional<std::string> read_time_zone(std::string_view name) override;
  [[nodiscard]] std::vector<Bytes> trusted_certificates(ByteView subject) override;
  [[nodiscard]] std::unique_ptr<Worker> start_worker(std::string_view name) override;
  // Writes the reason to stderr.
  void die(int exit_code, std::string_view reason) override;

 private:
  RealEnv() = default;

  RealClock clock_;
  RealEntropy entropy_;
  std::unique_ptr<Directory> directory_;
  std::shared_ptr<SystemTrust> trust_;
  std::vector<std::unique_ptr<RealLoop>> lanes_;
};

}  // namespace eilpost::env
