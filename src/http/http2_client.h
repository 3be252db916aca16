#pragma once
// The client's side of HTTP/2 (RFC 9113) over a Stream: a connection that many exchanges share,
// each a stream of it. What is sent in one turn of the loop leaves in one write.
//
// Ownership: an Http2Exchange keeps its connection alive. Destroying an exchange that is under way
//            resets its stream (CANCEL); the connection stays.
// Threads:   one loop's.
// Errors:    ExchangeFailure. One with is_unprocessed was surely not acted on, and may be sent
// again
//            at once: the other side refused the stream (REFUSED_STREAM, GOAWAY,
//            HTTP_1_1_REQUIRED), or nothing of it left.
// Limits:    MessageLimits; interim responses as of HTTP/1.1; 64 KiB of output buffered. Sets no
//            time limit of its own: destroy the Task.

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "env/loop.h"
#include "env/network.h"
#include "http/client.h"
#include "http/codec.h"
#include "http/serialize.h"

struct nghttp2_session;

namespace eilpost::http {

inline constexpr std::string_view kHttp2Protocol = "h2";  // its name in ALPN

class Http2Exchange;

class Http2ClientConnection final : public std::enable_shared_from_this<Http2ClientConnection> {
 public:
  // For a stream on which both sides agreed to speak HTTP/2.
  [[nodiscard]] static std::shared_ptr<Http2ClientConnection> make(
      env::Loop& loop, std::unique_ptr<env::Stream> stream, const MessageLimits& limits = {});
  Http2ClientConnection(const Http2ClientConnection&) = delete;
  Http2ClientConnection& operator=(const Http2ClientConnection&) = delete;
  // Says farewell (GOAWAY).
  ~Http2ClientConnection();

  // True until it ends, the other side says that it goes away, or it showed no life for two
  // time-outs in a row (exchanges destroyed before anything was heard).
  [[nodiscard]] bool accepts_exchanges() const;
  // How many the other side takes at once, at least 1; known once has_settings().
  [[nodiscard]] std::size_t exchanges_max() const;
  [[nodiscard]] bool has_settings() const { return has_settings_; }
  // The other side answered HTTP_1_1_REQUIRED.
  [[nodiscard]] bool requires_http_1_1() const { return requires_http_1_1_; }
  [[nodiscard]] bool has_ended() const { return stream_ == nullptr; }

  [[nodiscard]] std::size_t exchanges_count() const { return exchanges_count_; }  // under way
  [[nodiscard]] Instant idle_since() const { return idle_since_; }  // REQUIRES: none is under way

  // `on_change` is called when one of the above has changed; it must not destroy the connection.
  void watch(std::move_only_function<void()> on_change) { on_change_ = std::move(on_change); }

  static constexpr Duration kSilenceMin = std::chrono::seconds(1);  // between the two time-outs

 private:
  friend class Http2Exchange;
  friend struct Http2Callbacks;

  Http2ClientConnection(env::Loop& loop, std::unique_ptr<env::Stream> stream,
                        const MessageLimits& limits);

  // Gives `exchange` its stream. False if there can be none.
  [[nodiscard]] bool submit(Http2Exchange& exchange, const OutboundRequest& request);
  void leave(Http2Exchange& exchange);
  void note_silence();
  void read();
  void on_read(Result<std::size_t> count);
  void flush_soon();
  void flush();
  void on_written(const Result<void>& written);
  void end_if_done();
  void end(const Error& error);
  void wake_later(Http2Exchange& exchange) { to_wake_.push_back(&exchange); }
  // Resumes who waits. May destroy all owners but the caller's.
  void wake();
  void changed() {
    if (on_change_) on_change_();
  }
  [[nodiscard]] Http2Exchange* find(std::int32_t stream_id) const;

