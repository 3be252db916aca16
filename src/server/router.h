#pragma once
// Which part answers which path, on one lane.
//
// Threads: the lane's.

#include <atomic>
#include <cstddef>
#include <string_view>

#include "admin/admin.h"
#include "env/log.h"
#include "http/handler.h"
#include "pipeline/pipeline.h"
#include "server/metrics.h"
#include "store/store.h"

namespace eilpost::server {

// What /readyz says. Written by the Server, read on every lane.
class Readiness final {
 public:
  [[nodiscard]] bool is_ready() const { return is_ready_.load(std::memory_order_acquire); }
  void set(bool is_ready) { is_ready_.store(is_ready, std::memory_order_release); }

 private:
  std::atomic<bool> is_ready_{false};
};

struct RouterParts {
  env::Loop& loop;
  pipeline::Pipeline& pipeline;
  pipeline::Inbox& inbox;
  admin::Admin& admin;
  const Metrics& metrics;
  const Readiness& readiness;
  const store::Store& store;
};

// Path                  answered by
// /v1/events            the pipeline
// /api/v1/…             the management API
// /oauth/callback       the management API: where a provider sends the browser back to
// /inbox/TOKEN[/…]      the inbox: GET shows it, every other method is kept
// /healthz /readyz      "ok", or 503
// /metrics              Prometheus' text format
// /                     a page that says where to go
class Router final : public http::Handler {
 public:
  Router(std::size_t lane, const RouterParts& parts) : lane_(lane), parts_(parts) {}

  [[nodiscard]] Task<void> handle(const http::Request& request, const env::Endpoint& client,
                                  http::Responder& responder) override;
  [[nodiscard]] http::Response refuse(const http::Request& request,
                                      const http::Refused& refused) override;

 private:
  [[nodiscard]] http::Response answer(const http::Request& request, std::string_view path);
  [[nodiscard]] http::Response answer_inbox(const http::Request& request, std::string_view path);

  std::size_t lane_;
  RouterParts parts_;
};

}  // namespace eilpost::server
