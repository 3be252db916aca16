#include "receiver.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "http2_conversation.h"
#include "model/json.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kForEver = 24h * 365;
constexpr std::string_view kOkHead = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
constexpr std::string_view kGood = "ok";
constexpr std::string_view kRefusal = "no";
constexpr int kStatusUnauthorized = 401;
constexpr std::uint64_t kOneWrongIn = 8;  // events

}  // namespace

Receiver::Receiver(Parts parts, Identity identity, std::uint64_t seed)
    : parts_(std::move(parts)), identity_(std::move(identity)), random_(seed) {
  listen();
}

env::Endpoint Receiver::endpoint() const {
  return {.address = address_, .port = static_cast<std::uint16_t>(identity_.is_tls ? 443 : 80)};
}

void Receiver::listen() {
  address_ = parts_.env.internet().new_address();
  auto listener = parts_.env.outside().network().listen(
      endpoint(), [this](std::unique_ptr<env::Stream> stream) {
        if (parts_.options.proxy) parts_.on_fault("a connection did not come by way of the proxy");
        adopt(std::move(stream));
      });
  EILPOST_ASSERT(listener.has_value());
  listener_ = std::move(*listener);
  set_tls_good(true);
  set_name_known(true);
}

void Receiver::adopt(std::unique_ptr<env::Stream> stream) {
  tasks_.spawn(serve(std::move(stream)));
}

std::string Receiver::url(std::uint32_t destination_number) const {
  return fmt::format("{}://{}.example/d/{}", identity_.is_tls ? "https" : "http", identity_.name,
                     destination_number);
}

void Receiver::calm_down() {
  is_calm_ = true;
  set_name_known(true);
  set_tls_good(true);
  set_silent(false);
}

void Receiver::move() {
  parts_.trace.note("{} moves to another address", identity_.name);
  listener_.reset();
  listen();
}

void Receiver::set_name_known(bool is_known) {
  env::SimInternet& internet = parts_.env.internet();
  const std::string host = identity_.name + ".example";
  if (is_known) {
    internet.set_name(host, {address_});
    return;
  }
  switch (random_.below(3)) {
    case 0:
      internet.remove_name(host);
      return;
    case 1:
      internet.hang_name(host);
      return;
    default:  // Within the machine's own network: must not be called.
      internet.set_name(host, {env::Address{.bytes = {10, 0, 0, 7}}});
  }
}

void Receiver::set_tls_good(bool is_good) {
  if (!identity_.is_tls) return;
  env::SimTlsIdentity tls{.names = {identity_.name + ".example"}, .issuer_pem = {}};
  if (identity_.speaks_http_2) tls.alpn = {"h2", "http/1.1"};
  if (!is_good && random_.chance(1, 2)) tls.problem = "certificate has expired";
  if (!is_good && tls.problem.empty()) tls.names = {"other.example"};
  parts_.env.internet().set_tls(endpoint(), std::move(tls));
}

void Receiver::require_http_1_1() {
  identity_.speaks_http_2 = false;
  set_tls_good(true);
}

void Receiver::set_silent(bool is_silent) {
  parts_.env.internet().set_reach(address_,
                                  is_silent ? env::SimReach::silent : env::SimReach::normal);
  note_silence();
}

void Receiver::note_silence() {
  for (const Open& open : open_) {
    open.seen->is_silenced = open.seen->is_silenced || open.stream->is_silent();
  }
}

SeenBook& Receiver::begin(const RawRequest& request, const env::SimStream& stream) {
  SeenBook& seen = parts_.on_request(identity_.name, request);
  seen.is_silenced = stream.is_silent();  // It was on its way when silence fell.
  open_.push_back({.seen = &seen, .stream = &stream});
  return seen;
}

void Receiver::end(SeenBook& seen) {
  if (!seen.ended) seen.ended = parts_.env.clock().now();
  std::erase_if(open_, [&seen](const Open& open) { return open.seen == &seen; });
  parts_.trace.note("{}: {} ends, status {}", identity_.name, seen.webhook_id, seen.status);
}

Task<void> Receiver::serve(std::unique_ptr<env::Stream> stream) {
  auto& sim = static_cast<env::SimStream&>(*stream);
  std::string buffered;
  if (parts_.options.http_2) {
    // What is spoken is sure when the first bytes are there: a proxy's client begins TLS later.
    const bool is_begun = co_await read_more(sim, buffered);
    if (!is_begun) co_return;
    if (sim.application_protocol() == "h2") {
      Http2Conversation conversation(*this, sim);
      co_await conversation.run(std::move(buffered));
      co_return;
    }
  }
  for (bool goes_on = true; goes_on;) {
    const bool breaks = !is_calm_ && choose() == Behaviour::reset_before;
    RawRequest request;
    const bool is_whole =
        co_await read_raw_request(sim, buffered, request, breaks ? OnBytes::reset : OnBytes::read);
    if (!is_whole) co_return;
    SeenBook& seen = begin(request, sim);
    goes_on = co_await respond(sim, seen);
    end(seen);
  }
}

std::optional<Behaviour> Receiver::choose() {
  const WorldOptions& options = parts_.options;
  if (is_calm_ || random_.below(100) >= options.misbehaves_percent) return std::nullopt;
  return options.behaviours[random_.below(options.behaviours.size())];
}

