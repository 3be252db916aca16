#include "deliver/sender.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/ascii.h"
#include "base/iso_time.h"
#include "base/parse.h"
#include "base/probe.h"
#include "deliver/tunnel.h"
#include "env/await.h"
#include "env/deadline.h"
#include "model/limits.h"

namespace eilpost::deliver {
namespace {

// A connection that was idle for longer than this is looked at before it is used again.
constexpr Duration kIdleUnchecked = std::chrono::milliseconds(100);
// How long a look-up is believed at most, whatever its time to live says.
constexpr Duration kResolvedMax = std::chrono::minutes(5);
constexpr std::size_t kIdleConnectionsMax = limits::kConcurrencyMax;
// Further tries of a request that HTTP/2 says was surely not acted on, within one attempt.
constexpr std::size_t kFurtherTriesMax = 2;

enum class Phase : std::uint8_t { look_up, connect, exchange };

std::string_view describe(Phase phase) {
  switch (phase) {
    case Phase::look_up:
      return "looking up the name";
    case Phase::connect:
      return "connecting";
    case Phase::exchange:
      return "waiting for the answer";
  }
  assert_failed("unknown Phase");
}

http::Method to_http(HttpMethod method) {
  switch (method) {
    case HttpMethod::get:
      return http::Method::get;
    case HttpMethod::post:
      return http::Method::post;
    case HttpMethod::put:
      return http::Method::put;
    case HttpMethod::patch:
      return http::Method::patch;
    case HttpMethod::delete_:
      return http::Method::delete_;
  }
  assert_failed("unknown HttpMethod");
}

OutcomeKind kind_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::name_not_resolved:
      return OutcomeKind::dns;
    case ErrorCode::connect_failed:
      return OutcomeKind::connect;
    case ErrorCode::tls_failed:
      return OutcomeKind::tls;
    case ErrorCode::timed_out:
      return OutcomeKind::timeout;
    case ErrorCode::blocked_address:
      return OutcomeKind::blocked_address;
    case ErrorCode::too_large:
      return OutcomeKind::too_large;
    case ErrorCode::bad_input:
      return OutcomeKind::render;
    default:  // connection_reset and protocol_violated: the connection was of no use.
      return OutcomeKind::reset;
  }
}

std::string describe(const Error& error) {
  const std::string_view text = text_of(error.code);
  return error.detail.empty() ? std::string(text) : fmt::format("{} {}", text, error.detail);
}

}  // namespace

// In the forms that sending needs.
struct Sender::Target {
  std::string text;  // the whole URL
  http::Url url;
  std::string authority;
  std::string path_and_query;

  // Whether a connection to the one serves the other.
  [[nodiscard]] bool has_same_peer(const Target& other) const {
    return this == &other || (url.scheme == other.url.scheme && url.port == other.url.port &&
                              url.host == other.url.host);
  }
};

struct Sender::Sending {
  const OutboundRequest& request;
  std::shared_ptr<const Target> target;
  std::shared_ptr<env::TlsContext> tls_context;  // null: the Sender's
  std::vector<std::string> alpn = {};            // what a new connection offers
  Phase phase = Phase::look_up;
  Carrier carrier = {};
  Outcome outcome;

  void fail(const Error& error, bool request_sent) {
    outcome = {
        .kind = kind_of(error.code), .request_sent = request_sent, .detail = describe(error)};
  }
};

Sender::Sender(env::Loop& loop, const http::AddressRules& rules,
               std::shared_ptr<env::TlsContext> tls_context, const http::Proxy* proxy)
    : loop_(loop),
      rules_(rules),
      tls_context_(std::move(tls_context)),
      proxy_(proxy),
      http2_pool_(loop) {}

Sender::~Sender() {
  if (sweep_at_) loop_.timers().cancel(sweep_timer_);
}

Task<Outcome> Sender::send(const OutboundRequest& request, Duration timeout,
                           std::shared_ptr<env::TlsContext> tls_context, AnswerUse use) {
  Result<std::shared_ptr<const Target>> target = target_of(request.url);
  if (!target) {
    co_return Outcome{.kind = OutcomeKind::render, .detail = describe(target.error())};
  }
  Sending sending{
      .request = request, .target = std::move(*target), .tls_context = std::move(tls_context)};

  const Instant deadline = loop_.clock().now() + timeout;
  std::optional<Outcome> outcome =
      co_await env::with_deadline(loop_.timers(), deadline, send_in_time(sending));
  if (!outcome) {
    EILPOST_PROBE("deliver.timed_out");
    if (sending.phase != Phase::exchange) resolved_until_ = Instant{};  // The name may have moved.
    const auto timeout_ms = std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count();
    co_return Outcome{
        .kind = OutcomeKind::timeout,
        .request_sent = (sending.phase == Phase::exchange && sending.carrier.request_sent()) ||
                        sending.outcome.request_sent,
        .detail = fmt::format("No answer within {} ms, {}.", timeout_ms, describe(sending.phase))};
  }
  if (outcome->kind == OutcomeKind::answered) {
    if (!sending.carrier.response().body_complete) {
      co_await take_answer(sending, *outcome, timeout, use);
    }
    outcome->answer = sending.carrier.response().body;
    keep(sending);
  }
  co_return std::move(*outcome);
}

