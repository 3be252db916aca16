#include "env/real/socket_stream.h"

#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

// Edge-triggered, so that one registration serves the life of the socket.
constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kEndEvents = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

std::unexpected<Error> socket_failed(int error_number) {
  const auto code = error_number == ETIMEDOUT ? ErrorCode::timed_out : ErrorCode::connection_reset;
  return fail(code, reason_of(error_number));
}

}  // namespace

SocketStream::SocketStream(Reactor& reactor, Descriptor socket, const Endpoint& remote)
    : reactor_(reactor), socket_(std::move(socket)), remote_(remote) {}

SocketStream::~SocketStream() {
  if (socket_.valid()) reactor_.remove(socket(), *this);
}

Descriptor SocketStream::release() {
  EILPOST_ASSERT(!read_done_ && !write_done_);
  reactor_.remove(socket(), *this);
  return std::move(socket_);
}

Result<void> SocketStream::watch_socket() {
  return reactor_.add(socket(), kEvents, *this);
}

void SocketStream::take_over_socket() {
  reactor_.modify(socket(), kEvents, *this);
}

void SocketStream::read(std::span<std::byte> buffer, SizeCallback done) {
  EILPOST_ASSERT(!read_done_ && !buffer.empty());
  read_buffer_ = buffer;
  read_done_ = std::move(done);
  if (may_read()) reactor_.enqueue(*this);
}

void SocketStream::write(ByteView bytes, DoneCallback done) {
  EILPOST_ASSERT(!write_done_);
  write_rest_ = bytes;
  write_done_ = std::move(done);
  continue_write();
}

void SocketStream::cancel_read() {
  read_done_ = nullptr;
}

void SocketStream::cancel_write() {
  write_done_ = nullptr;
  write_ended_ = false;
}

SocketStream::Attempt SocketStream::receive(std::span<std::byte> buffer) {
  while (true) {
    const ssize_t count = recv(socket(), buffer.data(), buffer.size(), 0);
    if (count >= 0) {
      // A short read has emptied the socket: what comes later is a new event. The end is one event
      // too, perhaps the same as that of the last bytes, so after it every read is tried.
      if (std::cmp_less(count, buffer.size()) && !ended_) readable_ = false;
      return static_cast<std::size_t>(count);
    }
    if (errno == EAGAIN) {
      readable_ = false;
      return std::nullopt;
    }
    if (errno != EINTR) return socket_failed(errno);
  }
}

SocketStream::Attempt SocketStream::send(ByteView bytes) {
  while (true) {
    const ssize_t count = ::send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) return socket_failed(errno);
  }
}

void SocketStream::note_events(std::uint32_t events) {
  if ((events & kEndEvents) != 0) ended_ = true;
  if ((events & (EPOLLIN | kEndEvents)) != 0) readable_ = true;
}

void SocketStream::on_events(std::uint32_t events) {
  note_events(events);
  if (write_done_ && !write_ended_) continue_write();
  if (read_done_ && may_read()) continue_read();
}

void SocketStream::on_ready() {
  if (write_ended_) {
    write_ended_ = false;
    if (read_done_ && may_read()) reactor_.enqueue(*this);
    DoneCallback done = std::exchange(write_done_, nullptr);
    done(std::exchange(write_result_, Result<void>{}));
    return;
  }
  if (read_done_ && may_read()) continue_read();
}

void SocketStream::continue_write() {
  while (!write_rest_.empty()) {
    Attempt attempt = try_write(write_rest_);
    if (!attempt) return;
    if (!*attempt) {
      write_result_ = std::unexpected(std::move(*attempt).error());
      break;
    }
    write_rest_ = write_rest_.subspan(**attempt);
  }
  write_ended_ = true;
  reactor_.enqueue(*this);
}

void SocketStream::continue_read() {
  Attempt attempt = try_read(read_buffer_);
  if (!attempt) return;
  SizeCallback done = std::exchange(read_done_, nullptr);
  done(std::move(*attempt));
}

Result<std::unique_ptr<Stream>> TcpStream::make(Reactor& reactor, Descriptor socket,
                                                const Endpoint& remote) {
  std::unique_ptr<TcpStream> stream(new TcpStream(reactor, std::move(socket), remote));
  EILPOST_RETURN_IF_ERROR(stream->watch_socket());
  return stream;
}

std::unique_ptr<Stream> TcpStream::take_over(Reactor& reactor, Descriptor socket,
                                             const Endpoint& remote) {
  std::unique_ptr<TcpStream> stream(new TcpStream(reactor, std::move(socket), remote));
  stream->take_over_socket();
  return stream;
}

bool TcpStream::is_idle_and_open() {
  std::byte ignored{};
  return recv(socket(), &ignored, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace eilpost::env
