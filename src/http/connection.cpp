#include "http/connection.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "env/await.h"

namespace eilpost::http {
namespace {

constexpr std::size_t kInputBytesMin = 4UL * 1024;
constexpr std::size_t kInputBytesMax = 32UL * 1024;
// An answer's memory above this is given back after it was sent.
constexpr std::size_t kOutputBytesKeptMax = 64UL * 1024;
// How much of a refused request is read and thrown away, so that the answer is not lost in a reset.
constexpr std::size_t kLingerBytesMax = 4UL << 20U;
constexpr Duration kLingerTime = std::chrono::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string_view code_of(int status) {
  switch (status) {
    case 408:
      return "request_timeout";
    case 413:
      return "request_too_large";
    case 414:
      return "target_too_long";
    case 417:
      return "expectation_failed";
    case 431:
      return "headers_too_large";
    case 501:
      return "not_implemented";
    case 503:
      return "overloaded";
    case 505:
      return "version_not_supported";
    default:
      return "malformed_request";
  }
}

}  // namespace

Response problem_response(const Refused& refused) {
  Response response{
      .status = refused.status,
      .headers = {{"Content-Type", "application/problem+json"}},
      .body = fmt::format(R"({{"type":"about:blank","title":"{}","status":{},)"
                          R"("code":"{}","detail":"{}","errors":[]}})",
                          reason_of(refused.status), refused.status, refused.code, refused.detail)};
  if (refused.status == 503) response.headers.push_back({"Retry-After", "1"});
  return response;
}

// Waits until a read has brought something, or the deadline has passed.
struct Connection::MoreInput {
  Connection& me;