Task<Outcome> Sender::send_in_time(Sending& sending) {
  sending.carrier.connection = take_idle(sending);
  const bool is_reused = sending.carrier.connection != nullptr;
  if (is_reused) {
    const bool is_final = co_await try_exchange(sending);
    if (is_final) co_return std::move(sending.outcome);
    EILPOST_PROBE("deliver.second_try_within_attempt");
    sending.carrier = {};
  }
  const bool is_tls = sending.target->url.scheme == http::Scheme::https;
  for (std::size_t tries = 0;; ++tries) {
    Result<void> connected;
    if (is_tls) {
      connected = co_await join_or_connect(sending);
    } else {
      connected = co_await connect(sending);
    }
    if (!connected) {
      // An earlier connection may have carried it before it broke.
      sending.fail(connected.error(), sending.outcome.request_sent);
      co_return std::move(sending.outcome);
    }
    const bool is_final = co_await try_exchange(sending);
    if (is_final || tries == kFurtherTriesMax) co_return std::move(sending.outcome);
    EILPOST_PROBE("deliver.further_try_within_attempt");
    sending.carrier = {};
  }
}

Http2Pool::Key Sender::key_of(const Sending& sending) const {
  const http::Url& url = sending.target->url;
  return {.peer = fmt::format("{}|{}", url.host, url.port),
          .tls_context = sending.tls_context != nullptr ? sending.tls_context : tls_context_};
}

// Gets what carries a request through TLS: a stream of a connection of HTTP/2 that is there, or a
// new connection.
Task<Result<void>> Sender::join_or_connect(Sending& sending) {
  sending.phase = Phase::connect;
  const Http2Pool::Key key = key_of(sending);
  Http2Pool::Place place = co_await http2_pool_.enter(key);
  if (place.failure) co_return std::unexpected(*std::move(place.failure));
  if (place.connection != nullptr) {
    sending.carrier.share(std::move(place.connection));
    co_return Result<void>{};
  }
  sending.alpn = place.ticket->alpn();
  Result<void> connected = co_await connect(sending);
  if (!connected) {
    place.ticket->failed(connected.error());
  } else if (sending.carrier.shared == nullptr) {
    place.ticket->chose_http_1_1();
  } else {
    place.ticket->chose_http_2(std::exchange(sending.carrier.shared, nullptr));
  }
  co_return connected;
}

// What is spoken on a new connection.
void Sender::carry_on(Sending& sending, std::unique_ptr<env::Stream> stream) {
  if (stream->application_protocol() != http::kHttp2Protocol) {
    sending.carrier.connection = std::make_unique<http::ClientConnection>(std::move(stream));
    return;
  }
  sending.carrier.shared = http::Http2ClientConnection::make(loop_, std::move(stream));
  sending.carrier.share(sending.carrier.shared);
}

// True if the outcome stands; false if another connection is worth a try: a reused one ended before
// any byte of an answer, or the other side surely did not take the request.
Task<bool> Sender::try_exchange(Sending& sending) {
  sending.phase = Phase::exchange;
  const bool is_reused =
      sending.carrier.connection != nullptr && sending.carrier.connection->exchanges_count() > 0;
  const http::OutboundRequest request{.method = to_http(sending.request.method),
                                      .authority = sending.target->authority,
                                      .target = sending.target->path_and_query,
                                      .headers = &sending.request.headers,
                                      .body = sending.request.body};
  const http::ResponseLimits response_limits{.body_bytes_kept_max = limits::kAnswerBytesFailure,
                                             .head_only = true};
  std::expected<void, http::ExchangeFailure> exchanged =
      co_await sending.carrier.exchange(request, response_limits);
  if (!exchanged) {
    const http::ExchangeFailure& failure = exchanged.error();
    const bool had_ended = (is_reused || failure.is_stale) && !failure.answer_begun &&
                           failure.error.code == ErrorCode::connection_reset;
    sending.fail(failure.error, failure.request_sent || sending.outcome.request_sent);
    if (failure.wants_http_1_1) http2_pool_.require_http_1_1(key_of(sending));
    co_return !had_ended && !failure.is_unprocessed;
  }
  const http::ReceivedResponse& response = sending.carrier.response();
  Outcome outcome{.kind = OutcomeKind::answered,
                  .status = static_cast<std::uint16_t>(response.status),
                  .success = response.status / 100 == 2,
                  .request_sent = true};
  if (!outcome.success) {
    outcome.detail = fmt::format("The receiver answered {}.", response.status);
    if (const auto wait = http::find_header(response.headers, "retry-after")) {
      outcome.retry_after = parse_retry_after(*wait, loop_.clock().wall_now());
    }
  }
  if (const auto type = http::find_header(response.headers, "content-type")) {
    outcome.answer_content_type = *type;
  }
  sending.outcome = std::move(outcome);
  co_return true;
}

