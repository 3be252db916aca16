#include "deliver/token_keeper.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "env/callback.h"
#include "model/limits.h"
#include "oauth/settings_digest.h"
#include "oauth/token_answer.h"

namespace eilpost::deliver {
namespace {

constexpr std::string_view kConnect =
    "open the page that POST /api/v1/destinations/{id}/authorize "
    "answers";

void count(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// After so many failures in a row: 1 s, doubling to a minute.
Duration wait_after(std::uint32_t failures_count) {
  constexpr std::uint32_t kDoublingsMax = 10;
  const std::uint32_t doublings = std::min(std::max(failures_count, 1U) - 1, kDoublingsMax);
  return std::min<Duration>(limits::kTokenRetryMin * (1U << doublings), limits::kTokenRetryMax);
}

}  // namespace

TokenKeeper::TokenKeeper(const Parts& parts, DestinationId destination)
    : parts_(parts),
      destination_(destination),
      sender_(parts.loop, parts.address_rules, parts.tls_context, parts.proxy) {}

void TokenKeeper::use(Use use) {
  const bool is_first = use_.settings == nullptr;
  if (!is_first && use.version <= use_.version) return;
  const bool is_same = !is_first && *use.settings == *use_.settings;
  use_ = std::move(use);
  if (is_same) return;
  failure_.reset();
  retry_at_ = {};
  failures_in_a_row_ = 0;
  next_rejection_at_ = {};
  rejections_in_a_row_ = 0;
  std::string digest = oauth::settings_digest(*use_.settings);
  if (digest == digest_) return;
  digest_ = std::move(digest);
  tokens_ = {};
  unsaved_.reset();
  is_loaded_ = parts_.store == nullptr;
}

bool TokenKeeper::is_fresh() const {
  return !tokens_.access_token.empty() && now() < renew_at_;
}

bool TokenKeeper::is_usable() const {
  return !tokens_.access_token.empty() && now() < ends_at_;
}

// After a fetch, or while the end point is left alone: an old token that has not ended yet is
// better than none.
std::expected<std::string, Outcome> TokenKeeper::last_result() const {
  if (!failure_ || is_usable()) return tokens_.access_token;
  return std::unexpected(Outcome{.kind = OutcomeKind::token,
                                 .retry_after = std::max<Duration>(retry_at_ - now(), Duration{}),
                                 .detail = failure_->detail});
}

Task<std::expected<std::string, Outcome>> TokenKeeper::get() {
  EILPOST_ASSERT(use_.settings != nullptr);
  while (!is_fresh()) {
    if (!is_fetching_) {
      if (failure_ && now() < retry_at_) co_return last_result();
      start({});
    }
    if (is_fetching_) {
      (void)co_await env::callback<bool>(
          [this](auto done) { waiting_.push_back(std::move(done)); });
    }
    // Neither: the settings have changed meanwhile.
    if (failure_ || !tokens_.access_token.empty()) co_return last_result();
  }
  co_return tokens_.access_token;
}

bool TokenKeeper::reject(std::string_view token) {
  if (tokens_.access_token != token) return true;
  const bool is_renewable =
      use_.settings->grant != OAuthGrant::authorization_code || !tokens_.refresh_token.empty();
  if (!is_renewable || now() < next_rejection_at_) return false;
  EILPOST_PROBE("deliver.token_rejected");
  tokens_.access_token.clear();
  next_rejection_at_ = now() + wait_after(++rejections_in_a_row_);
  return true;
}

void TokenKeeper::accept() {
  rejections_in_a_row_ = 0;
  next_rejection_at_ = {};
}

Task<std::optional<std::string>> TokenKeeper::exchange(oauth::Proof proof) {
  EILPOST_ASSERT(use_.settings != nullptr);
  while (is_fetching_) {
    (void)co_await env::callback<bool>([this](auto done) { waiting_.push_back(std::move(done)); });
  }
  start(std::move(proof));
  if (is_fetching_) {
    // Before all others, who may begin the next fetch.
    (void)co_await env::callback<bool>(
        [this](auto done) { waiting_.insert(waiting_.begin(), std::move(done)); });
  }
  if (!exchange_failure_) co_return std::nullopt;
  co_return exchange_failure_->detail;
}

// ---- One fetch at a time.

void TokenKeeper::start(oauth::Proof proof) {
  is_fetching_ = true;
  failure_.reset();
  fetches_.spawn(run(std::move(proof)));
}

Task<void> TokenKeeper::run(oauth::Proof proof) {
  const std::string digest = digest_;
  const bool is_exchange = !proof.code.empty();
  MaybeFailure failure = co_await fetch(use_.settings, digest, std::move(proof));
  is_fetching_ = false;
  if (is_exchange) {
    exchange_failure_ = failure;
    if (!failure) failures_in_a_row_ = 0;
  } else if (digest == digest_) {
    note(std::move(failure));
  }
  for (auto& done : std::exchange(waiting_, {})) done(true);
}

void TokenKeeper::note(MaybeFailure failure) {
  failure_ = std::move(failure);
  failures_in_a_row_ = failure_ ? failures_in_a_row_ + 1 : 0;
  if (!failure_) return;
  EILPOST_PROBE("deliver.token_failed");
  const Duration wish = std::min<Duration>(failure_->wait, limits::kTokenRetryAfterMax);
  retry_at_ = now() + std::max(wait_after(failures_in_a_row_), wish);
}

Task<TokenKeeper::MaybeFailure> TokenKeeper::fetch(std::shared_ptr<const OAuth> settings,
                                                   std::string digest, oauth::Proof proof) {
  if (!is_loaded_) {
    MaybeFailure failure = co_await load(digest);
    if (failure) co_return failure;
  }
  if (unsaved_ && digest == digest_) {
    MaybeFailure failure = co_await save(*unsaved_);
    if (failure) co_return failure;
    if (digest == digest_ && unsaved_) take_kept(*std::exchange(unsaved_, std::nullopt));
  }
  if (proof.code.empty()) {
    if (is_fresh()) co_return std::nullopt;
    MaybeFailure failure = prepare(*settings, proof);
    if (failure) co_return failure;
  }
  co_return co_await ask(std::move(settings), std::move(digest), std::move(proof));
}

Task<TokenKeeper::MaybeFailure> TokenKeeper::load(std::string digest) {
  Result<std::optional<KeptTokens>> loaded =
      co_await env::callback<Result<std::optional<KeptTokens>>>(
          [this](auto done) { parts_.store->load(destination_, parts_.loop, std::move(done)); });
  if (digest != digest_) co_return std::nullopt;
  if (!loaded) {
    co_return Failure{.detail = fmt::format("The destination's tokens cannot be read back: {} {}",
                                            text_of(loaded.error().code), loaded.error().detail)};
  }
  is_loaded_ = true;
  if (*loaded && (*loaded)->settings_digest == digest) {
    EILPOST_PROBE("deliver.token_kept_over_restart");
    take_kept(std::move(**loaded));
  }
  co_return std::nullopt;
}

Task<TokenKeeper::MaybeFailure> TokenKeeper::save(KeptTokens tokens) {
  if (parts_.store == nullptr) co_return std::nullopt;
  const Result<void> saved = co_await env::callback<Result<void>>([this, &tokens](auto done) {
    parts_.store->save(destination_, std::move(tokens), parts_.loop, std::move(done));
  });
  if (saved) co_return std::nullopt;
  co_return Failure{.detail =
                        fmt::format("The token end point gave a new refresh token, which must "
                                    "be saved before it is used, and could not be: {} {}",
                                    text_of(saved.error().code), saved.error().detail)};
}

// Which refresh token is to be sent, if one is.
TokenKeeper::MaybeFailure TokenKeeper::prepare(const OAuth& settings, oauth::Proof& proof) const {
  switch (settings.grant) {
    case OAuthGrant::client_credentials:
      return std::nullopt;
    case OAuthGrant::refresh_token:
      proof.refresh_token =
          tokens_.refresh_token.empty() ? settings.refresh_token : tokens_.refresh_token;
      return std::nullopt;
    case OAuthGrant::authorization_code:
      break;
  }
  if (tokens_.refresh_token.empty()) {
    const bool was_connected = !tokens_.settings_digest.empty();
    return Failure{
        .detail =
            was_connected
                ? fmt::format("The access token has ended, and no refresh token was given with "
                              "it: {} again, if need be with another scope.",
                              kConnect)
                : fmt::format("Nobody has connected this destination yet: {}.", kConnect)};
  }
  proof.refresh_token = tokens_.refresh_token;
  return std::nullopt;
}

Task<TokenKeeper::MaybeFailure> TokenKeeper::ask(std::shared_ptr<const OAuth> settings,
                                                 std::string digest, oauth::Proof proof) {
  if (!use_.tls_problem.empty()) co_return Failure{.detail = use_.tls_problem};
  const Instant asked_at = now();
  const WallTime wall_now = parts_.loop.clock().wall_now();
  const std::uint64_t high = parts_.random.next();
  const std::uint64_t low = parts_.random.next();
  const Result<oauth::TokenRequest> made = oauth::make_token_request(
      *settings, proof, wall_now, fmt::format("{:016x}{:016x}", high, low));
  if (!made) {
    co_return Failure{.detail = fmt::format("The request for a token could not be signed: {}.",
                                            made.error().detail)};
  }
  count(parts_.counters.fetched);
  const Outcome outcome = co_await sender_.send(made->request, limits::kTokenTimeout,
                                                use_.tls_context, AnswerUse::rule);
  if (outcome.kind != OutcomeKind::answered) {
    count(parts_.counters.failed);
    co_return Failure{.detail = "The token end point gave no answer: " + outcome.detail};
  }
  const auto tokens = oauth::read_token_answer({.status = outcome.status,
                                                .content_type = outcome.answer_content_type,
                                                .body = outcome.answer},
                                               made->secrets);
  if (!tokens) {
    count(parts_.counters.failed);
    Failure failure{.detail = tokens.error().detail,
                    .wait = outcome.retry_after.value_or(Duration{})};
    if (tokens.error().error == "invalid_grant") {
      failure.detail += settings->grant == OAuthGrant::authorization_code
                            ? fmt::format(" To connect it again, {}.", kConnect)
                            : std::string(" The refresh token may have ended: give a new one.");
    }
    co_return failure;
  }
  KeptTokens kept{
      .settings_digest = digest,
      .access_token = tokens->access_token,
      .refresh_token = tokens->refresh_token.empty() ? proof.refresh_token : tokens->refresh_token,
      .obtained_at = wall_now,
      .life = tokens->life};
  const bool must_be_saved = !proof.code.empty() || kept.refresh_token != proof.refresh_token;
  MaybeFailure failure = co_await save(kept);
  if (digest != digest_) co_return failure;  // Kept for whoever goes back to these settings.
  if (failure && must_be_saved) {
    EILPOST_PROBE("deliver.rotated_token_not_saved");
    unsaved_ = std::move(kept);
    co_return failure;
  }
  take(std::move(kept), now() - asked_at);
  co_return std::nullopt;
}

void TokenKeeper::take(KeptTokens tokens, Duration age) {
  tokens_ = std::move(tokens);
  if (!tokens_.life) {
    ends_at_ = Instant::max();
    renew_at_ = ends_at_;
    return;
  }
  const Duration life = *tokens_.life;
  // The calendar may have jumped since they were kept.
  ends_at_ = now() + life - std::clamp<Duration>(age, Duration{}, life);
  renew_at_ = ends_at_ - std::min<Duration>(limits::kTokenMarginMax, life / 10);
}

// By the calendar: of tokens from before a restart there is nothing else.
void TokenKeeper::take_kept(KeptTokens tokens) {
  const Duration age = parts_.loop.clock().wall_now() - tokens.obtained_at;
  take(std::move(tokens), age);
}

}  // namespace eilpost::deliver
