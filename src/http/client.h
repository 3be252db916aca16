#pragma once
// The client's side of one HTTP/1.1 connection: one exchange after the other over a Stream.
//
// Ownership: owns the Stream.
// Errors:    ExchangeFailure; afterwards the connection is only good for being destroyed.
// Limits:    sets no time limit of its own: destroy the Task. A connection whose exchange was
//            cancelled is only good for being destroyed.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "env/network.h"
#include "http/codec.h"
#include "http/serialize.h"

namespace eilpost::http {

struct ResponseLimits {
  std::size_t body_bytes_kept_max = 16UL * 1024;
  // Reading stops there; the response is then not body_complete and the connection not reusable.
  std::uint64_t body_bytes_read_max = 1UL << 20U;
  // Stops where the response's head ends; read_body() may follow.
  bool head_only = false;
};

struct ExchangeFailure {
  // connection_reset, timed_out, tls_failed: the stream; protocol_violated, too_large: the answer;
  // bad_input: the request could not stand on the wire, and nothing was sent.
  Error error;
  // The other side may have received a part of the request, perhaps all of it.
  bool request_sent = false;
  bool answer_begun = false;
  // Of HTTP/2. Surely not acted on: it may be sent again at once.
  bool is_unprocessed = false;
  // Of HTTP/2. The other side wants HTTP/1.1.
  bool wants_http_1_1 = false;
  // Of HTTP/2. The connection had been idle and nothing has come since: it may have ended before.
  bool is_stale = false;
};

class ClientConnection final {
 public:
  explicit ClientConnection(std::unique_ptr<env::Stream> stream, const MessageLimits& limits = {});
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;
  ~ClientConnection() = default;

  // Sends the request and reads the response, found in response() until the next exchange.
  // REQUIRES: is_reusable(); what `request` shows lives until the Task is done.
  [[nodiscard]] Task<std::expected<void, ExchangeFailure>> exchange(OutboundRequest request,
                                                                    ResponseLimits limits);

  // After an exchange with head_only: reads the body. Does nothing if it is complete already.
  [[nodiscard]] Task<std::expected<void, ExchangeFailure>> read_body(ResponseLimits limits);

  [[nodiscard]] const ReceivedResponse& response() const { return parser_.response(); }

  // True if another exchange may follow: nothing failed, the last response was read to its end and
  // both sides want to keep the connection.
  [[nodiscard]] bool is_reusable() const { return is_reusable_; }
  // How long the other side keeps an idle connection, by its header Keep-Alive: timeout=.
  [[nodiscard]] std::optional<Duration> keep_alive_timeout() const { return keep_alive_timeout_; }
  [[nodiscard]] std::uint64_t exchanges_count() const { return exchanges_count_; }
  [[nodiscard]] env::Stream& stream() { return *stream_; }

 private:
  // Reads until `parser_` has reached its head's end (its message's end).
  [[nodiscard]] Task<std::expected<void, ExchangeFailure>> read_until(ParseState state,
                                                                      std::uint64_t bytes_max);
  void feed_buffered(ParseState until);
  void note_keep_alive();
  [[nodiscard]] std::unexpected<ExchangeFailure> failure(Error error) const;
  void finish();

  std::unique_ptr<env::Stream> stream_;
  ResponseParser parser_;
  std::string output_;
  std::vector<std::byte> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  std::uint64_t exchanges_count_ = 0;
  std::optional<Duration> keep_alive_timeout_;
  bool is_reusable_ = true;
  bool request_sent_ = false;
  bool answer_begun_ = false;
  bool stream_ended_ = false;
  bool write_failed_ = false;
};

}  // namespace eilpost::http
