#include "support/load/webhook_receiver.h"

#include "env/timers.h"

namespace eilpost::load {

WebhookReceiver::WebhookReceiver(env::Loop& loop, const ReceiverOptions& options)
    : loop_(loop), options_(options) {
  http::ServerOptions server_options;
  server_options.requests_per_connection_max = UINT64_MAX;
  server_ = std::make_unique<http::Server>(loop, static_cast<http::Handler&>(*this),
                                           std::move(server_options));
}

WebhookReceiver::~WebhookReceiver() = default;

Result<env::Endpoint> WebhookReceiver::listen() {
  return server_->listen(options_.listen);
}

Task<void> WebhookReceiver::handle(const http::Request& request, const env::Endpoint& /*client*/,
                                   http::Responder& responder) {
  ++requests_count_;
  Reply reply;
  if (on_request) reply = on_request(request);
  if (reply.hangs) reply.after = std::chrono::hours(1);
  if (reply.after > Duration::zero()) {
    co_await env::wait_until(loop_.timers(), loop_.clock().now() + reply.after);
  }
  http::Response response{.status = reply.status};
  if (reply.status != 204) response.body = "ok";
  (void)co_await responder.respond(std::move(response));
}

}  // namespace eilpost::load
