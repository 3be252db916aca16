#include <algorithm>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/codec.h"

namespace eilpost::http {
namespace {

constexpr int kStatusMin = 100;

bool has_no_body(Method request_method, int status) {
  return request_method == Method::head || status == 204 || status == 304;
}

}  // namespace

struct ResponseCallbacks {
  static ResponseParser& self(llhttp_t* parser) {
    return *static_cast<ResponseParser*>(parser->data);
  }

  static int on_header_field(llhttp_t* parser, const char* at, std::size_t length) {
    ResponseParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.add_name({at, length});
    return 0;
  }
  // Limits are looked at where a part ends, so that the verdict does not depend on how the bytes
  // were cut; until then header_bytes_max bounds the memory.
  static int on_header_field_complete(llhttp_t* parser) {
    ResponseParser& me = self(parser);
    if (me.in_trailer_) return 0;
    if (!me.sink_.end_name())
      return me.refuse(ErrorCode::protocol_violated, "a header of the response has no name");
    if (me.sink_.size() <= me.limits_.headers_max) return 0;
    return me.refuse(ErrorCode::too_large, "the response has more headers than the limit");
  }
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t length) {
    ResponseParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.add_value({at, length});
    return 0;
  }
  static int on_header_value_complete(llhttp_t* parser) {
    ResponseParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.end_value();
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) { return self(parser).on_headers_complete(); }
  static int count_chunk_extension(ResponseParser& me, std::size_t bytes) {
    me.chunk_extension_bytes_ += bytes;
    if (me.chunk_extension_bytes_ <= me.limits_.chunk_extension_bytes_max) return 0;
    return me.refuse(ErrorCode::too_large, "the chunk extensions have more bytes than the limit");
  }
  static int on_chunk_extension(llhttp_t* parser, const char* /*at*/, std::size_t length) {
    return count_chunk_extension(self(parser), length);
  }
  // Counts the separator, so that a run of empty extensions has an end too.
  static int on_chunk_extension_complete(llhttp_t* parser) {
    return count_chunk_extension(self(parser), 1);
  }
  static int on_chunk_header(llhttp_t* parser) {
    if (parser->content_length != 0) return 0;
    ResponseParser& me = self(parser);
    me.in_trailer_ = true;
    me.scanner_.begin(me.limits_.trailer_bytes_max, /*has_first_line=*/false);
    return HPE_PAUSED;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t length) {
    ResponseParser& me = self(parser);
    std::string& body = me.response_.body;
    if (body.size() < me.kept_max_) body.append(at, std::min(length, me.kept_max_ - body.size()));
    me.response_.body_bytes_count += length;
    return 0;
  }
  static int on_message_complete(llhttp_t* parser) {
    ResponseParser& me = self(parser);
    if (!me.is_interim_) {
      me.state_ = ParseState::complete;
      me.response_.body_complete = true;
    }
    return HPE_PAUSED;
  }

  static llhttp_settings_t make_settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_header_field = on_header_field;
    settings.on_header_field_complete = on_header_field_complete;
    settings.on_header_value = on_header_value;
    settings.on_header_value_complete = on_header_value_complete;
    settings.on_headers_complete = on_headers_complete;
    settings.on_chunk_extension_name = on_chunk_extension;
    settings.on_chunk_extension_value = on_chunk_extension;
    settings.on_chunk_extension_name_complete = on_chunk_extension_complete;
    settings.on_chunk_extension_value_complete = on_chunk_extension_complete;
    settings.on_chunk_header = on_chunk_header;
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    return settings;
  }
};

ResponseParser::ResponseParser(const MessageLimits& limits) : limits_(limits) {
  static const llhttp_settings_t kSettings = ResponseCallbacks::make_settings();
  llhttp_init(&parser_, HTTP_RESPONSE, &kSettings);
  parser_.data = this;
}

void ResponseParser::begin(Method request_method, std::size_t body_bytes_kept_max) {
  request_method_ = request_method;
  kept_max_ = body_bytes_kept_max;
  interim_responses_count_ = 0;
  begin_message();
}

void ResponseParser::begin_message() {
  llhttp_reset(&parser_);
  scanner_.begin(limits_.header_bytes_max, /*has_first_line=*/true);
  sink_.clear();
  response_.status = 0;
  response_.body.clear();
  response_.body_bytes_count = 0;
  response_.body_complete = false;
  state_ = ParseState::idle;
  chunk_extension_bytes_ = 0;
  keeps_alive_ = false;
  is_interim_ = false;
  in_trailer_ = false;
}

std::size_t ResponseParser::feed(std::string_view bytes) {
  EILPOST_ASSERT(state_ != ParseState::complete && state_ != ParseState::failed);
  std::size_t count = 0;
  if (state_ != ParseState::body) {
    while (count < bytes.size() && (state_ == ParseState::idle || state_ == ParseState::head)) {
      count += feed_head(bytes.substr(count));
    }
    return count;
  }
  while (count < bytes.size() && state_ == ParseState::body) {
    const std::string_view rest = bytes.substr(count);
    count += in_trailer_ ? feed_trailer(rest) : execute(rest);
  }
  return count;
}

