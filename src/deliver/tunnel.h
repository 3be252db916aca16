#pragma once
// A connection through an HTTP proxy.

#include <memory>

#include "base/result.h"
#include "base/task.h"
#include "env/network.h"
#include "http/proxy.h"

namespace eilpost::deliver {

// As Network::connect(), by way of `proxy`: with TLS, that is spoken through the proxy with the
// other side, whose certificate is checked as ever.
// Errors: connect_failed, with a detail that names the proxy if it was the proxy that failed or
// refused; tls_failed, connection_reset of the other side.
// REQUIRES: `network` and `proxy` live until the Task ends.
[[nodiscard]] Task<Result<std::unique_ptr<env::Stream>>> connect_through(
    env::Network& network, const http::Proxy& proxy, env::ConnectOptions options);

}  // namespace eilpost::deliver
