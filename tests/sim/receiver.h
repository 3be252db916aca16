#pragma once
// A web server of the outside world that misbehaves as its world allows. It reads HTTP/1.1 with
// code of its own; HTTP/2 is nghttp2's in the server's role (http2_conversation.h).
//
// Ownership: everything given must outlive it. Threads: one.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/task.h"
#include "books.h"
#include "env/sim/sim_env.h"
#include "options.h"
#include "raw_http.h"
#include "trace.h"

namespace eilpost::sim {

class Receiver final {
 public:
  struct Parts {
    env::SimEnv& env;
    Trace& trace;
    const WorldOptions& options;
    // A whole request has come; gives its place in the books.
    std::function<SeenBook&(const std::string& receiver, const RawRequest& request)> on_request;
    // It came directly, or broke the rules of HTTP/2.
    std::function<void(std::string_view what)> on_fault;
  };
  struct Identity {
    std::string name;
    bool is_tls = false;
    bool speaks_http_2 = false;
  };

  Receiver(Parts parts, Identity identity, std::uint64_t seed);
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::string url(std::uint32_t destination_number) const;
  [[nodiscard]] const std::string& name() const { return identity_.name; }
  [[nodiscard]] env::Endpoint endpoint() const;

  // A connection that came by way of a proxy.
  void adopt(std::unique_ptr<env::Stream> stream);

  // From now on it behaves well.
  void calm_down();
  // Moves to another address; the old one refuses.
  void move();
  void set_name_known(bool is_known);
  void set_tls_good(bool is_good);
  void set_silent(bool is_silent);
  // Some connections may be dead now: marks the requests that came by them.
  void note_silence();

  // ---- for a conversation with it
  [[nodiscard]] const Parts& parts() const { return parts_; }
  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] bool is_calm() const { return is_calm_; }
  [[nodiscard]] std::optional<Behaviour> choose();
  [[nodiscard]] SeenBook& begin(const RawRequest& request, const env::SimStream& stream);
  void end(SeenBook& seen);
  // Whether it refuses what the request holds, or some of it.
  struct Complaint {
    int status;
    std::string body;
  };
  [[nodiscard]] std::optional<Complaint> complain(SeenBook& seen) const;
  // What its next good answer says: "ok", or "no" where destinations look.
  [[nodiscard]] std::string_view good_answer();
  // From now on it offers HTTP/1.1 only.
  void require_http_1_1();

 private:
  struct Open {
    SeenBook* seen;
    const env::SimStream* stream;
  };

  void listen();
  [[nodiscard]] Task<void> serve(std::unique_ptr<env::Stream> stream);
  [[nodiscard]] Task<bool> respond(env::SimStream& stream, SeenBook& seen);
  [[nodiscard]] Task<bool> respond_badly(env::SimStream& stream, SeenBook& seen, Behaviour how);
  [[nodiscard]] Task<bool> send_ok(env::SimStream& stream, SeenBook& seen);
  [[nodiscard]] Task<bool> drip(env::SimStream& stream, SeenBook& seen);
  [[nodiscard]] Task<bool> send_without_end(env::SimStream& stream, SeenBook& seen);

  Parts parts_;
  Identity identity_;
  Random random_;
  bool is_calm_ = false;
  env::Address address_;
  std::unique_ptr<env::Listener> listener_;
  std::vector<Open> open_;
  TaskSet tasks_;
};

}  // namespace eilpost::sim