  env::Loop& loop_;
  const MessageLimits limits_;
  std::unique_ptr<env::Stream> stream_;  // none once it has ended
  struct SessionDeleter {
    void operator()(nghttp2_session* session) const;
  };
  std::unique_ptr<nghttp2_session, SessionDeleter> session_;
  std::unordered_map<std::int32_t, Http2Exchange*> streams_;  // those that are open
  std::vector<Http2Exchange*> to_wake_;
  std::vector<std::byte> input_;
  std::string output_;
  std::string complaint_;  // what nghttp2 said last about the other side
  std::move_only_function<void()> on_change_;
  std::size_t exchanges_count_ = 0;
  std::uint64_t reads_count_ = 0;
  std::uint64_t exchanges_made_count_ = 0;
  std::uint64_t reads_count_when_idle_ = 0;  // as the first of the exchanges under way began
  bool was_idle_ = false;                    // before that one there had been others
  Instant idle_since_;
  std::optional<Instant> silent_since_;
  bool has_settings_ = false;
  bool is_going_away_ = false;  // by GOAWAY, or given up
  bool requires_http_1_1_ = false;
  bool is_writing_ = false;
  bool is_flush_posted_ = false;
  bool write_failed_ = false;
  bool is_waking_ = false;
};

// One request and its response. Used once.
class Http2Exchange final {
 public:
  // Takes a place among the exchanges under way.
  explicit Http2Exchange(std::shared_ptr<Http2ClientConnection> connection);
  Http2Exchange(const Http2Exchange&) = delete;
  Http2Exchange& operator=(const Http2Exchange&) = delete;
  ~Http2Exchange();

  // As ClientConnection::exchange(). A response is body_complete only if it has no body, or after
  // read_body().
  // REQUIRES: what `request` shows lives as long as the exchange.
  [[nodiscard]] Task<std::expected<void, ExchangeFailure>> exchange(OutboundRequest request,
                                                                    ResponseLimits limits);
  [[nodiscard]] Task<std::expected<void, ExchangeFailure>> read_body(ResponseLimits limits);

  [[nodiscard]] const ReceivedResponse& response() const { return response_; }
  // The other side may have received a part of the request.
  [[nodiscard]] bool request_sent() const { return request_sent_; }

 private:
  friend class Http2ClientConnection;
  friend struct Http2Callbacks;

  class [[nodiscard]] Changed {
   public:
    explicit Changed(Http2Exchange& exchange) : exchange_(exchange) {}
    Changed(const Changed&) = delete;
    Changed& operator=(const Changed&) = delete;
    ~Changed() { exchange_.waiting_ = nullptr; }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { exchange_.waiting_ = handle; }
    void await_resume() const noexcept {}

   private:
    Http2Exchange& exchange_;
  };

  [[nodiscard]] bool head_is_whole() const { return failure_ || head_is_whole_; }
  [[nodiscard]] bool has_enough() const {
    return failure_ || stream_ended_ || response_.body_bytes_count > read_max_;
  }
  // Null unless something broke. `is_unprocessed`: surely not acted on.
  void fail(Error error, bool is_unprocessed);
  // What the callbacks of the session find. False: the response is refused.
  [[nodiscard]] bool on_header(std::string_view name, std::string_view value);
  void on_headers_end(bool ends_stream);
  void on_body(std::string_view bytes);
  void on_closed(std::uint32_t error_code);

  std::shared_ptr<Http2ClientConnection> connection_;
  ReceivedResponse response_;
  std::optional<ExchangeFailure> failure_;
  std::string_view body_rest_;  // of the request: what is not in a frame yet
  std::coroutine_handle<> waiting_;
  std::uint64_t read_max_ = 0;
  std::uint64_t reads_count_at_begin_ = 0;
  std::size_t kept_max_ = 0;
  std::size_t header_bytes_ = 0;
  std::size_t headers_count_ = 0;
  std::size_t interim_responses_count_ = 0;
  std::int32_t stream_id_ = -1;
  bool is_open_ = false;
  bool request_sent_ = false;
  bool answer_begun_ = false;
  bool head_is_whole_ = false;
  bool stream_ended_ = false;  // by the other side, in order
  bool reset_by_peer_ = false;
};

}  // namespace eilpost::http
