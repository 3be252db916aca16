#include "env/sim/sim_connection.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

constexpr std::size_t other(std::size_t side) {
  return 1 - side;
}

}  // namespace

SimConnection::SimConnection(SimClock& clock, SimScheduler& scheduler, std::uint64_t seed,
                             Options options)
    : clock_(clock), scheduler_(scheduler), random_(seed), options_(std::move(options)) {}

void SimConnection::break_off() {
  for (const std::size_t side : {0U, 1U}) {
    scheduler_.call_at(options_.queues[side], clock_.now(),
                       [self = shared_from_this(), side] { self->on_reset(side); });
  }
}

void SimConnection::abandon(std::size_t side) {
  End& end = ends_[side];
  end.is_gone = true;
  if (end.is_closed) {
    if (end.under_way_bytes > 0) send_reset(side);  // They find nobody.
    return;
  }
  send_reset(side);
  close(side);
}

void SimConnection::close(std::size_t side) {
  End& end = ends_[side];
  if (end.is_closed) return;
  if (!end.arrived.empty()) {
    send_reset(side);
  } else {
    send_end(side);
  }
  end.is_closed = true;
  end.arrived.clear();
  // The callbacks may own what calls back here: they are destroyed last.
  const auto read_done = std::exchange(end.read_done, nullptr);
  const auto write_done = std::exchange(end.write_done, nullptr);
}

void SimConnection::send_bytes(std::size_t from, Bytes bytes) {
  const std::size_t to = other(from);
  if (ends_[to].is_gone) {  // Its machine answers for the process that was there.
    send_reset(to);
    return;
  }
  ends_[to].under_way_bytes += bytes.size();
  arrive(to, [to, bytes = std::move(bytes)](SimConnection& self) { self.on_bytes(to, bytes); });
}

void SimConnection::send_end(std::size_t from) {
  if (std::exchange(ends_[from].has_ended, true)) return;
  const std::size_t to = other(from);
  arrive(to, [to](SimConnection& self) {
    self.ends_[to].peer_ended = true;
    self.try_read(to);
  });
}

void SimConnection::send_reset(std::size_t from) {
  const std::size_t to = other(from);
  arrive(to, [to](SimConnection& self) { self.on_reset(to); });
}

