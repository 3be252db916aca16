#include "env/sim/sim_network.h"

#include <utility>

#include "base/assert.h"

namespace eilpost::env {
namespace {

// A connection attempt that nobody answers is sent again after 1, 2, 4 … seconds, seven times in
// all, as Linux does.
constexpr Duration kFirstRetry = std::chrono::seconds(1);
constexpr Duration kLastRetry = std::chrono::seconds(64);

// What an Operation shares with the work that ends it.
template <class T>
struct Pending {
  bool is_cancelled = false;
  std::move_only_function<void(Result<T>)> done;
};

template <class T>
class SimOperation final : public Operation {
 public:
  explicit SimOperation(std::shared_ptr<Pending<T>> pending) : pending_(std::move(pending)) {}
  SimOperation(const SimOperation&) = delete;
  SimOperation& operator=(const SimOperation&) = delete;
  ~SimOperation() override {
    pending_->is_cancelled = true;
    const auto done = std::exchange(pending_->done, nullptr);
  }

 private:
  std::shared_ptr<Pending<T>> pending_;
};

template <class T>
void finish(Pending<T>& pending, Result<T> result) {
  if (pending.is_cancelled) return;
  auto done = std::exchange(pending.done, nullptr);
  done(std::move(result));
}

}  // namespace

std::unique_ptr<Operation> SimNetwork::resolve(
    std::string_view host, std::move_only_function<void(Result<Resolved>)> done) {
  auto pending = std::make_shared<Pending<Resolved>>(false, std::move(done));
  const Instant answered = internet_.clock_.now() + internet_.draw(internet_.delay_);
  internet_.scheduler_.call_at(queue_, answered,
                               [this, pending, host = std::string(host)]() mutable {
                                 if (pending->is_cancelled) return;
                                 std::optional<Result<Resolved>> result = internet_.look_up(host);
                                 if (result) finish(*pending, std::move(*result));
                               });
  return std::make_unique<SimOperation<Resolved>>(std::move(pending));
}

std::unique_ptr<Operation> SimNetwork::connect(
    ConnectOptions options, std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) {
  auto pending = std::make_shared<Pending<std::unique_ptr<Stream>>>(false, std::move(done));
  try_connect({.options = std::move(options),
               .is_cancelled = [pending] { return pending->is_cancelled; },
               .done =
                   [pending](Result<std::unique_ptr<Stream>> result) {
                     finish(*pending, std::move(result));
                   }},
              kFirstRetry);
  return std::make_unique<SimOperation<std::unique_ptr<Stream>>>(std::move(pending));
}

std::unique_ptr<Operation> SimNetwork::start_tls(
    std::unique_ptr<Stream> stream, ConnectOptions options,
    std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) {
  auto pending = std::make_shared<Pending<std::unique_ptr<Stream>>>(false, std::move(done));
  const SimDelay delay = internet_.delay_between(address_, options.endpoint.address);
  const Duration there = internet_.draw(delay);
  const Duration back = internet_.draw(delay);
  internet_.scheduler_.call_at(
      queue_, internet_.clock_.now() + there + back,
      [this, pending, stream = std::move(stream), options = std::move(options)]() mutable {
        if (pending->is_cancelled) return;
        const SimTlsIdentity* const identity = internet_.tls_of(options.endpoint);
        Result<std::string> protocol =
            identity != nullptr
                ? shake_hands(*identity, options)
                : fail(ErrorCode::tls_failed, to_string(options.endpoint) + ": no TLS there");
        Result<std::unique_ptr<Stream>> result;
        if (!protocol) {
          result = std::unexpected(std::move(protocol).error());
          return finish(*pending, std::move(result));
        }
        static_cast<SimStream&>(*stream).start_tls(std::move(*protocol), options.server_name);
        result = std::move(stream);
        finish(*pending, std::move(result));
      });
  return std::make_unique<SimOperation<std::unique_ptr<Stream>>>(std::move(pending));
}

void SimNetwork::try_connect(Attempt attempt, Duration retry_after) {
  const Endpoint& endpoint = attempt.options.endpoint;
  const SimDelay delay = internet_.delay_between(address_, endpoint.address);
  const bool is_silent = internet_.reach_between(address_, endpoint.address) == SimReach::silent;
  // There and back; twice that with TLS.
  Duration wait{};
  for (int trip = attempt.options.tls != nullptr ? 4 : 2; trip > 0; --trip) {
    wait += internet_.draw(delay);
  }
  if (is_silent) wait = retry_after;
  internet_.scheduler_.call_at(
      queue_, internet_.clock_.now() + wait,
      [this, is_silent, retry_after, attempt = std::move(attempt)]() mutable {
        if (attempt.is_cancelled()) return;
        if (!is_silent) {
          attempt.done(internet_.open({.queue = queue_, .address = address_}, attempt.options));
        } else if (retry_after < kLastRetry) {
          try_connect(std::move(attempt), 2 * retry_after);
        } else {
          attempt.done(
              fail(ErrorCode::connect_failed, to_string(attempt.options.endpoint) + ": no answer"));
        }
      });
}

Result<std::unique_ptr<Listener>> SimNetwork::listen(
    const Endpoint& endpoint, std::move_only_function<void(std::unique_ptr<Stream>)> on_stream) {
  auto acceptor = std::make_shared<SimInternet::Acceptor>(true, std::move(on_stream));
  return internet_.add_listener(
      {.endpoint = endpoint, .host = address_, .queue = queue_, .acceptor = std::move(acceptor)});
}

Result<std::shared_ptr<TlsContext>> SimNetwork::make_tls_context(const TlsOptions& options) {
  EILPOST_RETURN_IF_ERROR(check_tls_options(options));
  return std::make_shared<SimTlsContext>(options);
}

}  // namespace eilpost::env
