#include "support/load/bulk_setup.h"

#include <algorithm>
#include <fmt/format.h>
#include <future>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "env/await.h"
#include "http/client.h"

namespace eilpost::load {
namespace {

constexpr std::size_t kConnectionsMin = 64;
constexpr std::size_t kConnectionsMax = 512;  // Changes that wait together share one publication.

std::size_t connections_for(std::size_t bodies_count) {
  return std::clamp(bodies_count / 50, kConnectionsMin, kConnectionsMax);
}

class BulkSetup final {
 public:
  BulkSetup(env::Loop& loop, const env::Endpoint& server, std::string_view path,
            const std::vector<std::string>& bodies)
      : loop_(loop),
        server_(server),
        authority_(to_string(server)),
        target_(fmt::format("/api/v1/{}", path)),
        bodies_(bodies),
        ids_(bodies.size()) {
    headers_ = {{"Authorization", fmt::format("Bearer {}", EilpostProcess::kApiKey)},
                {"Content-Type", "application/json"}};
  }

  void start() {
    working_ = connections_for(bodies_.size());
    for (std::size_t left = working_; left > 0; --left) workers_.spawn(work());
  }

  // Ready when all workers have ended.
  [[nodiscard]] std::future<void> ended() { return ended_.get_future(); }

  [[nodiscard]] Result<std::vector<std::string>> take() {
    if (failure_) return std::unexpected(*failure_);
    return std::move(ids_);
  }

 private:
  Task<void> work() {
    std::unique_ptr<http::ClientConnection> connection;
    while (!failure_ && next_ < bodies_.size()) {
      const std::size_t number = next_++;
      const Result<void> done = co_await create(connection, number);
      if (!done && !failure_) failure_ = done.error();
    }
    if (--working_ == 0) ended_.set_value();
  }

  Task<Result<void>> create(std::unique_ptr<http::ClientConnection>& connection,
                            std::size_t number) {
    if (!connection || !connection->is_reusable()) {
      EILPOST_CO_ASSIGN_OR_RETURN(std::unique_ptr<env::Stream> stream,
                                  co_await env::connect(loop_.network(), {.endpoint = server_}));
      connection = std::make_unique<http::ClientConnection>(std::move(stream));
    }
    const http::OutboundRequest request{.method = http::Method::post,
                                        .authority = authority_,
                                        .target = target_,
                                        .headers = &headers_,
                                        .body = bodies_[number]};
    const auto exchanged = co_await connection->exchange(request, {});
    if (!exchanged) co_return std::unexpected(exchanged.error().error);
    const http::ReceivedResponse& answer = connection->response();
    const auto json = nlohmann::json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
    if (answer.status / 100 != 2 || !json.is_object()) {
      co_return fail(ErrorCode::protocol_violated,
                     fmt::format("{}: {} {}", target_, answer.status, answer.body));
    }
    ids_[number] = json.value("id", "");
    co_return Result<void>{};
  }

  env::Loop& loop_;
  const env::Endpoint server_;
  const std::string authority_;
  const std::string target_;
  const std::vector<std::string>& bodies_;
  http::Headers headers_;
  std::vector<std::string> ids_;
  std::size_t next_ = 0;
  std::size_t working_ = 0;
  std::optional<Error> failure_;
  std::promise<void> ended_;
  TaskSet workers_;
};

}  // namespace

Result<std::vector<std::string>> create_many(const EilpostProcess& process, LoadLoop& loop,
                                             std::string_view path,
                                             const std::vector<std::string>& bodies) {
  std::unique_ptr<BulkSetup> setup;
  std::future<void> ended = loop.ask([&] {
    setup = std::make_unique<BulkSetup>(loop.loop(), process.endpoint(), path, bodies);
    setup->start();
    return setup->ended();
  });
  ended.wait();
  return loop.ask([&] {
    auto ids = setup->take();
    setup.reset();
    return ids;
  });
}

}  // namespace eilpost::load
