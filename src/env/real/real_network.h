#pragma once
// The network of one loop: sockets, TLS, DNS.

#include <memory>
#include <string_view>

#include "env/clock.h"
#include "env/network.h"
#include "env/real/dns_resolver.h"
#include "env/real/listened_endpoints.h"
#include "env/real/reactor.h"
#include "env/real/tls_context.h"
#include "env/timers.h"

namespace eilpost::env {

struct RealNetworkParts {
  Reactor& reactor;
  Timers& timers;
  Clock& clock;
  DnsOptions dns;
  std::shared_ptr<SystemTrust> system_trust;
  std::shared_ptr<ListenedEndpoints> endpoints;  // of the process
};

class RealNetwork final : public Network {
 public:
  explicit RealNetwork(RealNetworkParts parts);

  [[nodiscard]] std::unique_ptr<Operation> resolve(
      std::string_view host, std::move_only_function<void(Result<Resolved>)> done) override;

  // REQUIRES: options.tls, if set, was made by make_tls_context() of a RealNetwork.
  [[nodiscard]] std::unique_ptr<Operation> connect(
      ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) override;

  // REQUIRES: the same of options.tls; `stream` was made by connect() of this network.
  [[nodiscard]] std::unique_ptr<Operation> start_tls(
      std::unique_ptr<Stream> stream, ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) override;

  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(
      const Endpoint& endpoint,
      std::move_only_function<void(std::unique_ptr<Stream>)> on_stream) override;

  [[nodiscard]] Result<std::shared_ptr<TlsContext>> make_tls_context(
      const TlsOptions& options) override;

 private:
  Reactor& reactor_;
  Timers& timers_;
  Clock& clock_;
  std::shared_ptr<SystemTrust> system_trust_;
  std::shared_ptr<ListenedEndpoints> endpoints_;
  DnsResolver dns_;
};

}  // namespace eilpost::env
