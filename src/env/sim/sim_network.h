#pragma once
// The Network of one loop of the simulation: its way into a SimInternet.

#include <functional>
#include <memory>
#include <string_view>

#include "env/network.h"
#include "env/sim/sim_internet.h"

namespace eilpost::env {

class SimNetwork final : public Network {
 public:
  // Callbacks run on `queue`; connections come from `address`, or from the loopback address if
  // they go to one.
  SimNetwork(SimInternet& internet, SimQueueId queue, const Address& address)
      : internet_(internet), queue_(queue), address_(address) {}
  SimNetwork(const SimNetwork&) = delete;
  SimNetwork& operator=(const SimNetwork&) = delete;

  [[nodiscard]] std::unique_ptr<Operation> resolve(
      std::string_view host, std::move_only_function<void(Result<Resolved>)> done) override;
  [[nodiscard]] std::unique_ptr<Operation> connect(
      ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) override;
  [[nodiscard]] std::unique_ptr<Operation> start_tls(
      std::unique_ptr<Stream> stream, ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) override;
  // An endpoint with the unspecified address (0.0.0.0, ::) takes what comes to any loopback
  // address, to the unspecified one, and to this loop's own address.
  [[nodiscard]] Result<std::unique_ptr<Listener>> listen(
      const Endpoint& endpoint,
      std::move_only_function<void(std::unique_ptr<Stream>)> on_stream) override;
  [[nodiscard]] Result<std::shared_ptr<TlsContext>> make_tls_context(
      const TlsOptions& options) override;

  [[nodiscard]] const Address& address() const { return address_; }

 private:
  struct Attempt {
    ConnectOptions options;
    std::function<bool()> is_cancelled;
    std::function<void(Result<std::unique_ptr<Stream>>)> done;
  };
  void try_connect(Attempt attempt, Duration retry_after);

  SimInternet& internet_;
  SimQueueId queue_;
  Address address_;
};

}  // namespace eilpost::env
