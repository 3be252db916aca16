#pragma once
// The access token of one destination: fetched once however many deliveries wait for it, renewed
// before its end, kept over a restart. docs/OAUTH.md says when it asks the token end point.
//
// Ownership: what Parts names must outlive it; it must outlive the Tasks it gives.
// Threads:   one loop's.
// Errors:    none: whatever goes wrong is an Outcome of kind `token`, which says what was answered
//            and never holds a secret.

#include <atomic>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/task.h"
#include "deliver/sender.h"
#include "deliver/token_store.h"
#include "model/delivery.h"
#include "model/oauth.h"
#include "oauth/token_request.h"

namespace eilpost::deliver {

// Written by one loop, read by anybody.
struct TokenCounters {
  std::atomic<std::uint64_t> fetched{0};
  std::atomic<std::uint64_t> failed{0};
};

class TokenKeeper final {
 public:
  struct Parts {
    env::Loop& loop;
    const http::AddressRules& address_rules;
    std::shared_ptr<env::TlsContext> tls_context;
    TokenStore* store = nullptr;  // null: nothing is kept
    Random& random;               // for the ids of assertions
    TokenCounters& counters;
    const http::Proxy* proxy = nullptr;  // null: none
  };

  TokenKeeper(const Parts& parts, DestinationId destination);
  ~TokenKeeper() = default;
  TokenKeeper(const TokenKeeper&) = delete;
  TokenKeeper& operator=(const TokenKeeper&) = delete;

  // From now on these settings count, unless those of a newer version do already. Others than
  // before end the waiting after a failure; a token that was got for others is forgotten.
  struct Use {
    std::shared_ptr<const OAuth> settings;
    std::uint32_t version = 0;
    std::shared_ptr<env::TlsContext> tls_context = nullptr;  // null: the one of Parts
    std::string tls_problem = {};  // why there is none though there should be
  };
  void use(Use use);

  // A token to send now. After a failure, those who ask before the end point is asked again get the
  // same failure at once. REQUIRES: use() was called.
  [[nodiscard]] Task<std::expected<std::string, Outcome>> get();

  // The receiver answered 401 to this token. True if get() is worth a try: there is another one, or
  // one may be asked for. A receiver that refuses every token does not bring about a request each.
  [[nodiscard]] bool reject(std::string_view token);
  // The receiver took a token, whatever else it said.
  void accept();

  // Exchanges the code of an authorization; what went wrong, or nothing: the tokens are durable.
  // REQUIRES: use() was called.
  [[nodiscard]] Task<std::optional<std::string>> exchange(oauth::Proof proof);

 private:
  struct Failure {
    std::string detail;
    Duration wait{};  // the end point's own wish
  };
  using MaybeFailure = std::optional<Failure>;

  void start(oauth::Proof proof);
  [[nodiscard]] Task<void> run(oauth::Proof proof);
  [[nodiscard]] Task<MaybeFailure> fetch(std::shared_ptr<const OAuth> settings, std::string digest,
                                         oauth::Proof proof);
  [[nodiscard]] Task<MaybeFailure> load(std::string digest);
  [[nodiscard]] Task<MaybeFailure> save(KeptTokens tokens);
  [[nodiscard]] Task<MaybeFailure> ask(std::shared_ptr<const OAuth> settings, std::string digest,
                                       oauth::Proof proof);
  [[nodiscard]] MaybeFailure prepare(const OAuth& settings, oauth::Proof& proof) const;
  void take(KeptTokens tokens, Duration age);
  void take_kept(KeptTokens tokens);
  void note(MaybeFailure failure);
  [[nodiscard]] bool is_fresh() const;
  [[nodiscard]] bool is_usable() const;
  [[nodiscard]] std::expected<std::string, Outcome> last_result() const;
  [[nodiscard]] Instant now() const { return parts_.loop.clock().now(); }

  const Parts parts_;
  const DestinationId destination_;
  Sender sender_;
  Use use_;
  std::string digest_;  // of its settings

  bool is_loaded_ = false;
  KeptTokens tokens_;  // without an access token: none, or one that was refused
  Instant renew_at_;
  Instant ends_at_;
  std::optional<KeptTokens> unsaved_;  // its refresh token must not be used before it is durable

  MaybeFailure failure_;  // of the last fetch
  Instant retry_at_;
  std::uint32_t failures_in_a_row_ = 0;
  Instant next_rejection_at_;
  std::uint32_t rejections_in_a_row_ = 0;

  bool is_fetching_ = false;
  MaybeFailure exchange_failure_;
  std::vector<std::move_only_function<void(bool)>> waiting_;
  TaskSet fetches_;  // last, so that it ends first
};

}  // namespace eilpost::deliver
