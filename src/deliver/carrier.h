#pragma once
// What carries one request: a connection of HTTP/1.1 that is its own, or a stream of one of HTTP/2.

#include <expected>
#include <memory>

#include "base/assert.h"
#include "base/task.h"
#include "http/client.h"
#include "http/http2_client.h"

namespace eilpost::deliver {

struct Carrier {
  // At most one of these two.
  std::unique_ptr<http::ClientConnection> connection;
  std::unique_ptr<http::Http2Exchange> exchange_on_shared;
  // A new one, which others do not know yet.
  std::shared_ptr<http::Http2ClientConnection> shared;

  using Exchanged = std::expected<void, http::ExchangeFailure>;

  // Takes a place in a connection that others use too.
  void share(std::shared_ptr<http::Http2ClientConnection> with) {
    exchange_on_shared = std::make_unique<http::Http2Exchange>(std::move(with));
  }

  // The rest REQUIRES: one of the two is there.
  [[nodiscard]] Task<Exchanged> exchange(const http::OutboundRequest& request,
                                         http::ResponseLimits limits) const {
    return exchange_on_shared != nullptr ? exchange_on_shared->exchange(request, limits)
                                         : connection->exchange(request, limits);
  }
  [[nodiscard]] Task<Exchanged> read_body(http::ResponseLimits limits) const {
    return exchange_on_shared != nullptr ? exchange_on_shared->read_body(limits)
                                         : connection->read_body(limits);
  }
  [[nodiscard]] const http::ReceivedResponse& response() const {
    return exchange_on_shared != nullptr ? exchange_on_shared->response() : connection->response();
  }
  // Whether a part of the request may have reached the other side, in the middle of an exchange.
  [[nodiscard]] bool request_sent() const {
    return exchange_on_shared == nullptr || exchange_on_shared->request_sent();
  }
};

}  // namespace eilpost::deliver
