#pragma once
// Endpoints as the system's socket addresses.

#include <sys/socket.h>

#include "env/network.h"

namespace eilpost::env {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size_bytes = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

[[nodiscard]] SocketAddress to_socket_address(const Endpoint& endpoint);

// An IPv4 address that came as ::ffff:a.b.c.d, as it does on a socket of both families, is IPv4
// again.
[[nodiscard]] Endpoint to_endpoint(const SocketAddress& address);

}  // namespace eilpost::env
