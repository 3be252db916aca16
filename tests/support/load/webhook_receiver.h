#pragma once
// Receives webhooks and tells of each; may answer late or never.
//
// Threads: the loop's.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "env/loop.h"
#include "http/handler.h"
#include "http/server.h"

namespace eilpost::load {

struct ReceiverOptions {
  env::Endpoint listen{.address = {.bytes = {127, 0, 0, 1}}, .port = 0};
};

// What is answered to one request.
struct Reply {
  int status = 200;
  Duration after{};                   // waits that long first
  bool hangs = false;                 // never answers
  std::function<void()> on_answered;  // called when the answer has been written
};

// The event's id in the flat body of a webhook; empty if there is none.
[[nodiscard]] std::string_view event_id_in(std::string_view body);
// NUMBER of an id PREFIX-NUMBER (event_sender.h); nothing if the id is none of these.
[[nodiscard]] std::optional<std::uint64_t> event_number_in(std::string_view body);

class WebhookReceiver final : private http::Handler {
 public:
  WebhookReceiver(env::Loop& loop, const ReceiverOptions& options);
  ~WebhookReceiver() override;

  // Port chosen. Errors: listen_failed. Before the loop runs, or on it.
  [[nodiscard]] Result<env::Endpoint> listen();

  // Called for each request, on the loop; says what to answer. Left empty: 200 at once.
  std::function<Reply(const http::Request& request)> on_request;

  [[nodiscard]] std::uint64_t requests_count() const { return requests_count_; }

 private:
  [[nodiscard]] Task<void> handle(const http::Request& request, const env::Endpoint& client,
                                  http::Responder& responder) override;

  env::Loop& loop_;
  ReceiverOptions options_;
  std::uint64_t requests_count_ = 0;
  std::unique_ptr<http::Server> server_;
};

}  // namespace eilpost::load
