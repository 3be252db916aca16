#include "http/http2_client.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nghttp2/nghttp2.h>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "model/limits.h"

namespace eilpost::http {
namespace {

constexpr std::size_t kInputBytes = 16UL * 1024;  // a record of TLS, a frame of HTTP/2
constexpr std::size_t kOutputBytesMax = 64UL * 1024;
// What may wait for a writable connection because of frames that are to be acknowledged.
constexpr std::size_t kAcknowledgementsMax = 100;

std::string_view as_view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string_view as_view(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return as_view(bytes.base, bytes.len);
}

nghttp2_nv header_of(std::string_view name, std::string_view value, std::uint8_t flags = 0) {
  // nghttp2 writes through neither pointer.
  auto* name_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data()));
  auto* value_bytes = reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data()));
  return {name_bytes, value_bytes, name.size(), value.size(), flags};
}

// Differs in every request: kept in the table of headers, it would only push out what repeats.
bool is_new_each_time(std::string_view name) {
  return iequals(name.substr(0, 8), "webhook-") || iequals(name.substr(0, 15), "x-hub-signature");
}

bool is_framing_in_http2(std::string_view name) {
  return is_framing_header(name) || iequals(name, "proxy-connection") ||
         iequals(name, "http2-settings");
}

}  // namespace