Task<Result<void>> Sender::connect(Sending& sending) {
  sending.phase = Phase::look_up;
  const Result<env::Resolved> resolved = co_await look_up(sending.target->url.host);
  if (!resolved) co_return std::unexpected(resolved.error());

  sending.phase = Phase::connect;
  const bool is_tls = sending.target->url.scheme == http::Scheme::https;
  // A refusal counts only if there was no address that could be tried.
  Error blocked{.code = ErrorCode::blocked_address, .detail = {}};
  std::vector<env::Address> allowed;
  for (const env::Address& address : resolved->addresses) {
    if (const auto reason = rules_.check(address)) {
      blocked.detail = *reason;
    } else {
      allowed.push_back(address);
    }
  }
  if (allowed.empty()) {
    EILPOST_PROBE("deliver.address_blocked");
    co_return std::unexpected(std::move(blocked));
  }

  env::TlsContext* const tls_context =
      sending.tls_context == nullptr ? tls_context_.get() : sending.tls_context.get();
  Error error{.code = ErrorCode::connect_failed, .detail = {}};
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    env::ConnectOptions options{
        .endpoint = {.address = allowed[i], .port = sending.target->url.port},
        .tls = is_tls ? tls_context : nullptr,
        .server_name = sending.target->url.host,
        .alpn = sending.alpn,
    };
    // The last one has all the time that is left; a silent one before it must not use that up.
    const bool is_last = i + 1 == allowed.size();
    std::optional<Connected> stream;
    if (is_last) {
      stream = co_await connect_to(std::move(options));
    } else {
      const Instant deadline = loop_.clock().now() + kAddressTimeMax;
      stream =
          co_await env::with_deadline(loop_.timers(), deadline, connect_to(std::move(options)));
    }
    if (stream && *stream) {
      carry_on(sending, std::move(**stream));
      co_return Result<void>{};
    }
    if (stream) {
      error = stream->error();
    } else {
      error.detail = fmt::format("{} did not answer.", env::to_string(allowed[i]));
    }
  }
  resolved_until_ = Instant{};  // The name may have moved: look it up again.
  EILPOST_PROBE("deliver.no_address_answered");
  co_return std::unexpected(std::move(error));
}

Task<Sender::Connected> Sender::connect_to(env::ConnectOptions options) {
  if (proxy_ != nullptr) {
    co_return co_await connect_through(loop_.network(), *proxy_, std::move(options));
  }
  co_return co_await env::connect(loop_.network(), std::move(options));
}

Task<Result<env::Resolved>> Sender::look_up(std::string host) {
  if (host == resolved_host_ && loop_.clock().now() < resolved_until_) co_return resolved_;
  Result<env::Resolved> resolved = co_await env::resolve(loop_.network(), host);
  if (resolved) {
    resolved_host_ = std::move(host);
    resolved_ = *resolved;
    resolved_until_ = loop_.clock().now() + std::min(resolved->time_to_live, kResolvedMax);
  }
  co_return resolved;
}

