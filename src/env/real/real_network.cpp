#include "env/real/real_network.h"

#include <utility>

#include "env/real/connect_operation.h"
#include "env/real/real_listener.h"

namespace eilpost::env {

RealNetwork::RealNetwork(RealNetworkParts parts)
    : reactor_(parts.reactor),
      timers_(parts.timers),
      clock_(parts.clock),
      system_trust_(std::move(parts.system_trust)),
      endpoints_(std::move(parts.endpoints)),
      dns_(parts.reactor, parts.timers, parts.clock, std::move(parts.dns)) {}

std::unique_ptr<Operation> RealNetwork::resolve(
    std::string_view host, std::move_only_function<void(Result<Resolved>)> done) {
  return dns_.resolve(host, std::move(done));
}

std::unique_ptr<Operation> RealNetwork::connect(
    ConnectOptions options, std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) {
  return std::make_unique<ConnectOperation>(reactor_, std::move(options), std::move(done));
}

std::unique_ptr<Operation> RealNetwork::start_tls(
    std::unique_ptr<Stream> stream, ConnectOptions options,
    std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) {
  // Every Stream of this environment is made by its Network.
  auto& plain = static_cast<TcpStream&>(*stream);
  return std::make_unique<ConnectOperation>(reactor_, plain.release(), std::move(options),
                                            std::move(done));
}

Result<std::unique_ptr<Listener>> RealNetwork::listen(
    const Endpoint& endpoint, std::move_only_function<void(std::unique_ptr<Stream>)> on_stream) {
  return RealListener::make(
      {.reactor = reactor_, .timers = timers_, .clock = clock_, .endpoints = *endpoints_}, endpoint,
      std::move(on_stream));
}

Result<std::shared_ptr<TlsContext>> RealNetwork::make_tls_context(const TlsOptions& options) {
  return RealTlsContext::make(options, *system_trust_);
}

}  // namespace eilpost::env
