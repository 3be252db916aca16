#include "env/sim/sim_peer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/assert.h"
#include "env/await.h"

namespace eilpost::env {
namespace {

constexpr std::size_t kReadBytes = 4096;

SimPeer::Framing ending_with(std::string terminator) {
  return [terminator = std::move(terminator)](std::string_view text) -> std::size_t {
    if (terminator.empty()) return text.size();
    const std::size_t found = text.find(terminator);
    return found == std::string_view::npos ? 0 : found + terminator.size();
  };
}

}  // namespace

SimPeer::SimPeer(Loop& loop, const Endpoint& endpoint, Framing framing)
    : loop_(loop), framing_(std::move(framing)) {
  auto listener = loop_.network().listen(endpoint, [this](std::unique_ptr<Stream> stream) {
    ++accepted_count_;
    tasks_.spawn(serve(std::move(stream)));
  });
  EILPOST_ASSERT(listener.has_value());
  listener_ = std::move(*listener);
}

SimPeer::SimPeer(Loop& loop, const Endpoint& endpoint, std::string terminator)
    : SimPeer(loop, endpoint, ending_with(std::move(terminator))) {}

SimPeer::~SimPeer() = default;

Endpoint SimPeer::endpoint() const {
  return listener_->local_endpoint();
}

SimAnswer SimPeer::take_answer() {
  if (next_answers_.empty()) return default_answer_;
  SimAnswer answer = std::move(next_answers_.front());
  next_answers_.pop_front();
  return answer;
}

Task<void> SimPeer::serve(std::unique_ptr<Stream> stream) {
  auto& sim_stream = static_cast<SimStream&>(*stream);
  bool goes_on = co_await answer(sim_stream, accept_answer_);
  std::string unread;
  std::array<std::byte, kReadBytes> buffer;
  while (goes_on) {
    if (!reads_) co_await std::suspend_always{};
    const Result<std::size_t> count = co_await read(*stream, buffer);
    if (!count || *count == 0) co_return;
    unread += as_text(ByteView(buffer).first(*count));
    for (std::size_t length = framing_(unread); goes_on && length > 0;
         length = unread.empty() ? 0 : framing_(unread)) {
      received_.push_back(unread.substr(0, length));
      unread.erase(0, length);
      goes_on = co_await answer(sim_stream, take_answer());
    }
  }
}

Task<bool> SimPeer::answer(SimStream& stream, SimAnswer answer) {
  Timers& timers = loop_.timers();
  if (answer.delay > Duration::zero()) {
    co_await wait_until(timers, loop_.clock().now() + answer.delay);
  }
  ByteView left = as_bytes(answer.bytes);
  while (!left.empty()) {
    const std::size_t part =
        answer.drip_bytes == 0 ? left.size() : std::min(left.size(), answer.drip_bytes);
    const Result<void> written = co_await write(stream, left.first(part));
    if (!written) co_return false;
    left = left.subspan(part);
    if (!left.empty()) co_await wait_until(timers, loop_.clock().now() + answer.drip_every);
  }
  switch (answer.then) {
    case SimAnswer::Then::keep:
      co_return true;
    case SimAnswer::Then::end_writing:
      stream.end_writing();
      co_return true;
    case SimAnswer::Then::reset:
      stream.reset();
      co_return false;
    case SimAnswer::Then::close:
      co_return false;
  }
  assert_failed("unknown SimAnswer::Then");
}

SimCaller::SimCaller(Loop& loop, ConnectOptions options) : loop_(loop) {
  receiving_ = receive(std::move(options));
  receiving_.start();
}

SimCaller::SimCaller(Loop& loop, const Endpoint& endpoint)
    : SimCaller(loop, ConnectOptions{.endpoint = endpoint, .server_name = {}}) {}

SimCaller::~SimCaller() = default;

void SimCaller::send(std::string_view bytes) {
  EILPOST_ASSERT(!wants_end_);
  to_send_.emplace_back(bytes);
  if (stream_ && (!transmitting_.valid() || transmitting_.done())) {
    transmitting_ = transmit();
    transmitting_.start();
  }
}

void SimCaller::end_writing() {
  wants_end_ = true;
  const bool is_transmitting = transmitting_.valid() && !transmitting_.done();
  if (stream_ && !is_transmitting) static_cast<SimStream&>(*stream_).end_writing();
}

void SimCaller::reset() {
  EILPOST_ASSERT(stream_ != nullptr);
  static_cast<SimStream&>(*stream_).reset();
}

std::string SimCaller::take() {
  return std::exchange(received_, {});
}

Task<void> SimCaller::receive(ConnectOptions options) {
  Result<std::unique_ptr<Stream>> connected = co_await connect(loop_.network(), std::move(options));
  if (!connected) {
    end_with(std::move(connected).error());
    co_return;
  }
  stream_ = std::move(*connected);
  transmitting_ = transmit();
  transmitting_.start();
  std::array<std::byte, kReadBytes> buffer;
  while (true) {
    if (!reads_) co_await std::suspend_always{};
    const Result<std::size_t> count = co_await read(*stream_, buffer);
    if (!count) {
      end_with(count.error());
      co_return;
    }
    if (*count == 0) break;
    received_ += as_text(ByteView(buffer).first(*count));
  }
  is_over_ = true;
}

Task<void> SimCaller::transmit() {
  while (!to_send_.empty()) {
    const std::string part = std::move(to_send_.front());
    to_send_.pop_front();
    const Result<void> written = co_await write(*stream_, as_bytes(part));
    if (!written) co_return;
  }
  if (wants_end_) static_cast<SimStream&>(*stream_).end_writing();
}

void SimCaller::end_with(Error error) {
  error_ = std::move(error);
  is_over_ = true;
}

}  // namespace eilpost::env
