#pragma once
// A listening TCP socket.

#include <functional>
#include <memory>
#include <optional>

#include "env/clock.h"
#include "env/network.h"
#include "env/real/listened_endpoints.h"
#include "env/real/reactor.h"
#include "env/real/system.h"
#include "env/timers.h"

namespace eilpost::env {

struct ListenerWorld {
  Reactor& reactor;
  Timers& timers;
  Clock& clock;
  ListenedEndpoints& endpoints;
};

// Takes connections in batches. When the process or the system can hold no more of them it waits
// a moment; the connections wait in the backlog.
class RealListener final : public Listener, private Watch {
 public:
  static constexpr int kBacklog = 4096;
  static constexpr int kBatchMax = 64;
  static constexpr Duration kPauseWhenFull = std::chrono::milliseconds(100);

  using StreamCallback = std::move_only_function<void(std::unique_ptr<Stream>)>;

  // Errors: listen_failed.
  [[nodiscard]] static Result<std::unique_ptr<Listener>> make(const ListenerWorld& world,
                                                              const Endpoint& endpoint,
                                                              StreamCallback on_stream);
  ~RealListener() override;

  [[nodiscard]] Endpoint local_endpoint() const override { return local_; }

 private:
  RealListener(const ListenerWorld& world, StreamCallback on_stream);

  // Errors: listen_failed.
  [[nodiscard]] Result<void> open(const Endpoint& endpoint);
  void on_events(std::uint32_t events) override;
  void pause();

  ListenerWorld world_;
  StreamCallback on_stream_;
  Descriptor socket_;
  Endpoint local_;
  std::optional<TimerId> pause_;
  bool* destroyed_ = nullptr;  // Set while on_stream_ runs: it may destroy the listener.
};

}  // namespace eilpost::env
