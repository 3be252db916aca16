#include "env/real/real_listener.h"

#include <algorithm>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

#include "env/real/socket_address.h"
#include "env/real/socket_stream.h"

namespace eilpost::env {
namespace {

bool is_unspecified_v6(const Address& address) {
  return address.is_v6 && std::ranges::all_of(address.bytes, [](auto byte) { return byte == 0; });
}

bool set_option(int socket, int level, int name, int value) {
  return setsockopt(socket, level, name, &value, sizeof value) == 0;
}

bool share_port(int socket) {
  return set_option(socket, SOL_SOCKET, SO_REUSEPORT, 1);
}

bool set_options(int socket, const Address& address) {
  if (!set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1)) return false;
  // Linux hands this one down to the accepted sockets.
  if (!set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1)) return false;
  // [::] means every address of both families.
  const int only_v6 = is_unspecified_v6(address) ? 0 : 1;
  return !address.is_v6 || set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, only_v6);
}

}  // namespace

RealListener::RealListener(const ListenerWorld& world, StreamCallback on_stream)
    : world_(world), on_stream_(std::move(on_stream)) {}

Result<std::unique_ptr<Listener>> RealListener::make(const ListenerWorld& world,
                                                     const Endpoint& endpoint,
                                                     StreamCallback on_stream) {
  std::unique_ptr<RealListener> listener(new RealListener(world, std::move(on_stream)));
  EILPOST_RETURN_IF_ERROR(listener->open(endpoint));
  return listener;
}

RealListener::~RealListener() {
  if (destroyed_ != nullptr) *destroyed_ = true;
  if (pause_) world_.timers.cancel(*pause_);
  if (local_.port != 0) world_.endpoints.remove(local_);
  if (socket_.valid()) world_.reactor.remove(socket_.get(), *this);
}

Result<void> RealListener::open(const Endpoint& endpoint) {
  const auto failed = [&endpoint](std::string_view what) {
    return fail(ErrorCode::listen_failed,
                to_string(endpoint) + ": " + std::string(what) + ": " + reason_of(errno));
  };
  const int family = endpoint.address.is_v6 ? AF_INET6 : AF_INET;
  socket_ = Descriptor(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket_.valid()) return failed("socket");
  if (!set_options(socket_.get(), endpoint.address)) return failed("socket options");
  // The loops of one process share a port, two processes must not: the first listener of a process
  // binds alone, which fails if anybody listens there, and only then lets others join it.
  const bool is_shared = world_.endpoints.contains(endpoint);
  if (is_shared && !share_port(socket_.get())) return failed("socket options");
  const SocketAddress address = to_socket_address(endpoint);
  if (bind(socket_.get(), address.get(), address.size_bytes) != 0) return failed("bind");
  if (!is_shared && !share_port(socket_.get())) return failed("socket options");
  if (listen(socket_.get(), kBacklog) != 0) return failed("listen");
  SocketAddress local;
  if (getsockname(socket_.get(), local.get(), &local.size_bytes) != 0) return failed("name");
  local_ = to_endpoint(local);
  world_.endpoints.add(local_);
  const Result<void> watched = world_.reactor.add(socket_.get(), EPOLLIN, *this);
  if (!watched) return fail(ErrorCode::listen_failed, watched.error().detail);
  return {};
}

void RealListener::on_events(std::uint32_t) {
  if (pause_) return;
  bool destroyed = false;
  destroyed_ = &destroyed;
  for (int i = 0; i < kBatchMax; ++i) {
    SocketAddress remote;
    Descriptor socket(
        accept4(socket_.get(), remote.get(), &remote.size_bytes, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.valid()) {
      const bool is_full =
          errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      if (is_full) pause();
      if (is_full || errno == EAGAIN) break;
      continue;  // This connection failed before it was taken; the next one may be good.
    }
    auto stream = TcpStream::make(world_.reactor, std::move(socket), to_endpoint(remote));
    if (!stream) {
      pause();
      break;
    }
    on_stream_(std::move(*stream));
    if (destroyed) return;
  }
  destroyed_ = nullptr;
}

void RealListener::pause() {
  world_.reactor.modify(socket_.get(), 0, *this);
  pause_ = world_.timers.call_at(world_.clock.now() + kPauseWhenFull, [this] {
    pause_.reset();
    world_.reactor.modify(socket_.get(), EPOLLIN, *this);
  });
}

}  // namespace eilpost::env