  [[nodiscard]] bool await_ready() const noexcept { return me.input_ended_; }
  void await_suspend(std::coroutine_handle<> handle) {
    me.waiting_ = handle;
    me.start_read();
  }
  void await_resume() const noexcept {}
};

Connection::Connection(ServerState& server, std::unique_ptr<env::Stream> stream)
    : server_(server),
      stream_(std::move(stream)),
      client_(stream_->remote_endpoint()),
      parser_(server.options.limits, server.options.body_bytes_max),
      input_(kInputBytesMin),
      requests_left_(server.options.requests_per_connection_max) {}

void Connection::start(bool overloaded) {
  task_ = overloaded ? run_overloaded() : run();
  task_.start([this] { server_.retire(this); });
}

Task<void> Connection::run() {
  while (true) {
    while (!has_request()) {
      if (parser_.state() == ParseState::failed) {
        co_await refuse(parser_.refusal().status, parser_.refusal().detail);
        co_return;
      }
      if (input_ended_ || (server_.stopping && is_idle())) co_return;
      prepare_wait();
      if (parser_.awaits_continue() && !continue_sent_) {
        continue_sent_ = true;
        const Result<void> written = co_await env::write(*stream_, as_bytes(kContinue));
        if (!written) co_return;
      }
      co_await MoreInput{*this};
      if (!timed_out_) continue;
      if (!is_idle()) co_await refuse(408, "The request did not come whole in time.");
      co_return;
    }

    begin_answer();
    co_await server_.handler.handle(parser_.request(), client_, *this);
    serving_ = false;
    if (answer_ == Answer::none) co_return;
    if (answer_ == Answer::stream && stream_is_chunked_ && stream_has_body_) {
      output_.clear();
      append_last_chunk(output_);
      set_deadline(server_.options.write_timeout);
      const Result<void> written = co_await env::write(*stream_, as_bytes(output_));
      if (!written) co_return;
    }
    if (!keeps_alive_) co_return;
    parser_.next();
  }
}

Task<void> Connection::run_overloaded() {
  co_await refuse(503, "There are too many connections.");
}

Task<void> Connection::refuse(int status, std::string_view detail) {
  keeps_alive_ = false;
  output_.clear();
  ResponseOptions options = response_options(Framing::content_length);
  options.head_only = false;
  const Refused refused{.status = status, .code = code_of(status), .detail = detail};
  append_response(output_, server_.handler.refuse(parser_.request(), refused), options);
  set_deadline(server_.options.write_timeout);
  const Result<void> written = co_await env::write(*stream_, as_bytes(output_));
  if (!written) co_return;

  set_deadline(kLingerTime);
  timed_out_ = false;
  std::size_t bytes_left = kLingerBytesMax;
  while (!input_ended_ && !timed_out_ && bytes_left > 0) {
    input_begin_ = input_end_ = 0;
    co_await MoreInput{*this};
    bytes_left -= std::min(bytes_left, input_end_);
  }
}

bool Connection::has_request() {
  while (input_begin_ < input_end_ && parser_.state() != ParseState::complete &&
         parser_.state() != ParseState::failed) {
    const ByteView rest = ByteView(input_).subspan(input_begin_, input_end_ - input_begin_);
    input_begin_ += parser_.feed(as_text(rest));
  }
  return parser_.state() == ParseState::complete;
}

void Connection::prepare_wait() {
  if (parser_.state() == timed_state_) return;
  timed_state_ = parser_.state();
  switch (timed_state_) {
    case ParseState::idle:
      set_deadline(server_.options.idle_timeout);
      return;
    case ParseState::head:
      set_deadline(server_.options.header_timeout);
      return;
    case ParseState::body:
      set_deadline(server_.options.body_timeout);
      return;
    case ParseState::complete:
    case ParseState::failed:
      break;
  }
  assert_failed("nothing to wait for");
}

void Connection::begin_answer() {
  deadline_ = Instant::max();
  timed_state_ = ParseState::failed;
  continue_sent_ = false;
  answer_ = Answer::none;
  serving_ = true;
  ++server_.requests_count;
  --requests_left_;
  keeps_alive_ = parser_.keeps_alive();
  // Tells when the other side goes away meanwhile. It costs no more than reading afterwards.
  if (!server_.paused && !input_ended_) start_read();
}

bool Connection::may_keep_alive() const {
  return parser_.keeps_alive() && requests_left_ > 0 && !server_.stopping && !input_ended_;
}

Task<Result<void>> Connection::respond(Response response) {
  EILPOST_ASSERT(answer_ == Answer::none);
  answer_ = Answer::whole;
  keeps_alive_ = may_keep_alive();
  output_.clear();
  append_response(output_, response, response_options(Framing::content_length));
  set_deadline(server_.options.write_timeout);
  Result<void> written = co_await env::write(*stream_, as_bytes(output_));
  deadline_ = Instant::max();
  if (output_.capacity() > kOutputBytesKeptMax) std::string().swap(output_);
  if (!written) keeps_alive_ = false;
  co_return written;
}

Task<Result<void>> Connection::begin_stream(Response head) {
  EILPOST_ASSERT(answer_ == Answer::none);
  answer_ = Answer::stream;
  stream_is_chunked_ = !parser_.is_http_1_0();
  stream_has_body_ =
      parser_.request().method != Method::head && head.status != 204 && head.status != 304;
  keeps_alive_ = may_keep_alive() && stream_is_chunked_;
  output_.clear();
  append_response(output_, head,
                  response_options(stream_is_chunked_ ? Framing::chunked : Framing::until_close));
  set_deadline(server_.options.write_timeout);
  Result<void> written = co_await env::write(*stream_, as_bytes(output_));
  deadline_ = Instant::max();
  if (!written) keeps_alive_ = false;
  co_return written;
}

Task<Result<void>> Connection::write_chunk(std::string_view bytes) {
  EILPOST_ASSERT(answer_ == Answer::stream);
  if (bytes.empty() || !stream_has_body_) co_return Result<void>();
  output_.clear();
  if (stream_is_chunked_) {
    append_chunk(output_, bytes);
  } else {
    output_.append(bytes);
  }
  set_deadline(server_.options.write_timeout);
  Result<void> written = co_await env::write(*stream_, as_bytes(output_));
  deadline_ = Instant::max();
  if (output_.capacity() > kOutputBytesKeptMax) std::string().swap(output_);
  if (!written) keeps_alive_ = false;
  co_return written;
}

ResponseOptions Connection::response_options(Framing framing) {
  return {.framing = framing,
          .head_only = parser_.request().method == Method::head,
          .keeps_alive = keeps_alive_,
          .date = server_.date.at(server_.loop.clock().wall_now())};
}

void Connection::start_read() {
  if (reading_ || input_ended_) return;
  if (server_.paused && is_idle()) {
    // The other side is not to blame for the time that passes now.
    deadline_ = Instant::max();
    timed_state_ = ParseState::failed;
    return;
  }
  if (input_begin_ == input_end_) {
    input_begin_ = input_end_ = 0;
  } else if (input_begin_ > 0) {
    std::copy(input_.begin() + static_cast<std::ptrdiff_t>(input_begin_),
              input_.begin() + static_cast<std::ptrdiff_t>(input_end_), input_.begin());
    input_end_ -= input_begin_;
    input_begin_ = 0;
  }
  if (input_end_ == input_.size()) return;  // Pipelined requests fill it.
  reading_ = true;
  stream_->read(std::span(input_).subspan(input_end_),
                [this](Result<std::size_t> count) { on_read(std::move(count)); });
}

void Connection::on_read(Result<std::size_t> count) {
  reading_ = false;
  if (!count || *count == 0) {
    input_ended_ = true;
    // An end alone does not say that nobody reads the answer; a stream of events it does end.
    if (serving_ && (!count || answer_ == Answer::stream)) {
      server_.retire(this);
      return;
    }
  } else {
    input_end_ += *count;
    if (input_end_ == input_.size() && input_.size() < kInputBytesMax) {
      input_.resize(std::min(input_.size() * 4, kInputBytesMax));
    }
  }
  if (waiting_) std::exchange(waiting_, nullptr).resume();
}

bool Connection::is_idle() const {
  return parser_.state() == ParseState::idle && input_begin_ == input_end_;
}

void Connection::set_deadline(Duration from_now) {
  deadline_ = server_.loop.clock().now() + from_now;
}

void Connection::check_deadline(Instant now) {
  if (now < deadline_) return;
  deadline_ = Instant::max();
  if (!waiting_) {
    server_.retire(this);
    return;
  }
  timed_out_ = true;
  std::exchange(waiting_, nullptr).resume();
}

void Connection::resume_reading() {
  if (reading_ || is_retired) return;
  if (waiting_) {
    if (is_idle()) prepare_wait();
    start_read();
  } else if (serving_) {
    start_read();
  }
}

void Connection::close_if_idle() {
  if (waiting_ && is_idle()) server_.retire(this);
}

}  // namespace eilpost::http
