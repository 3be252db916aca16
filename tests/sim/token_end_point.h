#pragma once
// The token end point of a world: gives access tokens, takes refresh tokens out of use, and
// misbehaves as its world allows.
//
// Ownership: everything given must outlive it. Threads: one.

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
#include "model/json.h"
#include "options.h"
#include "raw_http.h"
#include "trace.h"

namespace eilpost::sim {

class TokenEndPoint final {
 public:
  struct Parts {
    env::SimEnv& env;
    Trace& trace;
    const WorldOptions& options;
    Books& books;
    // A request for a token has come; it stands in the books.
    std::function<void(const TokenAsk& ask)> on_ask;
  };

  TokenEndPoint(Parts parts, std::uint64_t seed);
  TokenEndPoint(const TokenEndPoint&) = delete;
  TokenEndPoint& operator=(const TokenEndPoint&) = delete;

  [[nodiscard]] static std::string url() { return "http://id.example/token"; }
  [[nodiscard]] env::Endpoint endpoint() const { return {.address = address_, .port = 80}; }
  // A connection that came by way of a proxy.
  void adopt(std::unique_ptr<env::Stream> stream) { tasks_.spawn(serve(std::move(stream))); }
  void set_reach(env::SimReach reach);
  // Some connections may be dead now: marks the requests that came by them.
  void note_silence();
  void calm_down();

 private:
  enum class Trouble : std::uint8_t {
    none,
    unavailable,  // 503, sometimes with Retry-After
    page,         // 200 with a web page
    refusal,      // 400, and says the secret again
    wrong_kind,   // a token that cannot be sent
    late,         // perhaps too late
    hang,
    reset,  // gives a token, which never arrives
    half,
  };
  static constexpr std::uint64_t kTroublesCount = 9;
  struct Open {
    TokenAsk* ask;
    const env::SimStream* stream;
  };

  [[nodiscard]] Task<void> serve(std::unique_ptr<env::Stream> stream);
  [[nodiscard]] Task<bool> respond(env::SimStream& stream, TokenAsk& ask);
  [[nodiscard]] Trouble choose();
  [[nodiscard]] TokenAsk& note(const RawRequest& request);
  // The body that gives the client its next token.
  [[nodiscard]] std::string give(TokenAsk& ask);

  Parts parts_;
  Random random_;
  env::Address address_;
  bool is_calm_ = false;
  std::vector<Open> open_;
  std::unique_ptr<env::Listener> listener_;
  TaskSet tasks_;
};

// A destination's authentication there, and its place in the books.
[[nodiscard]] Json oauth_json(ClientBook& client);

}  // namespace eilpost::sim
