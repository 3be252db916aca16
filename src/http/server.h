#pragma once
// A server of HTTP/1.1 on one loop: accepts connections, reads requests, hands them to a Handler in
// order and writes its answers.
//
// Ownership: destroying a Server closes its connections and cancels the handlers under way.
// Threads:   the loop's; several Servers on several loops may listen on one endpoint.
// Limits:    ServerOptions. A connection that comes when there are connections_max is answered
//            with 503; a request that is malformed or exceeds a limit with a problem+json of
//            400, 408, 413, 414, 431, 501 or 505; then the connection ends.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "env/loop.h"
#include "http/codec.h"
#include "http/handler.h"

namespace eilpost::http {

struct ServerOptions {
  MessageLimits limits;
  RequestParser::BodyBytesMax body_bytes_max;  // Of a method and target; 1 MiB if empty.
  Duration idle_timeout = std::chrono::seconds(75);
  Duration header_timeout = std::chrono::seconds(10);  // from a request's first byte on
  Duration body_timeout = std::chrono::seconds(60);    // from the end of its head on
  Duration write_timeout = std::chrono::seconds(60);   // of one write
  std::size_t connections_max = 10'000;
  std::uint64_t requests_per_connection_max = 100'000;
};

// Time limits are looked at once a second, so a connection lives up to a second longer.
class Server final {
 public:
  Server(env::Loop& loop, Handler& handler, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // May be called for several endpoints. Errors: listen_failed.
  [[nodiscard]] Result<env::Endpoint> listen(const env::Endpoint& endpoint);

  // Back-pressure: while paused no read is begun for a new request (each connection may still bring
  // the one that it was waiting for); requests partly read are read to their end.
  void pause_reading(bool paused);

  // Stops accepting, closes idle connections, lets requests under way be answered with Connection:
  // close, and after `grace` closes what is left. Once. The Task ends when no connection is left.
  [[nodiscard]] Task<void> stop(Duration grace);

  [[nodiscard]] std::size_t connections_count() const;
  [[nodiscard]] std::uint64_t requests_count() const;  // handed to the handler so far

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace eilpost::http
