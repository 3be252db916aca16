#include "env/real/connect_operation.h"

#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

#include "env/real/socket_address.h"

namespace eilpost::env {
namespace {

Error connect_error(const Endpoint& endpoint, int error_number) {
  return {.code = ErrorCode::connect_failed,
          .detail = to_string(endpoint) + ": " + reason_of(error_number)};
}

}  // namespace

ConnectOperation::ConnectOperation(Reactor& reactor, ConnectOptions options, Callback done)
    : reactor_(reactor), options_(std::move(options)), done_(std::move(done)) {
  begin();
}

ConnectOperation::ConnectOperation(Reactor& reactor, Descriptor socket, ConnectOptions options,
                                   Callback done)
    : reactor_(reactor),
      options_(std::move(options)),
      done_(std::move(done)),
      socket_(std::move(socket)) {
  // It is connected, so the first event comes at once.
  if (Result<void> watched = reactor_.add(socket_.get(), EPOLLOUT, *this); !watched) {
    fail_later(std::move(watched).error());
  }
}

ConnectOperation::~ConnectOperation() {
  if (socket_.valid()) reactor_.remove(socket_.get(), *this);
}

void ConnectOperation::begin() {
  const int family = options_.endpoint.address.is_v6 ? AF_INET6 : AF_INET;
  socket_ = Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) return fail_later(connect_error(options_.endpoint, errno));
  const int one = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);

  const SocketAddress address = to_socket_address(options_.endpoint);
  const int result = connect(socket_.get(), address.get(), address.size_bytes);
  // An interrupted connect() goes on by itself, as one that would block does.
  if (result != 0 && errno != EINPROGRESS && errno != EINTR) {
    return fail_later(connect_error(options_.endpoint, errno));
  }
  if (Result<void> watched = reactor_.add(socket_.get(), EPOLLOUT, *this); !watched) {
    fail_later(std::move(watched).error());
  }
}

void ConnectOperation::fail_later(Error error) {
  failure_ = std::move(error);
  reactor_.enqueue(*this);
}

void ConnectOperation::on_ready() {
  Callback done = std::exchange(done_, nullptr);
  done(std::unexpected(*std::move(failure_)));
}

void ConnectOperation::on_events(std::uint32_t) {
  int error_number = 0;
  socklen_t size = sizeof error_number;
  getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
  if (error_number != 0) {
    Callback done = std::exchange(done_, nullptr);
    reactor_.remove(socket_.get(), *this);
    socket_.close();
    done(std::unexpected(connect_error(options_.endpoint, error_number)));
    return;
  }
  if (options_.tls != nullptr) return begin_tls();
  Callback done = std::exchange(done_, nullptr);
  done(TcpStream::take_over(reactor_, std::move(socket_), options_.endpoint));
}

void ConnectOperation::begin_tls() {
  // Every TlsContext of this environment is made by its Network.
  const auto& context = static_cast<const RealTlsContext&>(*options_.tls);
  Result<std::unique_ptr<TlsStream>> stream =
      TlsStream::take_over(reactor_, std::move(socket_), options_.endpoint, context, options_);
  if (!stream) return fail_later(std::move(stream).error());
  tls_ = std::move(*stream);
  tls_->handshake([this](Result<void> result) {
    // The callback may destroy the operation.
    Callback done = std::exchange(done_, nullptr);
    std::unique_ptr<TlsStream> connected = std::move(tls_);
    if (result) {
      done(std::move(connected));
    } else {
      connected.reset();
      done(std::unexpected(std::move(result).error()));
    }
  });
}

}  // namespace eilpost::env
