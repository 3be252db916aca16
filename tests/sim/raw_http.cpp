#include "raw_http.h"

#include <utility>

#include "base/ascii.h"
#include "base/parse.h"
#include "env/await.h"
#include "env/deadline.h"

namespace eilpost::sim {
namespace {

Task<std::size_t> read_some(env::Stream& stream, std::span<std::byte> buffer) {
  const Result<std::size_t> count = co_await env::read(stream, buffer);
  co_return count.value_or(0);
}

Task<bool> never() {
  co_await std::suspend_always{};
  co_return true;
}

// Takes a request out of `buffered` if a whole one is there.
bool take_request(std::string& buffered, RawRequest& request) {
  const std::size_t end = buffered.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  request.head = buffered.substr(buffered.find("\r\n"), end + 2 - buffered.find("\r\n"));
  const std::size_t target = buffered.find(' ') + 1;
  request.target = buffered.substr(target, buffered.find(' ', target) - target);
  const std::string length = request.header("content-length");
  const std::size_t size = parse_integer<std::size_t>(length).value_or(0);
  if (buffered.size() < end + 4 + size) return false;
  request.body = buffered.substr(end + 4, size);
  buffered.erase(0, end + 4 + size);
  return true;
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

Task<bool> read_raw_request(env::Stream& stream, std::string& buffered, RawRequest& request,
                            OnBytes on_bytes) {
  std::byte bytes[4096];
  while (!take_request(buffered, request)) {
    const std::size_t count = co_await read_some(stream, bytes);
    if (count == 0) co_return false;
    if (on_bytes == OnBytes::reset) {
      static_cast<env::SimStream&>(stream).reset();
      co_return false;
    }
    buffered.append(reinterpret_cast<const char*>(bytes), count);
  }
  co_return true;
}

Task<bool> read_more(env::Stream& stream, std::string& buffered) {
  std::byte bytes[4096];
  const std::size_t count = co_await read_some(stream, bytes);
  buffered.append(reinterpret_cast<const char*>(bytes), count);
  co_return count > 0;
}

Task<bool> write_text(env::Stream& stream, std::string text) {
  const Result<void> written = co_await env::write(stream, as_bytes(text));
  co_return written.has_value();
}

Task<bool> wait_open(env::SimEnv& env, env::Stream& stream, Duration duration) {
  std::byte bytes[64];
  const Instant end = env.clock().now() + duration;
  const auto closed =
      co_await env::with_deadline(env.outside().timers(), end, read_some(stream, bytes));
  co_return !closed.has_value();
}

Task<void> sleep(env::SimEnv& env, Duration duration) {
  const Instant end = env.clock().now() + duration;
  (void)co_await env::with_deadline(env.outside().timers(), end, never());
}

}  // namespace eilpost::sim
