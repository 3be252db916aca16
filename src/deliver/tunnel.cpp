#include "deliver/tunnel.h"

#include <fmt/format.h>
#include <utility>

#include "env/await.h"

namespace eilpost::deliver {
namespace {

std::unexpected<Error> proxy_failed(const http::Proxy& proxy, const Error& error) {
  const std::string_view text = text_of(error.code);
  return fail(ErrorCode::connect_failed, fmt::format("The proxy {} was not reached: {} {}",
                                                     proxy.to_string(), text, error.detail));
}

}  // namespace

Task<Result<std::unique_ptr<env::Stream>>> connect_through(env::Network& network,
                                                           const http::Proxy& proxy,
                                                           env::ConnectOptions options) {
  const Result<env::Resolved> resolved = co_await env::resolve(network, proxy.host);
  if (!resolved) co_return proxy_failed(proxy, resolved.error());
  Result<std::unique_ptr<env::Stream>> stream;
  for (const env::Address& address : resolved->addresses) {
    env::ConnectOptions to_proxy{.endpoint = {.address = address, .port = proxy.port},
                                 .server_name = {}};
    stream = co_await env::connect(network, std::move(to_proxy));
    if (stream) break;
  }
  if (!stream) co_return proxy_failed(proxy, stream.error());
  const Result<void> opened = co_await http::open_tunnel(**stream, proxy, options.endpoint);
  if (!opened) co_return std::unexpected(opened.error());
  if (options.tls == nullptr) co_return std::move(stream);
  std::unique_ptr<env::Stream> tunnel = *std::move(stream);
  Result<std::unique_ptr<env::Stream>> secure =
      co_await env::start_tls(network, std::move(tunnel), std::move(options));
  co_return std::move(secure);
}

}  // namespace eilpost::deliver
