#pragma once
// The whole of Eilpost, apart from the command line: opened on an Env, so that a test runs it on
// simulated time, network and disk.
//
// Ownership: Env and Log must outlive the Server.
// Threads:   open() and start() before the lanes run, or on lane 0; the rest as said.

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "env/env.h"
#include "env/log.h"
#include "server/config.h"
#include "server/first_start.h"

namespace eilpost::server {

class Server {
 public:
  // Opens (or makes) everything in the Env's data folder. Blocks. Errors: what to mend, in
  // `detail`.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(env::Env& env, env::Log& log,
                                                            const Config& config);
  virtual ~Server() = default;

  // What the first start made; nothing if the data folder was not new.
  [[nodiscard]] virtual std::optional<FirstStart> first_start() const = 0;

  // Listens and begins to deliver. Errors: listen_failed.
  [[nodiscard]] virtual Result<env::Endpoint> start() = 0;

  // Drains: not ready, stops accepting, finishes requests and attempts under way within the grace,
  // makes everything durable; then calls `done` on lane 0. Any thread, once.
  virtual void stop(std::function<void()> done) = 0;

  // Closes the stores. After stop(), when the lanes no longer run. Blocks.
  virtual void close() = 0;
};

}  // namespace eilpost::server
