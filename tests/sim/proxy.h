#pragma once
// The proxy of a world: answers CONNECT, and then is the other side, or misbehaves.
//
// Ownership: everything given must outlive it. Threads: one.

#include <functional>
#include <memory>
#include <string>

#include "base/random.h"
#include "base/task.h"
#include "env/sim/sim_env.h"
#include "options.h"
#include "raw_http.h"
#include "trace.h"

namespace eilpost::sim {

class Proxy final {
 public:
  struct Parts {
    env::SimEnv& env;
    Trace& trace;
    const WorldOptions& options;
    // Hands a connection over to who listens there. False: nobody does.
    std::function<bool(const std::string& place, std::unique_ptr<env::Stream>& stream)> lead;
    std::function<void(std::string_view what)> on_fault;
  };

  static constexpr std::string_view kUrl = "http://ann:pr0xy-s3cret@proxy.example:3128";
  static constexpr std::string_view kSecret = "pr0xy-s3cret";

  Proxy(Parts parts, std::uint64_t seed);
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  void set_reach(env::SimReach reach);
  void calm_down();

 private:
  [[nodiscard]] Task<void> serve(std::unique_ptr<env::Stream> stream);
  [[nodiscard]] Task<bool> refuse(env::Stream& stream);

  Parts parts_;
  Random random_;
  env::Address address_;
  bool is_calm_ = false;
  std::unique_ptr<env::Listener> listener_;
  TaskSet tasks_;
};

}  // namespace eilpost::sim
