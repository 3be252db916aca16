#include "http/client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/parse.h"
#include "env/await.h"

namespace eilpost::http {
namespace {

constexpr std::size_t kInputBytes = 8UL * 1024;
// A request's memory above this is given back after the exchange.
constexpr std::size_t kOutputBytesKeptMax = 64UL * 1024;

// "timeout=5, max=100"
std::optional<Duration> parse_keep_alive(std::string_view value) {
  static constexpr std::string_view kTimeout = "timeout=";
  static constexpr std::uint32_t kSecondsMax = 86'400;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(','), value.size());
    const std::string_view parameter = trim_ascii(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (!iequals(parameter.substr(0, kTimeout.size()), kTimeout)) continue;
    const auto seconds = parse_integer<std::uint32_t>(parameter.substr(kTimeout.size()));
    if (seconds) return std::chrono::seconds(std::min(*seconds, kSecondsMax));
  }
  return std::nullopt;
}

}  // namespace

ClientConnection::ClientConnection(std::unique_ptr<env::Stream> stream, const MessageLimits& limits)
    : stream_(std::move(stream)), parser_(limits) {}

Task<std::expected<void, ExchangeFailure>> ClientConnection::exchange(OutboundRequest request,
                                                                      ResponseLimits limits) {
  EILPOST_ASSERT(is_reusable_);
  request_sent_ = false;
  answer_begun_ = false;
  keep_alive_timeout_.reset();
  output_.clear();
  Result<void> appended = append_request(output_, request);
  if (!appended) co_return failure(std::move(appended).error());

  is_reusable_ = false;
  request_sent_ = true;
  ++exchanges_count_;
  parser_.begin(request.method, limits.body_bytes_kept_max);
  Result<void> written = co_await env::write(*stream_, as_bytes(output_));
  if (output_.capacity() > kOutputBytesKeptMax) std::string().swap(output_);
  write_failed_ = !written;

  // Even where the request could not be sent whole there may be an answer, such as a 413.
  const ParseState until = limits.head_only ? ParseState::body : ParseState::complete;
  std::expected<void, ExchangeFailure> result =
      co_await read_until(until, limits.body_bytes_read_max);
  if (!result && !written && !answer_begun_) co_return failure(std::move(written).error());
  co_return result;
}

Task<std::expected<void, ExchangeFailure>> ClientConnection::read_body(ResponseLimits limits) {
  EILPOST_ASSERT(parser_.state() == ParseState::body || parser_.state() == ParseState::complete);
  if (parser_.state() == ParseState::complete) co_return std::expected<void, ExchangeFailure>();
  parser_.keep_body_bytes(limits.body_bytes_kept_max);
  std::expected<void, ExchangeFailure> result =
      co_await read_until(ParseState::complete, limits.body_bytes_read_max);
  co_return result;
}

Task<std::expected<void, ExchangeFailure>> ClientConnection::read_until(ParseState state,
                                                                        std::uint64_t bytes_max) {
  if (input_.empty()) input_.resize(kInputBytes);
  while (true) {
    feed_buffered(state);
    if (parser_.state() == ParseState::failed) {
      co_return failure(
          {.code = parser_.error_code(), .detail = std::string(parser_.error_detail())});
    }
    if (parser_.state() == ParseState::complete) {
      finish();
      co_return std::expected<void, ExchangeFailure>();
    }
    const bool has_head = parser_.state() == ParseState::body;
    const bool has_enough = parser_.response().body_bytes_count > bytes_max;
    if (has_head && (state == ParseState::body || has_enough)) {
      note_keep_alive();
      co_return std::expected<void, ExchangeFailure>();
    }
    Result<std::size_t> count = co_await env::read(*stream_, input_);
    if (!count) co_return failure(std::move(count).error());
    stream_ended_ = *count == 0;
    answer_begun_ = answer_begun_ || *count > 0;
    input_begin_ = 0;
    input_end_ = *count;
    if (stream_ended_) parser_.feed_end();
  }
}

void ClientConnection::feed_buffered(ParseState until) {
  while (input_begin_ < input_end_ && parser_.state() != ParseState::complete &&
         parser_.state() != ParseState::failed && parser_.state() != until) {
    const ByteView rest = ByteView(input_).subspan(input_begin_, input_end_ - input_begin_);
    input_begin_ += parser_.feed(as_text(rest));
  }
}

void ClientConnection::finish() {
  note_keep_alive();
  is_reusable_ =
      parser_.keeps_alive() && !write_failed_ && !stream_ended_ && input_begin_ == input_end_;
}

void ClientConnection::note_keep_alive() {
  const std::optional<std::string_view> value = find_header(response().headers, "keep-alive");
  if (value) keep_alive_timeout_ = parse_keep_alive(*value);
}

std::unexpected<ExchangeFailure> ClientConnection::failure(Error error) const {
  return std::unexpected(ExchangeFailure{
      .error = std::move(error), .request_sent = request_sent_, .answer_begun = answer_begun_});
}

}  // namespace eilpost::http