// The session's side of things: C functions that find their exchange and tell it.
struct Http2Callbacks {
  static Http2ClientConnection& of(void* user_data) {
    return *static_cast<Http2ClientConnection*>(user_data);
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (Http2Exchange* const exchange = of(user_data).find(frame->hd.stream_id)) {
      exchange->answer_begun_ = true;
      if (!exchange->head_is_whole_) exchange->response_.headers.clear();
    }
    return 0;
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                       nghttp2_rcbuf* value, std::uint8_t, void* user_data) {
    Http2Exchange* const exchange = of(user_data).find(frame->hd.stream_id);
    if (exchange == nullptr) return 0;
    const bool taken = exchange->on_header(as_view(name), as_view(value));
    return taken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int on_frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    Http2ClientConnection& connection = of(user_data);
    Http2Exchange* const exchange = connection.find(frame->hd.stream_id);
    const bool ends_stream = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_HEADERS:
        if (exchange != nullptr) exchange->on_headers_end(ends_stream);
        break;
      case NGHTTP2_DATA:
        if (exchange != nullptr && ends_stream) {
          exchange->stream_ended_ = true;
          connection.wake_later(*exchange);
        }
        break;
      case NGHTTP2_RST_STREAM:
        if (frame->rst_stream.error_code == NGHTTP2_HTTP_1_1_REQUIRED) {
          connection.requires_http_1_1_ = true;
        }
        if (exchange != nullptr) exchange->reset_by_peer_ = true;
        break;
      case NGHTTP2_GOAWAY:
        connection.is_going_away_ = true;
        if (frame->goaway.error_code == NGHTTP2_HTTP_1_1_REQUIRED) {
          connection.requires_http_1_1_ = true;
        }
        connection.complaint_ = fmt::format("the other side goes away: {}",
                                            nghttp2_http2_strerror(frame->goaway.error_code));
        connection.changed();
        break;
      case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) break;
        connection.has_settings_ = true;
        connection.changed();
        break;
      default:
        break;
    }
    return 0;
  }

  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream_id,
                     const std::uint8_t* bytes, std::size_t size, void* user_data) {
    Http2Exchange* const exchange = of(user_data).find(stream_id);
    if (exchange != nullptr) exchange->on_body(as_view(bytes, size));
    return 0;
  }

  static int on_stream_closed(nghttp2_session*, std::int32_t stream_id, std::uint32_t error_code,
                              void* user_data) {
    Http2ClientConnection& connection = of(user_data);
    if (Http2Exchange* const exchange = connection.find(stream_id)) {
      connection.streams_.erase(stream_id);
      exchange->on_closed(error_code);
    }
    return 0;
  }

  static int before_frame_sent(nghttp2_session*, const nghttp2_frame* frame, void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    if (Http2Exchange* const exchange = of(user_data).find(frame->hd.stream_id)) {
      exchange->request_sent_ = true;
    }
    return 0;
  }

  static int on_frame_not_sent(nghttp2_session*, const nghttp2_frame* frame, int error,
                               void* user_data) {
    if (frame->hd.type != NGHTTP2_HEADERS) return 0;
    Http2ClientConnection& connection = of(user_data);
    if (Http2Exchange* const exchange = connection.find(frame->hd.stream_id)) {
      connection.streams_.erase(frame->hd.stream_id);
      exchange->is_open_ = false;
      exchange->fail({.code = ErrorCode::connection_reset, .detail = nghttp2_strerror(error)},
                     /*is_unprocessed=*/true);
    }
    return 0;
  }

  static int on_complaint(nghttp2_session*, int, const char* text, std::size_t size,
                          void* user_data) {
    of(user_data).complaint_.assign(text, size);
    return 0;
  }

  // NOLINTNEXTLINE(readability-function-size): nghttp2 says what it is given.
  static ssize_t read_body(nghttp2_session*, std::int32_t stream_id, std::uint8_t* target,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* user_data) {
    Http2Exchange* const exchange = of(user_data).find(stream_id);
    if (exchange == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    std::string_view& rest = exchange->body_rest_;
    const std::size_t count = std::min(size, rest.size());
    std::ranges::copy(rest.substr(0, count), reinterpret_cast<char*>(target));
    rest.remove_prefix(count);
    if (rest.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  struct Deleter {
    void operator()(nghttp2_session_callbacks* callbacks) const {
      nghttp2_session_callbacks_del(callbacks);
    }
    void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
  };

  static std::unique_ptr<nghttp2_session_callbacks, Deleter> make() {
    nghttp2_session_callbacks* made = nullptr;
    EILPOST_ASSERT(nghttp2_session_callbacks_new(&made) == 0);
    std::unique_ptr<nghttp2_session_callbacks, Deleter> callbacks(made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_closed);
    nghttp2_session_callbacks_set_before_frame_send_callback(made, before_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(made, on_frame_not_sent);
    nghttp2_session_callbacks_set_error_callback2(made, on_complaint);
    return callbacks;
  }

  static std::unique_ptr<nghttp2_option, Deleter> make_options() {
    nghttp2_option* made = nullptr;
    EILPOST_ASSERT(nghttp2_option_new(&made) == 0);
    std::unique_ptr<nghttp2_option, Deleter> options(made);
    nghttp2_option_set_no_closed_streams(made, 1);
    nghttp2_option_set_max_outbound_ack(made, kAcknowledgementsMax);
    return options;
  }
};

void Http2ClientConnection::SessionDeleter::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

std::shared_ptr<Http2ClientConnection> Http2ClientConnection::make(
    env::Loop& loop, std::unique_ptr<env::Stream> stream, const MessageLimits& limits) {
  std::shared_ptr<Http2ClientConnection> connection(
      new Http2ClientConnection(loop, std::move(stream), limits));
  connection->read();
  connection->flush_soon();
  return connection;
}

Http2ClientConnection::Http2ClientConnection(env::Loop& loop, std::unique_ptr<env::Stream> stream,
                                             const MessageLimits& limits)
    : loop_(loop),
      limits_(limits),
      stream_(std::move(stream)),
      input_(kInputBytes),
      idle_since_(loop.clock().now()) {
  static const auto kCallbacks = Http2Callbacks::make();
  static const auto kOptions = Http2Callbacks::make_options();
  nghttp2_session* session = nullptr;
  EILPOST_ASSERT(nghttp2_session_client_new2(&session, kCallbacks.get(), this, kOptions.get()) ==
                 0);
  session_.reset(session);
  const std::array<nghttp2_settings_entry, 2> settings = {
      {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
        static_cast<std::uint32_t>(limits_.header_bytes_max)}}};
  EILPOST_ASSERT(
      nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) == 0);
}

Http2ClientConnection::~Http2ClientConnection() {
  EILPOST_ASSERT(exchanges_count_ == 0);
  if (stream_ == nullptr || is_writing_ || write_failed_) return;
  nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
  output_.clear();
  const std::uint8_t* bytes = nullptr;
  while (output_.size() < kOutputBytesMax) {
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    if (count <= 0) break;
    output_.append(as_view(bytes, static_cast<std::size_t>(count)));
  }
  // What the socket takes at once is enough: nobody waits for a farewell.
  if (!output_.empty()) stream_->write(as_bytes(output_), [](const Result<void>&) {});
}

bool Http2ClientConnection::accepts_exchanges() const {
  return stream_ != nullptr && !is_going_away_ && !write_failed_ && !requires_http_1_1_ &&
         nghttp2_session_check_request_allowed(session_.get()) != 0;
}

std::size_t Http2ClientConnection::exchanges_max() const {
  const std::uint32_t count =
      nghttp2_session_get_remote_settings(session_.get(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
  return std::clamp<std::size_t>(count, 1, limits::kConcurrencyMax);
}

Http2Exchange* Http2ClientConnection::find(std::int32_t stream_id) const {
  const auto found = streams_.find(stream_id);
  return found == streams_.end() ? nullptr : found->second;
}

bool Http2ClientConnection::submit(Http2Exchange& exchange, const OutboundRequest& request) {
  if (!accepts_exchanges()) return false;
  std::vector<nghttp2_nv> headers;
  headers.reserve(5 + (request.headers == nullptr ? 0 : request.headers->size()));
  headers.push_back(header_of(":method", to_string(request.method)));
  headers.push_back(header_of(":scheme", "https"));
  headers.push_back(header_of(":authority", request.authority));
  headers.push_back(header_of(":path", request.target));
  if (request.headers != nullptr) {
    for (const Header& header : *request.headers) {
      if (is_framing_in_http2(header.name)) continue;
      const std::uint8_t flags =
          is_new_each_time(header.name) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
      headers.push_back(header_of(header.name, header.value, flags));
    }
  }
  const std::string length = fmt::format_int(request.body.size()).str();
  if (declares_length(request)) headers.push_back(header_of("content-length", length));

  const nghttp2_data_provider body{.source = {.ptr = nullptr},
                                   .read_callback = Http2Callbacks::read_body};
  const std::int32_t stream_id =
      nghttp2_submit_request(session_.get(), nullptr, headers.data(), headers.size(),
                             request.body.empty() ? nullptr : &body, nullptr);
  if (stream_id < 0) {  // The numbers of streams are used up.
    is_going_away_ = true;
    return false;
  }
  if (streams_.empty()) {
    was_idle_ = exchanges_made_count_ > 0;
    reads_count_when_idle_ = reads_count_;
  }
  ++exchanges_made_count_;
  exchange.stream_id_ = stream_id;
  exchange.is_open_ = true;
  exchange.body_rest_ = request.body;
  exchange.reads_count_at_begin_ = reads_count_;
  streams_.emplace(stream_id, &exchange);
  flush_soon();
  return true;
}

void Http2ClientConnection::leave(Http2Exchange& exchange) {
  std::ranges::replace(to_wake_, &exchange, nullptr);
  --exchanges_count_;
  if (exchange.is_open_) {
    streams_.erase(exchange.stream_id_);
    if (stream_ != nullptr) {
      nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, exchange.stream_id_,
                                NGHTTP2_CANCEL);
      if (exchange.request_sent_ && exchange.reads_count_at_begin_ == reads_count_) note_silence();
      flush_soon();
    }
  }
  if (exchanges_count_ > 0) return;
  idle_since_ = loop_.clock().now();
  changed();
}

void Http2ClientConnection::note_silence() {
  const Instant now = loop_.clock().now();
  if (!silent_since_) {
    silent_since_ = now;
    // Whoever is only slow answers this, and is not silent.
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  } else if (now - *silent_since_ >= kSilenceMin) {
    is_going_away_ = true;
  }
}

void Http2ClientConnection::read() {
  stream_->read(input_, [this](Result<std::size_t> count) { on_read(std::move(count)); });
}

void Http2ClientConnection::on_read(Result<std::size_t> count) {
  const auto self = shared_from_this();
  if (!count) {
    end(std::move(count).error());
  } else if (*count == 0) {
    end({.code = ErrorCode::connection_reset, .detail = complaint_});
  } else {
    ++reads_count_;
    silent_since_.reset();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(input_.data());
    const ssize_t taken = nghttp2_session_mem_recv(session_.get(), bytes, *count);
    if (taken < 0) {
      end({.code = ErrorCode::protocol_violated,
           .detail = nghttp2_strerror(static_cast<int>(taken))});
    } else {
      end_if_done();
    }
  }
  if (stream_ != nullptr) {
    read();
    if (nghttp2_session_want_write(session_.get()) != 0) flush_soon();
  }
  wake();
}

void Http2ClientConnection::flush_soon() {
  if (is_flush_posted_ || is_writing_ || write_failed_ || stream_ == nullptr) return;
  is_flush_posted_ = true;
  loop_.post([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->flush();
  });
}

void Http2ClientConnection::flush() {
  is_flush_posted_ = false;
  if (is_writing_ || write_failed_ || stream_ == nullptr) return;
  output_.clear();
  const std::uint8_t* bytes = nullptr;
  while (output_.size() < kOutputBytesMax) {
    const ssize_t count = nghttp2_session_mem_send(session_.get(), &bytes);
    EILPOST_ASSERT(count >= 0);  // It fails for want of memory only.
    if (count == 0) break;
    output_.append(as_view(bytes, static_cast<std::size_t>(count)));
  }
  if (output_.empty()) {
    end_if_done();
  } else {
    is_writing_ = true;
    stream_->write(as_bytes(output_), [this](const Result<void>& done) { on_written(done); });
  }
  wake();
}

void Http2ClientConnection::on_written(const Result<void>& written) {
  const auto self = shared_from_this();
  is_writing_ = false;
  if (!written) {
    write_failed_ = true;  // What the other side has sent before it closed is still read.
    changed();
    return;
  }
  if (nghttp2_session_want_write(session_.get()) != 0) {
    flush();
  } else {
    end_if_done();
    wake();
  }
}

void Http2ClientConnection::end_if_done() {
  if (stream_ == nullptr || is_writing_) return;
  if (nghttp2_session_want_read(session_.get()) != 0) return;
  if (nghttp2_session_want_write(session_.get()) != 0) return;
  const ErrorCode code =
      is_going_away_ ? ErrorCode::connection_reset : ErrorCode::protocol_violated;
  if (complaint_.empty()) complaint_ = "It does not follow HTTP/2.";
  end({.code = code, .detail = complaint_});
}

void Http2ClientConnection::end(const Error& error) {
  EILPOST_ASSERT(stream_ != nullptr);
  stream_.reset();
  const bool is_stale = was_idle_ && reads_count_ == reads_count_when_idle_;
  const std::unordered_map<std::int32_t, Http2Exchange*> streams = std::exchange(streams_, {});
  for (const auto& [id, exchange] : streams) {
    exchange->is_open_ = false;
    exchange->fail(error, /*is_unprocessed=*/!exchange->request_sent_);
    if (exchange->failure_) exchange->failure_->is_stale = is_stale;
  }
  changed();
}

void Http2ClientConnection::wake() {
  if (is_waking_) return;
  is_waking_ = true;
  for (std::size_t i = 0; i < to_wake_.size(); ++i) {
    Http2Exchange* const exchange = std::exchange(to_wake_[i], nullptr);
    if (exchange != nullptr && exchange->waiting_) {
      std::exchange(exchange->waiting_, nullptr).resume();
    }
  }
  to_wake_.clear();
  is_waking_ = false;
}

Http2Exchange::Http2Exchange(std::shared_ptr<Http2ClientConnection> connection)
    : connection_(std::move(connection)) {
  ++connection_->exchanges_count_;
}

Http2Exchange::~Http2Exchange() {
  connection_->leave(*this);
}

Task<std::expected<void, ExchangeFailure>> Http2Exchange::exchange(OutboundRequest request,
                                                                   ResponseLimits limits) {
  EILPOST_ASSERT(stream_id_ < 0);
  Result<void> checked = check_request(request);
  if (!checked) co_return std::unexpected(ExchangeFailure{.error = std::move(checked).error()});
  kept_max_ = limits.body_bytes_kept_max;
  read_max_ = limits.body_bytes_read_max;
  if (!connection_->submit(*this, request)) {
    co_return std::unexpected(ExchangeFailure{
        .error = {.code = ErrorCode::connection_reset, .detail = connection_->complaint_},
        .is_unprocessed = true,
        .wants_http_1_1 = connection_->requires_http_1_1_});
  }
  while (!head_is_whole()) co_await Changed(*this);
  if (failure_) co_return std::unexpected(*failure_);
  if (stream_ended_ && response_.body_bytes_count == 0) response_.body_complete = true;
  if (limits.head_only) co_return std::expected<void, ExchangeFailure>();
  std::expected<void, ExchangeFailure> read = co_await read_body(limits);
  co_return read;
}

Task<std::expected<void, ExchangeFailure>> Http2Exchange::read_body(ResponseLimits limits) {
  EILPOST_ASSERT(head_is_whole_);
  kept_max_ = limits.body_bytes_kept_max;
  read_max_ = limits.body_bytes_read_max;
  if (response_.body.size() > kept_max_) response_.body.resize(kept_max_);
  while (!has_enough()) co_await Changed(*this);
  response_.body_complete = stream_ended_;
  if (failure_ && !stream_ended_) co_return std::unexpected(*failure_);
  co_return std::expected<void, ExchangeFailure>();
}

void Http2Exchange::fail(Error error, bool is_unprocessed) {
  if (failure_ || stream_ended_) return;
  failure_ = ExchangeFailure{.error = std::move(error),
                             .request_sent = request_sent_ && !is_unprocessed,
                             .answer_begun = answer_begun_,
                             .is_unprocessed = is_unprocessed,
                             .wants_http_1_1 = connection_->requires_http_1_1_};
  if (is_unprocessed) request_sent_ = false;
  connection_->wake_later(*this);
}

bool Http2Exchange::on_header(std::string_view name, std::string_view value) {
  header_bytes_ += name.size() + value.size() + 4;  // as of a line of HTTP/1.1
  const MessageLimits& limits = connection_->limits_;
  const std::size_t bytes_max =
      limits.header_bytes_max + (head_is_whole_ ? limits.trailer_bytes_max : 0);
  if (header_bytes_ > bytes_max || ++headers_count_ > limits.headers_max) {
    fail({.code = ErrorCode::too_large, .detail = "the response has more headers than the limit"},
         /*is_unprocessed=*/false);
    return false;
  }
  if (head_is_whole_) return true;  // A trailer's.
  if (name == ":status") {
    response_.status = parse_integer<int>(value).value_or(0);
  } else {
    response_.headers.push_back({std::string(name), std::string(value)});
  }
  return true;
}

void Http2Exchange::on_headers_end(bool ends_stream) {
  if (!head_is_whole_ && response_.status < 200) {
    headers_count_ = 0;
    header_bytes_ = 0;
    if (++interim_responses_count_ > kInterimResponsesMax) {
      fail({.code = ErrorCode::protocol_violated, .detail = "too many interim responses"},
           /*is_unprocessed=*/false);
    }
    return;
  }
  head_is_whole_ = true;
  if (ends_stream) stream_ended_ = true;
  connection_->wake_later(*this);
}

void Http2Exchange::on_body(std::string_view bytes) {
  response_.body_bytes_count += bytes.size();
  const std::size_t room = kept_max_ - std::min(kept_max_, response_.body.size());
  response_.body.append(bytes.substr(0, room));
  if (response_.body_bytes_count > read_max_) connection_->wake_later(*this);
}

void Http2Exchange::on_closed(std::uint32_t error_code) {
  is_open_ = false;
  if (stream_ended_) return;
  const std::string_view name = nghttp2_http2_strerror(error_code);
  // GOAWAY closes what it does not take as if each had been refused.
  if (error_code == NGHTTP2_REFUSED_STREAM || error_code == NGHTTP2_HTTP_1_1_REQUIRED) {
    fail({.code = ErrorCode::connection_reset,
          .detail = fmt::format("It took no request: {}.", name)},
         /*is_unprocessed=*/!answer_begun_);
  } else if (reset_by_peer_) {
    fail({.code = ErrorCode::connection_reset,
          .detail = fmt::format("It reset the stream: {}.", name)},
         /*is_unprocessed=*/false);
  } else {
    fail({.code = ErrorCode::protocol_violated,
          .detail = fmt::format("{} {}", connection_->complaint_, name)},
         /*is_unprocessed=*/false);
  }
}

}  // namespace eilpost::http