void SimConnection::arrive(std::size_t side, std::move_only_function<void(SimConnection&)> work) {
  if (is_silent_) return;
  const auto spread = static_cast<std::uint64_t>((options_.delay.max - options_.delay.min).count());
  const Duration delay = options_.delay.min + Duration(random_.next() % (spread + 1));
  Instant& last = ends_[side].last_arrival;
  last = std::max(last, clock_.now() + delay);
  scheduler_.call_at(
      options_.queues[side], last,
      [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

void SimConnection::soon(std::size_t side, void (SimConnection::*step)(std::size_t)) {
  scheduler_.call_at(options_.queues[side], clock_.now(),
                     [self = shared_from_this(), side, step] { (self.get()->*step)(side); });
}

void SimConnection::on_bytes(std::size_t side, ByteView bytes) {
  End& end = ends_[side];
  end.under_way_bytes -= bytes.size();
  const bool is_refused = end.is_closed || (side == 1 && options_.refuses_bytes);
  if (is_refused) {
    send_reset(side);
    return;
  }
  if (end.is_reset) return;
  end.arrived.insert(end.arrived.end(), bytes.begin(), bytes.end());
  try_read(side);
}

void SimConnection::on_reset(std::size_t side) {
  ends_[side].is_reset = true;
  if (ends_[side].read_done) soon(side, &SimConnection::try_read);
  if (ends_[side].write_done) soon(side, &SimConnection::try_write);
}

void SimConnection::try_read(std::size_t side) {
  End& end = ends_[side];
  if (!end.read_done) return;
  Result<std::size_t> result{0U};
  if (!end.arrived.empty()) {
    std::size_t count = std::min(end.arrived.size(), end.read_buffer.size());
    if (options_.partial_reads) count = some_of(count, 4);
    const auto last = end.arrived.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(end.arrived.begin(), last, end.read_buffer.begin());
    end.arrived.erase(end.arrived.begin(), last);
    result = count;
    End& sender = ends_[other(side)];
    if (std::exchange(sender.is_waiting_for_window, false)) {
      arrive(other(side), [from = other(side)](SimConnection& self) { self.try_write(from); });
    }
  } else if (end.is_reset) {
    result = fail(ErrorCode::connection_reset, to_string(options_.endpoints[other(side)]));
  } else if (!end.peer_ended) {
    return;
  }
  // The callback may destroy the stream: it is no longer in it while it runs.
  auto done = std::exchange(end.read_done, nullptr);
  end.read_buffer = {};
  done(std::move(result));
}

void SimConnection::try_write(std::size_t side) {
  End& end = ends_[side];
  if (!end.write_done) return;
  if (!end.is_reset && !end.to_write.empty()) {
    const End& receiver = ends_[other(side)];
    const std::size_t unread = receiver.under_way_bytes + receiver.arrived.size();
    const std::size_t window = options_.window_bytes - std::min(options_.window_bytes, unread);
    if (window == 0) {
      end.is_waiting_for_window = true;
      return;
    }
    const std::size_t count = some_of(std::min(window, end.to_write.size()), 8);
    const ByteView part = end.to_write.first(count);
    end.to_write = end.to_write.subspan(count);
    send_bytes(side, Bytes(part.begin(), part.end()));
    if (!end.to_write.empty()) {
      soon(side, &SimConnection::try_write);
      return;
    }
  }
  Result<void> result;
  if (end.is_reset) {
    result = fail(ErrorCode::connection_reset, to_string(options_.endpoints[other(side)]));
  }
  auto done = std::exchange(end.write_done, nullptr);
  end.to_write = {};
  done(std::move(result));
}

// Mostly all of `count`, once in `one_in` times a random part of it, never nothing.
std::size_t SimConnection::some_of(std::size_t count, std::uint64_t one_in) {
  if (count <= 1 || !random_.chance(1, one_in)) return count;
  return 1 + random_.below(count);
}

SimStream::SimStream(std::shared_ptr<SimConnection> connection, std::size_t side)
    : connection_(std::move(connection)), side_(side) {}

SimStream::~SimStream() {
  connection_->close(side_);
}

void SimStream::read(std::span<std::byte> buffer, SizeCallback done) {
  SimConnection::End& end = connection_->ends_[side_];
  EILPOST_ASSERT(!end.read_done);
  EILPOST_ASSERT(!buffer.empty());
  end.read_buffer = buffer;
  end.read_done = std::move(done);
  connection_->soon(side_, &SimConnection::try_read);
}

void SimStream::write(ByteView bytes, DoneCallback done) {
  SimConnection::End& end = connection_->ends_[side_];
  if (end.is_closed) return;  // Abandoned: a farewell that a killed process never says.
  EILPOST_ASSERT(!end.write_done);
  EILPOST_ASSERT(!end.has_ended);
  end.to_write = bytes;
  end.write_done = std::move(done);
  end.is_waiting_for_window = false;
  connection_->soon(side_, &SimConnection::try_write);
}

void SimStream::cancel_read() {
  SimConnection::End& end = connection_->ends_[side_];
  end.read_buffer = {};
  const auto done = std::exchange(end.read_done, nullptr);
}

void SimStream::cancel_write() {
  SimConnection::End& end = connection_->ends_[side_];
  end.to_write = {};
  const auto done = std::exchange(end.write_done, nullptr);
}

bool SimStream::is_idle_and_open() {
  const SimConnection::End& end = connection_->ends_[side_];
  return end.arrived.empty() && !end.peer_ended && !end.is_reset;
}

Endpoint SimStream::remote_endpoint() const {
  return connection_->options_.endpoints[other(side_)];
}

std::string_view SimStream::application_protocol() const {
  return connection_->options_.protocol;
}

void SimStream::end_writing() {
  EILPOST_ASSERT(!connection_->ends_[side_].write_done);
  connection_->send_end(side_);
}

void SimStream::reset() {
  connection_->send_reset(side_);
  connection_->on_reset(side_);
}

void SimStream::start_tls(std::string protocol, std::string server_name) {
  connection_->options_.protocol = std::move(protocol);
  connection_->options_.server_name = std::move(server_name);
}

std::string_view SimStream::server_name() const {
  return connection_->options_.server_name;
}

bool SimStream::is_silent() const {
  return connection_->is_silent();
}

std::string_view SimStream::client_certificate_pem() const {
  return connection_->options_.client_certificate_pem;
}

}  // namespace eilpost::env
