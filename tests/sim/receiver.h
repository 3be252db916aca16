#pragma once
// A web server of the outside world that misbehaves as its world allows. It knows just enough HTTP
// to read what Eilpost sends, so that it shares no code with what it judges.
//
// Ownership: everything given must outlive it. Threads: one.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/task.h"
#include "books.h"
#include "env/sim/sim_env.h"
#include "options.h"
#include "trace.h"

namespace eilpost::sim {

// A request as it came over the wire.
struct RawRequest {
  std::string target;
  std::string head;  // header lines
  std::string body;

  [[nodiscard]] std::string header(std::string_view name) const;
};

class Receiver final {
 public:
  struct Parts {
    env::SimEnv& env;
    Trace& trace;
    const WorldOptions& options;
    // A whole request has come; gives its place in the books.
    std::function<SeenBook&(const std::string& receiver, const RawRequest& request)> on_request;
  };

  Receiver(Parts parts, std::string name, bool is_tls, std::uint64_t seed);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::string url(std::uint32_t destination_number) const;
  [[nodiscard]] const std::string& name() const { return name_; }

  // From now on it behaves well.
  void calm_down();
  // Moves to another address; the old one refuses.
  void move();
  void set_name_known(bool is_known);
  void set_tls_good(bool is_good);
  void set_silent(bool is_silent);

 private:
  void listen();
  [[nodiscard]] Task<void> serve(std::unique_ptr<env::Stream> stream);
  // False at the end of the connection.
  [[nodiscard]] Task<bool> read_request(env::Stream& stream, std::string& buffered,
                                        RawRequest& request);
  [[nodiscard]] Task<bool> respond(env::SimStream& stream, SeenBook& seen);
  [[nodiscard]] Task<bool> respond_badly(env::SimStream& stream, SeenBook& seen, Behaviour how);
  [[nodiscard]] Task<bool> send_ok(env::SimStream& stream, SeenBook& seen);
  [[nodiscard]] Task<bool> send(env::SimStream& stream, std::string text);
  // False if the client closed meanwhile.
  [[nodiscard]] Task<bool> wait(env::SimStream& stream, Duration duration);
  [[nodiscard]] std::optional<Behaviour> choose();

  Parts parts_;
  std::string name_;
  bool is_tls_;
  Random random_;
  bool is_calm_ = false;
  env::Address address_;
  std::unique_ptr<env::Listener> listener_;
  std::vector<SeenBook*> open_;
  TaskSet tasks_;
};

}  // namespace eilpost::sim
