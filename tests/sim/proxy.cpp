#include "proxy.h"

#include <utility>

#include "base/assert.h"
#include "base/encoding.h"

namespace eilpost::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kForEver = 24h * 365;

}  // namespace

Proxy::Proxy(Parts parts, std::uint64_t seed) : parts_(std::move(parts)), random_(seed) {
  address_ = parts_.env.internet().new_address();
  auto listener = parts_.env.outside().network().listen(
      {.address = address_, .port = 3128},
      [this](std::unique_ptr<env::Stream> stream) { tasks_.spawn(serve(std::move(stream))); });
  EILPOST_ASSERT(listener.has_value());
  listener_ = std::move(*listener);
  parts_.env.internet().set_name("proxy.example", {address_});
}

void Proxy::set_reach(env::SimReach reach) {
  parts_.env.internet().set_reach(address_, reach);
}

void Proxy::calm_down() {
  is_calm_ = true;
  set_reach(env::SimReach::normal);
}

Task<void> Proxy::serve(std::unique_ptr<env::Stream> stream) {
  std::string buffered;
  RawRequest request;
  const bool is_whole = co_await read_raw_request(*stream, buffered, request, OnBytes::read);
  if (!is_whole) co_return;
  const std::string wanted = "Basic " + encode_base64(as_bytes("ann:" + std::string(kSecret)));
  if (request.header("proxy-authorization") != wanted || !buffered.empty()) {
    parts_.on_fault("the proxy was asked wrongly");
  }
  const bool is_refused = !is_calm_ && random_.below(100) < parts_.options.proxy_trouble_percent;
  if (is_refused) {
    const bool goes_on = co_await refuse(*stream);
    if (!goes_on) co_return;
  }
  const bool is_told = co_await write_text(*stream, "HTTP/1.1 200 Connection established\r\n\r\n");
  if (!is_told) co_return;
  const bool is_led = parts_.lead(request.target, stream);
  if (!is_led) parts_.trace.note("proxy: nobody is at {}", request.target);
}

// True if it lets the client through after all.
Task<bool> Proxy::refuse(env::Stream& stream) {
  switch (random_.below(6)) {
    case 0:
      (void)co_await write_text(stream, "HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n");
      co_return false;
    case 1:
      (void)co_await write_text(stream, "HTTP/1.1 502 No\r\nContent-Length: 2\r\n\r\nno");
      co_return false;
    case 2:
      (void)co_await write_text(stream, "220 mail.example ESMTP\r\n\r\n");
      co_return false;
    case 3:
      (void)co_await wait_open(parts_.env, stream, kForEver);
      co_return false;
    case 4: {
      const Duration delay = std::chrono::milliseconds(random_.below(8000));
      co_return co_await wait_open(parts_.env, stream, delay);
    }
    default:
      static_cast<env::SimStream&>(stream).reset();
      co_return false;
  }
}

}  // namespace eilpost::sim
