#include "http/server.h"

#include <coroutine>
#include <utility>
#include <vector>

#include "http/connection.h"

namespace eilpost::http {
namespace {

constexpr Duration kSweepInterval = std::chrono::seconds(1);
// Connections beyond connections_max that are told so; more are closed without a word.
constexpr std::size_t kRefusedConnectionsMax = 128;

}  // namespace

class Server::Implementation {
 public:
  Implementation(env::Loop& loop, Handler& handler, ServerOptions options)
      : state_{.loop = loop,
               .handler = handler,
               .options = std::move(options),
               .date = {},
               .retire = [this](Connection* connection) { retire(connection); }} {}
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (sweeping_) state_.loop.timers().cancel(sweep_timer_);
  }

  Result<env::Endpoint> listen(const env::Endpoint& endpoint) {
    Result<std::unique_ptr<env::Listener>> listener = state_.loop.network().listen(
        endpoint, [this](std::unique_ptr<env::Stream> stream) { accept(std::move(stream)); });
    if (!listener) return std::unexpected(std::move(listener).error());
    listeners_.push_back(*std::move(listener));
    return listeners_.back()->local_endpoint();
  }

  void pause_reading(bool paused) {
    if (std::exchange(state_.paused, paused) == paused || paused) return;
    for (const auto& connection : connections_) connection->resume_reading();
  }

  Task<void> stop(Duration grace) {
    state_.stopping = true;
    listeners_.clear();
    for (const auto& connection : connections_) connection->close_if_idle();
    co_await Drained(*this, state_.loop.clock().now() + grace);
  }

  [[nodiscard]] std::size_t connections_count() const { return connections_.size(); }
  [[nodiscard]] std::uint64_t requests_count() const { return state_.requests_count; }

 private:
  // Waits until no connection is left; closes all at the deadline.
  class Drained {
   public:
    Drained(Implementation& server, Instant deadline) : server_(server), deadline_(deadline) {}
    Drained(const Drained&) = delete;
    Drained& operator=(const Drained&) = delete;
    ~Drained() {
      if (!waiting_) return;
      server_.drained_ = nullptr;
      server_.state_.loop.timers().cancel(timer_);
    }

    [[nodiscard]] bool await_ready() const noexcept { return server_.connections_.empty(); }
    void await_suspend(std::coroutine_handle<> handle) {
      waiting_ = true;
      server_.drained_ = handle;
      timer_ = server_.state_.loop.timers().call_at(deadline_, [this] { server_.retire_all(); });
    }
    void await_resume() const noexcept {}

   private:
    Implementation& server_;
    Instant deadline_;
    env::TimerId timer_{};
    bool waiting_ = false;
  };

  void accept(std::unique_ptr<env::Stream> stream) {
    const std::size_t connections_max = state_.options.connections_max;
    const bool overloaded = connections_.size() >= connections_max;
    if (connections_.size() >= connections_max + kRefusedConnectionsMax) return;
    connections_.push_back(std::make_unique<Connection>(state_, std::move(stream)));
    Connection& connection = *connections_.back();
    connection.index = connections_.size() - 1;
    connection.start(overloaded);
    schedule_sweep();
  }

  // Destroys in a later turn what may be running now.
  void retire(Connection* connection) {
    if (std::exchange(connection->is_retired, true)) return;
    retired_.push_back(connection);
    if (retired_.size() > 1) return;
    state_.loop.post([this, alive = std::weak_ptr<bool>(alive_)] {
      if (!alive.expired()) destroy_retired();
    });
  }

  void retire_all() {
    for (const auto& connection : connections_) retire(connection.get());
  }

  void destroy_retired() {
    const std::vector<Connection*> retired = std::exchange(retired_, {});
    for (Connection* const connection : retired) {
      const std::size_t index = connection->index;
      const std::unique_ptr<Connection> doomed = std::move(connections_[index]);
      if (index + 1 < connections_.size()) {
        connections_[index] = std::move(connections_.back());
        connections_[index]->index = index;
      }
      connections_.pop_back();
    }
    // Last, because who waits may destroy the server.
    if (connections_.empty() && drained_) std::exchange(drained_, nullptr).resume();
  }

  void schedule_sweep() {
    if (std::exchange(sweeping_, true)) return;
    const Instant when = state_.loop.clock().now() + kSweepInterval;
    sweep_timer_ = state_.loop.timers().call_at(when, [this] {
      sweeping_ = false;
      sweep();
    });
  }

  void sweep() {
    const Instant now = state_.loop.clock().now();
    for (const auto& connection : connections_) connection->check_deadline(now);
    if (!connections_.empty()) schedule_sweep();
  }

  ServerState state_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::vector<std::unique_ptr<env::Listener>> listeners_;
  std::vector<Connection*> retired_;
  env::TimerId sweep_timer_{};
  bool sweeping_ = false;
  std::coroutine_handle<> drained_;
  std::vector<std::unique_ptr<Connection>> connections_;  // Last: they go first.
};

Server::Server(env::Loop& loop, Handler& handler, ServerOptions options)
    : implementation_(std::make_unique<Implementation>(loop, handler, std::move(options))) {}

Server::~Server() = default;

Result<env::Endpoint> Server::listen(const env::Endpoint& endpoint) {
  return implementation_->listen(endpoint);
}

void Server::pause_reading(bool paused) {
  implementation_->pause_reading(paused);
}

Task<void> Server::stop(Duration grace) {
  return implementation_->stop(grace);
}

std::size_t Server::connections_count() const {
  return implementation_->connections_count();
}

std::uint64_t Server::requests_count() const {
  return implementation_->requests_count();
}

}  // namespace eilpost::http