// By what it sees alone: so an event that is wrong is so each time.
std::optional<Receiver::Complaint> Receiver::complain(SeenBook& seen) const {
  const WorldOptions& options = parts_.options;
  if (is_calm_) return std::nullopt;
  if (options.too_many > 0 && seen.parts.size() >= options.too_many) {
    return Complaint{.status = 413, .body = "too many"};
  }
  if (!options.finds_wrong) return std::nullopt;
  Json refused = Json::array();
  for (std::size_t i = 0; i < seen.parts.size(); ++i) {
    if (hash64(seen.parts[i].event_id) % kOneWrongIn == 0) refused.push_back(i);
  }
  if (refused.empty()) return std::nullopt;
  if (!options.names_refused) return Complaint{.status = 422, .body = "one is wrong"};
  seen.is_partial = true;
  for (const Json& each : refused) seen.parts[each.get<std::size_t>()].is_refused = true;
  return Complaint{.status = 400, .body = to_text(Json{{"refused", refused}})};
}

std::string_view Receiver::good_answer() {
  const bool refuses = parts_.options.answer_rules && !is_calm_ && random_.chance(1, 4);
  return refuses ? kRefusal : kGood;
}

Task<bool> Receiver::send_ok(env::SimStream& stream, SeenBook& seen) {
  const std::string_view answer = good_answer();
  seen.status = 200;
  seen.is_success = answer == kGood;
  co_return co_await write_text(stream, std::string(kOkHead) + std::string(answer));
}

Task<bool> Receiver::respond(env::SimStream& stream, SeenBook& seen) {
  if (!seen.is_token_good) {
    seen.status = kStatusUnauthorized;
    co_return co_await write_text(stream, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n");
  }
  const std::optional<Behaviour> how = choose();
  if (how) co_return co_await respond_badly(stream, seen, *how);
  if (const auto complaint = complain(seen)) {
    seen.status = complaint->status;
    co_return co_await write_text(
        stream, fmt::format("HTTP/1.1 {} No\r\nContent-Length: {}\r\n\r\n{}", complaint->status,
                            complaint->body.size(), complaint->body));
  }
  const Duration thinking = std::chrono::microseconds(random_.below(3000));
  const bool is_there = co_await wait_open(parts_.env, stream, thinking);
  if (!is_there) co_return false;
  co_return co_await send_ok(stream, seen);
}

Task<bool> Receiver::respond_badly(env::SimStream& stream, SeenBook& seen, Behaviour how) {
  std::string head;
  switch (how) {
    case Behaviour::error_500:
      head = "HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nbad";
      seen.status = 500;
      break;
    case Behaviour::too_many_429:
      head = fmt::format("HTTP/1.1 429 Slow\r\nRetry-After: {}\r\nContent-Length: 0\r\n\r\n",
                         random_.below(600));
      seen.status = 429;
      break;
    case Behaviour::redirect:
      head =
          "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n";
      seen.status = 302;
      break;
    case Behaviour::gone_410:
      head = "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n";
      seen.status = 410;
      break;
    case Behaviour::slow: {
      const Duration delay = std::chrono::milliseconds(random_.below(8000));
      const bool is_there = co_await wait_open(parts_.env, stream, delay);
      if (!is_there) co_return false;
      co_return co_await send_ok(stream, seen);
    }
    case Behaviour::hang:
      co_return co_await wait_open(parts_.env, stream, kForEver);
    case Behaviour::reset_before:
    case Behaviour::reset_after:
      stream.reset();
      co_return false;
    case Behaviour::half_answer: {
      const std::string half(kOkHead.substr(0, random_.below(kOkHead.size() - 4)));
      if (!half.empty()) (void)co_await write_text(stream, half);
      co_return false;
    }
    case Behaviour::garbage:
      (void)co_await write_text(stream, "220 mail.example ESMTP\r\n\r\n");
      co_return false;
    case Behaviour::closes:
      (void)co_await send_ok(stream, seen);
      co_return false;
    case Behaviour::endless_body:
      co_return co_await send_without_end(stream, seen);
    case Behaviour::drip:
      co_return co_await drip(stream, seen);
  }
  co_return co_await write_text(stream, std::move(head));
}

Task<bool> Receiver::send_without_end(env::SimStream& stream, SeenBook& seen) {
  seen.status = 200;
  seen.is_success = !parts_.options.answer_rules;
  bool is_there =
      co_await write_text(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  while (is_there) {
    is_there = co_await write_text(stream, "40\r\n" + std::string(64, 'x') + "\r\n");
    if (is_there) is_there = co_await wait_open(parts_.env, stream, 50ms);
  }
  co_return false;
}

Task<bool> Receiver::drip(env::SimStream& stream, SeenBook& seen) {
  const Duration every = std::chrono::milliseconds(1 + random_.below(300));
  const std::string answer = std::string(kOkHead) + std::string(kGood);
  for (std::size_t i = 0; i < answer.size(); ++i) {
    const bool is_there = co_await wait_open(parts_.env, stream, every);
    if (!is_there) co_return false;
    if (i + 1 == kOkHead.size()) {
      seen.status = 200;
      seen.is_success = !parts_.options.answer_rules;
    }
    if (i + 1 == answer.size()) seen.is_success = true;
    const bool is_sent = co_await write_text(stream, std::string(1, answer[i]));
    if (!is_sent) co_return false;
  }
  co_return true;
}

}  // namespace eilpost::sim
