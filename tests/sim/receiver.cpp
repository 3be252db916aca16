#include "receiver.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "env/await.h"
#include "env/deadline.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kForEver = 24h * 365;
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::size_t kHeadBytes = kOk.size() - 2;

Task<std::size_t> read_some(env::Stream& stream, std::span<std::byte> buffer) {
  const Result<std::size_t> count = co_await env::read(stream, buffer);
  co_return count.value_or(0);
}

}  // namespace

std::string RawRequest::header(std::string_view name) const {
  const std::string key = "\r\n" + std::string(name) + ": ";
  for (std::size_t at = 0; at + key.size() <= head.size(); ++at) {
    if (to_ascii_lower(std::string_view(head).substr(at, key.size())) != key) continue;
    const std::size_t begin = at + key.size();
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  return {};
}

Receiver::Receiver(Parts parts, std::string name, bool is_tls, std::uint64_t seed)
    : parts_(std::move(parts)), name_(std::move(name)), is_tls_(is_tls), random_(seed) {
  listen();
}

void Receiver::listen() {
  address_ = parts_.env.internet().new_address();
  const env::Endpoint endpoint{.address = address_,
                               .port = static_cast<std::uint16_t>(is_tls_ ? 443 : 80)};
  auto listener = parts_.env.outside().network().listen(
      endpoint,
      [this](std::unique_ptr<env::Stream> stream) { tasks_.spawn(serve(std::move(stream))); });
  EILPOST_ASSERT(listener.has_value());
  listener_ = std::move(*listener);
  set_tls_good(true);
  set_name_known(true);
}

std::string Receiver::url(std::uint32_t destination_number) const {
  return fmt::format("{}://{}.example/d/{}", is_tls_ ? "https" : "http", name_, destination_number);
}

void Receiver::calm_down() {
  is_calm_ = true;
  set_name_known(true);
  set_tls_good(true);
  set_silent(false);
}

void Receiver::move() {
  parts_.trace.note("{} moves to another address", name_);
  listener_.reset();
  listen();
}

void Receiver::set_name_known(bool is_known) {
  env::SimInternet& internet = parts_.env.internet();
  const std::string host = name_ + ".example";
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
  if (!is_tls_) return;
  env::SimTlsIdentity identity{.names = {name_ + ".example"}, .issuer_pem = {}};
  if (!is_good && random_.chance(1, 2)) identity.problem = "certificate has expired";
  if (!is_good && identity.problem.empty()) identity.names = {"other.example"};
  parts_.env.internet().set_tls({.address = address_, .port = 443}, std::move(identity));
}

void Receiver::set_silent(bool is_silent) {
  parts_.env.internet().set_reach(address_,
                                  is_silent ? env::SimReach::silent : env::SimReach::normal);
  if (!is_silent) return;
  for (SeenBook* seen : open_) seen->is_silenced = true;
}

Task<void> Receiver::serve(std::unique_ptr<env::Stream> stream) {
  auto& sim = static_cast<env::SimStream&>(*stream);
  std::string buffered;
  for (bool goes_on = true; goes_on;) {
    RawRequest request;
    const bool is_whole = co_await read_request(sim, buffered, request);
    if (!is_whole) co_return;
    SeenBook& seen = parts_.on_request(name_, request);
    seen.is_silenced = sim.is_silent();  // It was on its way when silence fell.
    open_.push_back(&seen);
    goes_on = co_await respond(sim, seen);
    if (!seen.ended) seen.ended = parts_.env.clock().now();
    std::erase(open_, &seen);
    parts_.trace.note("{}: {} ends, status {}", name_, seen.webhook_id, seen.status);
  }
}

Task<bool> Receiver::read_request(env::Stream& stream, std::string& buffered, RawRequest& request) {
  const bool breaks = !is_calm_ && choose() == Behaviour::reset_before;
  std::byte bytes[4096];
  for (;;) {
    const std::size_t end = buffered.find("\r\n\r\n");
    if (end != std::string::npos) {
      request.head = buffered.substr(buffered.find("\r\n"), end + 2 - buffered.find("\r\n"));
      const std::size_t target = buffered.find(' ') + 1;
      request.target = buffered.substr(target, buffered.find(' ', target) - target);
      const std::string length = request.header("content-length");
      const std::size_t size = parse_integer<std::size_t>(length).value_or(0);
      if (buffered.size() >= end + 4 + size) {
        request.body = buffered.substr(end + 4, size);
        buffered.erase(0, end + 4 + size);
        co_return true;
      }
    }
    const std::size_t count = co_await read_some(stream, bytes);
    if (count == 0) co_return false;
    if (breaks) {
      static_cast<env::SimStream&>(stream).reset();
      co_return false;
    }
    buffered.append(reinterpret_cast<const char*>(bytes), count);
  }
}

std::optional<Behaviour> Receiver::choose() {
  const WorldOptions& options = parts_.options;
  if (is_calm_ || random_.below(100) >= options.misbehaves_percent) return std::nullopt;
  return options.behaviours[random_.below(options.behaviours.size())];
}

Task<bool> Receiver::send(env::SimStream& stream, std::string text) {
  const Result<void> written = co_await env::write(stream, as_bytes(text));
  co_return written.has_value();
}

Task<bool> Receiver::wait(env::SimStream& stream, Duration duration) {
  std::byte bytes[64];
  const Instant end = parts_.env.clock().now() + duration;
  const auto closed =
      co_await env::with_deadline(parts_.env.outside().timers(), end, read_some(stream, bytes));
  co_return !closed.has_value();
}

Task<bool> Receiver::send_ok(env::SimStream& stream, SeenBook& seen) {
  seen.status = 200;
  co_return co_await send(stream, std::string(kOk));
}

Task<bool> Receiver::respond(env::SimStream& stream, SeenBook& seen) {
  const std::optional<Behaviour> how = choose();
  if (how) co_return co_await respond_badly(stream, seen, *how);
  const Duration thinking = std::chrono::microseconds(random_.below(3000));
  const bool is_there = co_await wait(stream, thinking);
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
      const bool is_there = co_await wait(stream, delay);
      if (!is_there) co_return false;
      co_return co_await send_ok(stream, seen);
    }
    case Behaviour::hang:
      co_return co_await wait(stream, kForEver);
    case Behaviour::reset_before:
    case Behaviour::reset_after:
      stream.reset();
      co_return false;
    case Behaviour::half_answer: {
      const std::string half(kOk.substr(0, random_.below(kOk.find("\r\n\r\n"))));
      if (!half.empty()) (void)co_await send(stream, half);
      co_return false;
    }
    case Behaviour::garbage:
      (void)co_await send(stream, "220 mail.example ESMTP\r\n\r\n");
      co_return false;
    case Behaviour::closes:
      (void)co_await send_ok(stream, seen);
      co_return false;
    case Behaviour::endless_body: {
      seen.status = 200;
      bool is_there =
          co_await send(stream, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (is_there) {
        is_there = co_await send(stream, "40\r\n" + std::string(64, 'x') + "\r\n");
        if (is_there) is_there = co_await wait(stream, 50ms);
      }
      co_return false;
    }
    case Behaviour::drip: {
      const Duration every = std::chrono::milliseconds(1 + random_.below(300));
      for (std::size_t i = 0; i < kOk.size(); ++i) {
        const bool is_there = co_await wait(stream, every);
        if (!is_there) co_return false;
        if (i + 1 == kHeadBytes) seen.status = 200;
        const bool is_sent = co_await send(stream, std::string(1, kOk[i]));
        if (!is_sent) co_return false;
      }
      co_return true;
    }
  }
  co_return co_await send(stream, std::move(head));
}

}  // namespace eilpost::sim
