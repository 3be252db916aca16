#include "support/load/webhook_receiver.h"

#include <charconv>
#include <system_error>
#include <utility>

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
  const Result<void> answered = co_await responder.respond(std::move(response));
  if (answered && reply.on_answered) reply.on_answered();
}

std::string_view event_id_in(std::string_view body) {
  constexpr std::string_view kMember = R"("event.id":")";
  const std::size_t at = body.find(kMember);
  if (at == std::string_view::npos) return {};
  body.remove_prefix(at + kMember.size());
  const std::size_t end = body.find('"');
  return end == std::string_view::npos ? std::string_view() : body.substr(0, end);
}

std::optional<std::uint64_t> event_number_in(std::string_view body) {
  const std::string_view id = event_id_in(body);
  const std::size_t dash = id.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data() + dash + 1, id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return number;
}

}  // namespace eilpost::load