// What is left of an answer's body behind its head.
Task<void> Sender::take_answer(Sending& sending, Outcome& outcome, Duration timeout,
                               AnswerUse use) {
  EILPOST_PROBE("deliver.answer_read_late");
  const Duration wait =
      use == AnswerUse::rule ? std::max(timeout, Duration(kAnswerTimeMax)) : kAnswerTimeMax;
  const std::optional<bool> read = co_await env::with_deadline(
      loop_.timers(), loop_.clock().now() + wait, read_answer(sending, use));
  if (use == AnswerUse::log || sending.carrier.response().body_complete) co_return;
  EILPOST_PROBE("deliver.answer_not_whole");
  outcome.success = false;
  if (!read) {
    outcome.kind = OutcomeKind::timeout;
    outcome.detail =
        fmt::format("The receiver answered {}, but its body did not end in time.", outcome.status);
  } else if (*read) {
    outcome.kind = OutcomeKind::too_large;
    outcome.detail = fmt::format(
        "The receiver answered {}, but its body is larger than the {} bytes that a "
        "rule about it may read.",
        outcome.status, limits::kAnswerBytesRule);
  } else {
    outcome.kind = OutcomeKind::reset;
    outcome.detail = fmt::format(
        "The receiver answered {}, but the connection ended within its body.", outcome.status);
  }
  outcome.status = 0;
}

// Reads the answer's body, up to what it is wanted for.
Task<bool> Sender::read_answer(Sending& sending, AnswerUse use) {
  const bool is_success = sending.carrier.response().status / 100 == 2;
  const std::size_t kept = is_success ? limits::kAnswerBytesSuccess : limits::kAnswerBytesFailure;
  const http::ResponseLimits for_log{.body_bytes_kept_max = kept,
                                     .body_bytes_read_max = limits::kAnswerBytesFailure};
  const http::ResponseLimits for_rule{.body_bytes_kept_max = limits::kAnswerBytesRule,
                                      .body_bytes_read_max = limits::kAnswerBytesRule};
  const auto read = co_await sending.carrier.read_body(use == AnswerUse::rule ? for_rule : for_log);
  co_return read.has_value();
}

Result<std::shared_ptr<const Sender::Target>> Sender::target_of(const std::string& url) {
  if (last_target_ && last_target_->text == url) return last_target_;
  EILPOST_ASSIGN_OR_RETURN(http::Url parsed, http::parse_url(url));
  Target target{.text = url, .url = std::move(parsed)};
  target.authority = target.url.authority();
  target.path_and_query = target.url.target();
  last_target_ = std::make_shared<const Target>(std::move(target));
  return last_target_;
}

std::unique_ptr<http::ClientConnection> Sender::take_idle(const Sending& sending) {
  const Instant now = loop_.clock().now();
  while (!idle_.empty()) {
    Idle last = std::move(idle_.back());
    idle_.pop_back();
    const bool is_same =
        last.target->has_same_peer(*sending.target) && last.tls_context == sending.tls_context;
    if (!is_same || now >= last.until) continue;
    if (now - last.since > kIdleUnchecked && !last.connection->stream().is_idle_and_open()) {
      EILPOST_PROBE("deliver.idle_connection_had_ended");
      continue;
    }
    return std::move(last.connection);
  }
  return nullptr;
}

void Sender::keep(Sending& sending) {
  std::unique_ptr<http::ClientConnection>& connection = sending.carrier.connection;
  if (connection == nullptr || !connection->is_reusable()) return;
  if (idle_.size() >= kIdleConnectionsMax) return;
  const Instant now = loop_.clock().now();
  const Duration kept_for = std::min(
      limits::kIdleConnection, connection->keep_alive_timeout().value_or(limits::kIdleConnection));
  idle_.push_back({.connection = std::move(connection),
                   .target = std::move(sending.target),
                   .tls_context = std::move(sending.tls_context),
                   .since = now,
                   .until = now + kept_for});
  sweep_by(now + kept_for);
}

void Sender::sweep_by(Instant when) {
  if (sweep_at_ && *sweep_at_ <= when) return;
  if (sweep_at_) loop_.timers().cancel(sweep_timer_);
  sweep_at_ = when;
  sweep_timer_ = loop_.timers().call_at(when, [this] { sweep(); });
}

void Sender::sweep() {
  sweep_at_.reset();
  const Instant now = loop_.clock().now();
  std::erase_if(idle_, [now](const Idle& idle) { return now >= idle.until; });
  EILPOST_PROBE("deliver.idle_connections_swept");
  if (!idle_.empty()) sweep_by(std::ranges::min_element(idle_, {}, &Idle::until)->until);
}

std::optional<Duration> parse_retry_after(std::string_view value, WallTime now) {
  const std::string_view text = trim_ascii(value);
  if (const auto seconds = parse_integer<std::uint64_t>(text)) {
    constexpr std::uint64_t kSecondsMax = 365ULL * 24 * 3600;
    return std::chrono::seconds(std::min(*seconds, kSecondsMax));
  }
  const auto date = parse_http_date(text, now);
  if (!date) return std::nullopt;
  return std::max(Duration(*date - now), Duration::zero());
}

}  // namespace eilpost::deliver
