#pragma once
// One connection in the making: TCP, then TLS if it is asked for.

#include <functional>
#include <memory>
#include <optional>

#include "env/network.h"
#include "env/real/reactor.h"
#include "env/real/system.h"
#include "env/real/tls_stream.h"

namespace eilpost::env {

class ConnectOperation final : public Operation, private Watch, private Ready {
 public:
  using Callback = std::move_only_function<void(Result<std::unique_ptr<Stream>>)>;

  ConnectOperation(Reactor& reactor, ConnectOptions options, Callback done);
  // TLS over a connected socket that nothing watches.
  ConnectOperation(Reactor& reactor, Descriptor socket, ConnectOptions options, Callback done);
  ~ConnectOperation() override;

 private:
  void begin();
  // Plans to say it in the next turn.
  void fail_later(Error error);
  void on_ready() override;
  void on_events(std::uint32_t events) override;
  void begin_tls();

  Reactor& reactor_;
  ConnectOptions options_;
  Callback done_;
  Descriptor socket_;               // until it is connected
  std::unique_ptr<TlsStream> tls_;  // from then on, with TLS
  std::optional<Error> failure_;
};

}  // namespace eilpost::env
