#pragma once
// HTTP/1.1 on the wire (RFC 9112): incremental parsers over llhttp, strict where laxness lets
// messages be smuggled. Bytes may be fed in any pieces; the result is the same.
//
// Ownership: a parser owns the message that it fills and uses its memory again for the next one.
// Limits:    MessageLimits; a message that exceeds one is refused.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <llhttp.h>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "http/head_scanner.h"
#include "http/header_sink.h"
#include "http/message.h"

namespace eilpost::http {

struct MessageLimits {
  std::size_t header_bytes_max = 64UL * 1024;  // first line and headers, trailers apart
  std::size_t headers_max = 100;
  std::size_t target_bytes_max = 8UL * 1024;
  std::size_t chunk_extension_bytes_max = 4UL * 1024;
  std::size_t trailer_bytes_max = 8UL * 1024;
};

inline constexpr std::size_t kRequestBodyBytesMaxDefault = 1UL << 20U;

enum class ParseState : std::uint8_t {
  idle,      // nothing of a message has come yet
  head,      // within the first line or the headers
  body,      // the head is complete
  complete,  // the message is; call next() before feeding more
  failed,    // the message was refused; the parser is dead
};

// How a request that was not understood is answered.
struct Refusal {
  int status = 400;
  std::string_view detail;
};

// Threads: one. Refuses, besides what exceeds the limits: a missing, double or malformed Host, a
// line without CRLF, obs-fold, a request line without version, Content-Length beside
// Transfer-Encoding, a coding other than chunked, white space before a colon.
class RequestParser {
 public:
  using BodyBytesMax = std::function<std::size_t(Method method, std::string_view target)>;

  // Without `body_bytes_max` a body may have kRequestBodyBytesMaxDefault bytes.
  explicit RequestParser(const MessageLimits& limits, BodyBytesMax body_bytes_max = {});
  RequestParser(const RequestParser&) = delete;
  RequestParser& operator=(const RequestParser&) = delete;
  ~RequestParser() = default;

  // Takes bytes up to the end of the message, and says how many; what follows is the next
  // message's. REQUIRES: state() is neither complete nor failed.
  std::size_t feed(std::string_view bytes);

  [[nodiscard]] ParseState state() const { return state_; }
  // Complete when state() is complete; line and headers from state body on.
  [[nodiscard]] const Request& request() const { return request_; }
  // Whether the connection may carry another request (HTTP/1.1 without Connection: close).
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }
  // HTTP/1.0 knows no chunks.
  [[nodiscard]] bool is_http_1_0() const { return is_http_1_0_; }
  // Expect: 100-continue, and no byte of the body has come yet.
  [[nodiscard]] bool awaits_continue() const;
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  // Forgets the message. REQUIRES: state() is complete (or idle).
  void next();

 private:
  friend struct RequestCallbacks;

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_trailer(std::string_view bytes);
  // Gives all bytes to llhttp; returns how many it took.
  std::size_t execute(std::string_view bytes);
  int refuse(int status, std::string_view detail);        // Returns -1.
  bool refuse_bool(int status, std::string_view detail);  // Returns false.
  void refuse_parse_error(llhttp_errno_t error, bool at_token);
  int on_headers_complete();
  bool check_headers();
  bool normalize_target();

  MessageLimits limits_;
  BodyBytesMax body_bytes_max_function_;
  llhttp_t parser_{};
  HeadScanner scanner_;
  Request request_;
  HeaderSink sink_{request_.headers};
  ParseState state_ = ParseState::idle;
  Refusal refusal_;
  std::size_t body_bytes_max_ = 0;
  std::size_t chunk_extension_bytes_ = 0;
  bool keeps_alive_ = false;
  bool is_http_1_0_ = false;
  bool expects_continue_ = false;
  bool body_begun_ = false;
  bool in_trailer_ = false;
};

// What a client received. Of the body the first bytes are kept and all are counted.
struct ReceivedResponse {
  int status = 0;
  Headers headers;
  std::string body;
  std::uint64_t body_bytes_count = 0;
  bool body_complete = false;
};

// More 1xx responses than this before the final one are refused.
inline constexpr std::size_t kInterimResponsesMax = 16;

// Threads: one. Skips 1xx responses; 101 is refused. Beside what exceeds the limits it refuses what
// RequestParser does, where a response can have it.
class ResponseParser {
 public:
  explicit ResponseParser(const MessageLimits& limits);
  ResponseParser(const ResponseParser&) = delete;
  ResponseParser& operator=(const ResponseParser&) = delete;
  ~ResponseParser() = default;

  // Begins the response to a request of this method; keeps at most `body_bytes_kept_max` bytes of
  // its body.
  void begin(Method request_method, std::size_t body_bytes_kept_max);
  // From now on keeps another number of bytes, such as once the status is known.
  void keep_body_bytes(std::size_t body_bytes_kept_max) { kept_max_ = body_bytes_kept_max; }

  // Takes bytes and says how many. It stops once where the head ends (state() turns to body, or to
  // complete if there is no body) and where the message ends.
  // REQUIRES: begin() was called; state() is neither complete nor failed.
  std::size_t feed(std::string_view bytes);
  // The other side has ended the stream: completes a body that ends with the connection, else
  // fails.
  void feed_end();

  [[nodiscard]] ParseState state() const { return state_; }
  [[nodiscard]] const ReceivedResponse& response() const { return response_; }
  // Whether the connection may carry another request once state() is complete.
  [[nodiscard]] bool keeps_alive() const { return keeps_alive_; }
  // REQUIRES: state() is failed. protocol_violated, too_large, or connection_reset if the stream
  // ended too early.
  [[nodiscard]] ErrorCode error_code() const { return error_code_; }
  // Takes away what was kept of the body so far, such as events of a stream without end.
  [[nodiscard]] std::string take_body() { return std::exchange(response_.body, {}); }
  [[nodiscard]] std::string_view error_detail() const { return error_detail_; }

 private:
  friend struct ResponseCallbacks;

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_trailer(std::string_view bytes);
  std::size_t execute(std::string_view bytes);
  int refuse(ErrorCode code, std::string_view detail);  // Returns -1.
  int refuse_verdict(HeadScanner::Verdict verdict);
  int on_headers_complete();
  void begin_message();

  MessageLimits limits_;
  llhttp_t parser_{};
  HeadScanner scanner_;
  ReceivedResponse response_;
  HeaderSink sink_{response_.headers};
  ParseState state_ = ParseState::failed;
  ErrorCode error_code_ = ErrorCode::protocol_violated;
  std::string_view error_detail_;
  std::size_t kept_max_ = 0;
  std::size_t chunk_extension_bytes_ = 0;
  std::size_t interim_responses_count_ = 0;
  Method request_method_ = Method::get;
  bool keeps_alive_ = false;
  bool is_interim_ = false;
  bool in_trailer_ = false;
};

}  // namespace eilpost::http
