#include "env/real/real_env.h"

#include <ares.h>
#include <csignal>
#include <fstream>
#include <iterator>
#include <unistd.h>
#include <utility>

#include "base/assert.h"
#include "env/real/real_directory.h"
#include "env/real/real_worker.h"

namespace eilpost::env {

Result<std::unique_ptr<RealEnv>> RealEnv::open(const RealEnvOptions& options) {
  EILPOST_ASSERT(options.lanes_count >= 1 && options.lanes_count <= kLanesMax);
  // OpenSSL and c-ares write to sockets without asking whether the other side still listens.
  std::signal(SIGPIPE, SIG_IGN);
  // The library counts its users and is ended with the process.
  EILPOST_ASSERT(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);

  std::unique_ptr<RealEnv> env(new RealEnv);
  EILPOST_ASSIGN_OR_RETURN(env->directory_, RealDirectory::open_path(options.data_directory));
  EILPOST_ASSIGN_OR_RETURN(env->trust_, SystemTrust::load(options.trusted_certificates_file));
  const auto endpoints = std::make_shared<ListenedEndpoints>();
  for (std::size_t i = 0; i < options.lanes_count; ++i) {
    env->lanes_.push_back(
        std::make_unique<RealLoop>(RealLoopOptions{.name = "lane-" + std::to_string(i),
                                                   .dns = options.dns,
                                                   .system_trust = env->trust_,
                                                   .endpoints = endpoints}));
  }
  return env;
}

RealEnv::~RealEnv() {
  stop();
}

void RealEnv::start() {
  for (const auto& lane : lanes_) lane->start();
}

void RealEnv::stop() {
  for (const auto& lane : lanes_) lane->stop();
}

RealLoop& RealEnv::real_lane(std::size_t index) {
  EILPOST_ASSERT(index < lanes_.size());
  return *lanes_[index];
}

std::unique_ptr<Worker> RealEnv::start_worker(std::string_view name) {
  return std::make_unique<RealWorker>(std::string(name));
}

std::optional<std::string> RealEnv::read_time_zone(std::string_view name) {
  std::ifstream file("/usr/share/zoneinfo/" + std::string(name), std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<Bytes> RealEnv::trusted_certificates(ByteView subject) {
  return trust_->find(subject);
}

void RealEnv::die(int exit_code, std::string_view reason) {
  const std::string line = "eilpost: " + std::string(reason) + "\n";
  // Nothing is left to do if even this fails.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  _exit(exit_code);
}

}  // namespace eilpost::env
