// Of destinations with OAuth: which tokens are sent, and how they are asked for.

#include <algorithm>
#include <string>

#include "checkers.h"
#include "model/limits.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

class TokensAreRight final : public Checker {
 public:
  explicit TokensAreRight(const Bench& bench) : bench_(bench) {}
  [[nodiscard]] std::string_view promise() const override {
    return "8 tokens: only a token that was given is sent, one is asked for at a time, a refresh "
           "token that came with one that was sent is never lost, and the log of attempts holds "
           "no secret";
  }

  void request_seen(const SeenBook& seen, const RawRequest& request) override {
    ClientBook* const client = bench_.books.client_of(seen.destination_number);
    if (client == nullptr) return;
    const std::string shown = request.header("authorization");
    const std::string token(shown.starts_with("Bearer ") ? shown.substr(7) : std::string());
    const TokenBook* const given = client->token(token);
    if (given == nullptr) {
      bench_.judge.broken(promise(), "{} came with `{}`", seen.webhook_id, shown);
      return;
    }
    // Its life counts from when it was asked for; then it is on its way.
    const Duration on_its_way = std::chrono::milliseconds(bench_.options.timeout_ms) + 1s;
    const bool is_calendar_even = bench_.books.jumps.empty();  // After a start nothing else counts.
    if (is_calendar_even && given->life &&
        seen.arrived > given->given + *given->life + on_its_way) {
      bench_.judge.broken(promise(), "{} came with {}, which had ended", seen.webhook_id, token);
    }
  }

  void token_asked(const TokenAsk& ask) override {
    const auto found = bench_.books.clients.find(ask.client);
    if (found == bench_.books.clients.end() || ask.secret != found->second.secret ||
        ask.is_secret_in_form != found->second.secret_in_form) {
      bench_.judge.broken(promise(), "`{}` asked for a token with the secret `{}`", ask.client,
                          ask.secret);
      return;
    }
    check_refresh_token(found->second, ask);
    check_alone(ask);
  }

  // The token end point says secrets again when it refuses.
  void at_end(const FinalLog& log) override {
    for (const auto& [id, attempts] : log.attempts) {
      for (const Json& attempt : attempts) {
        const std::string text = to_text(attempt);
        const auto is_in = [&text](const std::string& secret) { return text.contains(secret); };
        if (std::ranges::none_of(bench_.books.secrets, is_in)) continue;
        bench_.judge.broken(promise(), "an attempt of {} says {}", id, text);
      }
    }
  }

 private:
  // Whether the process that asked before runs no more.
  [[nodiscard]] bool has_ended_since(const TokenAsk& ask) const {
    const auto is_later = [&ask](Instant crash) { return crash + 1s >= ask.arrived; };
    return std::ranges::any_of(bench_.books.crashes, is_later);
  }

  void check_refresh_token(const ClientBook& client, const TokenAsk& ask) {
    const std::string_view grant = client.refreshes ? "refresh_token" : "client_credentials";
    if (ask.grant != grant || ask.refresh_token.empty() == client.refreshes) {
      bench_.judge.broken(promise(), "{} asked with the grant `{}`", ask.client, ask.grant);
      return;
    }
    if (!client.refreshes) return;
    const std::optional<std::size_t> place = client.place_of(ask.refresh_token);
    if (!place || *place < client.refresh_min) {
      bench_.judge.broken(promise(), "{} asked with `{}`, and number {} was in use already",
                          ask.client, ask.refresh_token, client.refresh_min);
      return;
    }
    const TokenAsk* const before = last_before(ask);
    const bool is_known = before != nullptr && has_surely_arrived(*before);
    if (is_known && *place != *before->given_refresh) {
      bench_.judge.broken(promise(), "{} asked with `{}`, though it had been given number {}",
                          ask.client, ask.refresh_token, *before->given_refresh);
    }
  }

  [[nodiscard]] const TokenAsk* last_before(const TokenAsk& ask) const {
    const TokenAsk* last = nullptr;
    for (const TokenAsk& each : bench_.books.token_asks) {
      if (&each != &ask && each.client == ask.client && each.given_refresh) last = &each;
    }
    return last;
  }

  [[nodiscard]] bool has_surely_arrived(const TokenAsk& ask) const {
    const bool is_in_time =
        ask.ended && *ask.ended - ask.arrived < limits::kTokenTimeout - 1s && !ask.is_silenced;
    return is_in_time && !has_ended_since(ask);
  }

  void check_alone(const TokenAsk& ask) {
    // An ending needs a moment to be seen on the other side.
    const Instant settled = ask.arrived - 8 * bench_.options.network_delay.max - 1ms;
    for (const TokenAsk& each : bench_.books.token_asks) {
      const bool is_open = !each.ended && !each.is_silenced && each.arrived <= settled;
      if (&each == &ask || each.client != ask.client || !is_open || has_ended_since(each)) continue;
      bench_.judge.broken(promise(), "{} asked for a token while it was asking for one",
                          ask.client);
      return;
    }
  }

  Bench bench_;
};

}  // namespace

std::unique_ptr<Checker> make_token_checker(const Bench& bench) {
  return std::make_unique<TokensAreRight>(bench);
}

}  // namespace eilpost::sim