void ResponseParser::feed_end() {
  EILPOST_ASSERT(state_ != ParseState::complete && state_ != ParseState::failed);
  keeps_alive_ = false;
  if (state_ == ParseState::body && parser_.finish == HTTP_FINISH_SAFE_WITH_CB) {
    state_ = ParseState::complete;
    response_.body_complete = true;
    return;
  }
  refuse(ErrorCode::connection_reset, "the connection ended before the response was complete");
}

std::size_t ResponseParser::feed_head(std::string_view bytes) {
  state_ = ParseState::head;
  std::size_t count = 0;
  const HeadScanner::Verdict verdict = scanner_.scan(bytes, count);
  if (count > 0) execute(bytes.substr(0, count));
  if (state_ == ParseState::failed || verdict == HeadScanner::Verdict::more) return count;
  if (verdict != HeadScanner::Verdict::end) {
    refuse_verdict(verdict);
  } else if (is_interim_) {
    begin_message();
    state_ = ParseState::head;
  } else if (state_ == ParseState::head) {
    refuse(ErrorCode::protocol_violated, "the response's headers do not end where they should");
  }
  return count;
}

std::size_t ResponseParser::feed_trailer(std::string_view bytes) {
  std::size_t count = 0;
  const HeadScanner::Verdict verdict = scanner_.scan(bytes, count);
  if (count > 0) execute(bytes.substr(0, count));
  if (state_ == ParseState::failed || verdict == HeadScanner::Verdict::more) return count;
  if (verdict != HeadScanner::Verdict::end) {
    refuse_verdict(verdict);
  } else if (state_ != ParseState::complete) {
    refuse(ErrorCode::protocol_violated, "the response's trailer does not end where it should");
  }
  return count;
}

std::size_t ResponseParser::execute(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
  if (error == HPE_OK) return bytes.size();
  const char* const stopped_at = llhttp_get_error_pos(&parser_);
  if (error == HPE_PAUSED) {
    llhttp_resume(&parser_);
  } else if (state_ != ParseState::failed) {
    refuse(ErrorCode::protocol_violated, llhttp_get_error_reason(&parser_));
  }
  return static_cast<std::size_t>(stopped_at - bytes.data());
}

int ResponseParser::refuse(ErrorCode code, std::string_view detail) {
  state_ = ParseState::failed;
  keeps_alive_ = false;
  error_code_ = code;
  error_detail_ = detail;
  return -1;
}

int ResponseParser::refuse_verdict(HeadScanner::Verdict verdict) {
  switch (verdict) {
    case HeadScanner::Verdict::bare_cr:
      return refuse(ErrorCode::protocol_violated, "a CR stands without LF in the response");
    case HeadScanner::Verdict::bare_lf:
      return refuse(ErrorCode::protocol_violated, "a line of the response ends without CRLF");
    case HeadScanner::Verdict::folded:
      return refuse(ErrorCode::protocol_violated, "a line of the response begins with white space");
    case HeadScanner::Verdict::too_large:
      return refuse(ErrorCode::too_large, "the response's headers have more bytes than the limit");
    case HeadScanner::Verdict::more:
    case HeadScanner::Verdict::end:
      break;
  }
  assert_failed("not an offence");
}

int ResponseParser::on_headers_complete() {
  parser_.upgrade = 0;
  response_.status = parser_.status_code;
  if (parser_.http_major != 1) {
    return refuse(ErrorCode::protocol_violated, "the response is not HTTP/1.1");
  }
  if (response_.status < kStatusMin) {
    return refuse(ErrorCode::protocol_violated, "the response's status is below 100");
  }
  if (response_.status == HTTP_STATUS_SWITCHING_PROTOCOLS) {
    return refuse(ErrorCode::protocol_violated, "the other side switched protocols unasked");
  }
  if (response_.status < 200) {
    if (++interim_responses_count_ > kInterimResponsesMax) {
      return refuse(ErrorCode::protocol_violated, "too many interim responses");
    }
    is_interim_ = true;
    return 1;
  }
  std::size_t encodings_count = 0;
  for (const Header& header : response_.headers) {
    if (!iequals(header.name, "transfer-encoding")) continue;
    if (++encodings_count > 1 || !iequals(header.value, "chunked")) {
      return refuse(ErrorCode::protocol_violated, "the only transfer coding accepted is chunked");
    }
  }
  if (encodings_count > 0 && (parser_.flags & F_CONTENT_LENGTH) != 0) {
    return refuse(ErrorCode::protocol_violated,
                  "the response has both Content-Length and Transfer-Encoding");
  }
  state_ = ParseState::body;
  const bool skips_body = has_no_body(request_method_, response_.status);
  keeps_alive_ =
      llhttp_should_keep_alive(&parser_) != 0 ||
      (skips_body && (parser_.flags & F_CONNECTION_CLOSE) == 0 && parser_.http_minor == 1);
  return skips_body ? 1 : 0;
}

}  // namespace eilpost::http
