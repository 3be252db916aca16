#pragma once
// Sends the requests of one destination and says what came of each: name look-up, address check,
// connection, TLS, exchange, in one time limit.
//
// Keeps idle connections for the next request: 4 s, or as long as the other side says. A reused
// connection that ends before any byte of an answer gets one immediate try on a fresh one within
// the same attempt.
//
// With https HTTP/2 is offered (ALPN), and one connection of it carries many requests at once. A
// request that the other side says it did not take (GOAWAY, REFUSED_STREAM, HTTP_1_1_REQUIRED) is
// tried again at once within the same attempt, twice at most.
//
// With a proxy every connection goes through it; names are looked up and addresses checked here all
// the same.
//
// Ownership: the loop, the rules, the proxy and the TLS context must outlive the Sender; the Sender
//            must outlive the Tasks of send().
// Threads:   one loop's.
// Errors:    none: whatever goes wrong is an Outcome.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/task.h"
#include "deliver/carrier.h"
#include "deliver/http2_pool.h"
#include "env/loop.h"
#include "http/address_rules.h"
#include "http/client.h"
#include "http/proxy.h"
#include "http/url.h"
#include "model/delivery.h"
#include "model/outbound.h"

namespace eilpost::deliver {

// What an answer's body is read for.
enum class AnswerUse : std::uint8_t {
  log,   // its beginning, to be looked at
  rule,  // whole: what the answer means depends on it
};

class Sender final {
 public:
  Sender(env::Loop& loop, const http::AddressRules& rules,
         std::shared_ptr<env::TlsContext> tls_context, const http::Proxy* proxy = nullptr);
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // One attempt. `timeout` runs from the name look-up to the end of the answer's header; the
  // answer's beginning is read for the log, for at most kAnswerTimeMax more. An answer that a rule
  // needs whole may take `timeout` once more and limits::kAnswerBytesRule; else the outcome is
  // timeout or too_large. Success is any 2xx: judge.h knows more.
  // `tls_context`: null: the Sender's. A connection made with another one is not used again; one
  // under way ends as it began. REQUIRES: `request` lives until the Task ends.
  [[nodiscard]] Task<Outcome> send(const OutboundRequest& request, Duration timeout,
                                   std::shared_ptr<env::TlsContext> tls_context = nullptr,
                                   AnswerUse use = AnswerUse::log);

  // Of HTTP/1.1.
  [[nodiscard]] std::size_t idle_connections_count() const { return idle_.size(); }
  // Of HTTP/2, those in use too.
  [[nodiscard]] std::size_t shared_connections_count() const {
    return http2_pool_.connections_count();
  }

  static constexpr Duration kAnswerTimeMax = std::chrono::seconds(2);
  // Of one address to connect to, while there are others.
  static constexpr Duration kAddressTimeMax = std::chrono::seconds(2);

 private:
  struct Target;  // Where a URL leads.
  struct Idle {
    std::unique_ptr<http::ClientConnection> connection;
    std::shared_ptr<const Target> target;
    std::shared_ptr<env::TlsContext> tls_context;
    Instant since;
    Instant until;
  };
  struct Sending;  // One send() under way.
  using Connected = Result<std::unique_ptr<env::Stream>>;

  [[nodiscard]] Task<Outcome> send_in_time(Sending& sending);
  [[nodiscard]] Task<bool> try_exchange(Sending& sending);
  [[nodiscard]] Http2Pool::Key key_of(const Sending& sending) const;
  [[nodiscard]] Task<Result<void>> join_or_connect(Sending& sending);
  [[nodiscard]] Task<Result<void>> connect(Sending& sending);
  void carry_on(Sending& sending, std::unique_ptr<env::Stream> stream);
  [[nodiscard]] Task<Connected> connect_to(env::ConnectOptions options);
  [[nodiscard]] Task<Result<env::Resolved>> look_up(std::string host);
  [[nodiscard]] Task<bool> read_answer(Sending& sending, AnswerUse use);
  [[nodiscard]] Task<void> take_answer(Sending& sending, Outcome& outcome, Duration timeout,
                                       AnswerUse use);
  [[nodiscard]] Result<std::shared_ptr<const Target>> target_of(const std::string& url);
  [[nodiscard]] std::unique_ptr<http::ClientConnection> take_idle(const Sending& sending);
  void keep(Sending& sending);
  void sweep_by(Instant when);
  void sweep();

  env::Loop& loop_;
  const http::AddressRules& rules_;
  std::shared_ptr<env::TlsContext> tls_context_;
  const http::Proxy* proxy_;
  std::shared_ptr<const Target> last_target_;  // most destinations have one URL for all events
  std::vector<Idle> idle_;
  Http2Pool http2_pool_;
  std::string resolved_host_;
  env::Resolved resolved_;
  Instant resolved_until_;
  env::TimerId sweep_timer_{};
  std::optional<Instant> sweep_at_;  // no later than the first of idle_ ends
};

// What an answer's Retry-After says (RFC 9110 §10.2.3): seconds, or a date as seen at `now`.
// Nothing if it says neither; a date in the past is zero.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view value, WallTime now);

}  // namespace eilpost::deliver
