#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/codec.h"

namespace eilpost::http {
namespace {

// A body's memory above this is given back after the message.
constexpr std::size_t kBodyBytesKeptMax = 256UL * 1024;
// What a Content-Length may make us reserve before the bytes have come.
constexpr std::size_t kBodyBytesReservedMax = 64UL * 1024;

std::optional<Method> method_of(std::uint8_t method) {
  switch (method) {
    case HTTP_GET:
      return Method::get;
    case HTTP_HEAD:
      return Method::head;
    case HTTP_POST:
      return Method::post;
    case HTTP_PUT:
      return Method::put;
    case HTTP_PATCH:
      return Method::patch;
    case HTTP_DELETE:
      return Method::delete_;
    case HTTP_OPTIONS:
      return Method::options;
    default:
      return std::nullopt;
  }
}

// RFC 3986 host characters, an IP literal's brackets and a port; perhaps nothing at all.
bool is_host(std::string_view text) {
  static constexpr std::string_view kPunctuation = "-._~!$&'()*+,;=:[]%";
  return std::ranges::all_of(text, [&](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || kPunctuation.contains(c);
  });
}

std::string_view detail_of(HeadScanner::Verdict verdict) {
  switch (verdict) {
    case HeadScanner::Verdict::bare_cr:
      return "A CR stands without LF.";
    case HeadScanner::Verdict::bare_lf:
      return "A line ends with LF alone, not CRLF.";
    case HeadScanner::Verdict::folded:
      return "A line begins with white space (obs-fold).";
    case HeadScanner::Verdict::too_large:
      return "The headers have more bytes than the limit.";
    case HeadScanner::Verdict::more:
    case HeadScanner::Verdict::end:
      break;
  }
  assert_failed("not an offence");
}

}  // namespace

struct RequestCallbacks {
  static RequestParser& self(llhttp_t* parser) {
    return *static_cast<RequestParser*>(parser->data);
  }

  static int on_url(llhttp_t* parser, const char* at, std::size_t length) {
    self(parser).request_.target.append(at, length);
    return 0;
  }
  static int on_url_complete(llhttp_t* parser) {
    RequestParser& me = self(parser);
    if (me.request_.target.size() <= me.limits_.target_bytes_max) return 0;
    return me.refuse(414, "The request's target has more bytes than the limit.");
  }
  static int on_header_field(llhttp_t* parser, const char* at, std::size_t length) {
    RequestParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.add_name({at, length});
    return 0;
  }
  // Limits are looked at where a part ends, so that the verdict does not depend on how the bytes
  // were cut; until then header_bytes_max bounds the memory.
  static int on_header_field_complete(llhttp_t* parser) {
    RequestParser& me = self(parser);
    if (me.in_trailer_) return 0;
    if (!me.sink_.end_name()) return me.refuse(400, "A header has no name.");
    if (me.sink_.size() <= me.limits_.headers_max) return 0;
    return me.refuse(431, "There are more headers than the limit.");
  }
  static int on_header_value(llhttp_t* parser, const char* at, std::size_t length) {
    RequestParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.add_value({at, length});
    return 0;
  }
  static int on_header_value_complete(llhttp_t* parser) {
    RequestParser& me = self(parser);
    if (!me.in_trailer_) me.sink_.end_value();
    return 0;
  }
  static int on_headers_complete(llhttp_t* parser) { return self(parser).on_headers_complete(); }
  static int count_chunk_extension(RequestParser& me, std::size_t bytes) {
    me.chunk_extension_bytes_ += bytes;
    if (me.chunk_extension_bytes_ <= me.limits_.chunk_extension_bytes_max) return 0;
    return me.refuse(400, "The chunk extensions have more bytes than the limit.");
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
    RequestParser& me = self(parser);
    me.in_trailer_ = true;
    me.scanner_.begin(me.limits_.trailer_bytes_max, /*has_first_line=*/false);
    return HPE_PAUSED;
  }
  static int on_body(llhttp_t* parser, const char* at, std::size_t length) {
    RequestParser& me = self(parser);
    if (length > me.body_bytes_max_ - me.request_.body.size()) {
      return me.refuse(413, "The body has more bytes than the limit.");
    }
    me.request_.body.append(at, length);
    return 0;
  }
  static int on_message_complete(llhttp_t* parser) {
    self(parser).state_ = ParseState::complete;
    return HPE_PAUSED;
  }

  static llhttp_settings_t make_settings() {
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_url_complete = on_url_complete;
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

RequestParser::RequestParser(const MessageLimits& limits, BodyBytesMax body_bytes_max)
    : limits_(limits), body_bytes_max_function_(std::move(body_bytes_max)) {
  static const llhttp_settings_t kSettings = RequestCallbacks::make_settings();
  llhttp_init(&parser_, HTTP_REQUEST, &kSettings);
  parser_.data = this;
  scanner_.begin(limits_.header_bytes_max, /*has_first_line=*/true);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  EILPOST_ASSERT(state_ != ParseState::complete && state_ != ParseState::failed);
  std::size_t count = 0;
  while (count < bytes.size() && state_ != ParseState::complete && state_ != ParseState::failed) {
    const std::string_view rest = bytes.substr(count);
    if (state_ != ParseState::body) {
      count += feed_head(rest);
    } else {
      body_begun_ = true;
      count += in_trailer_ ? feed_trailer(rest) : execute(rest);
    }
  }
  return count;
}

bool RequestParser::awaits_continue() const {
  return state_ == ParseState::body && expects_continue_ && !body_begun_;
}

void RequestParser::next() {
  EILPOST_ASSERT(state_ == ParseState::complete || state_ == ParseState::idle);
  llhttp_reset(&parser_);
  scanner_.begin(limits_.header_bytes_max, /*has_first_line=*/true);
  sink_.clear();
  request_.target.clear();
  request_.body.clear();
  if (request_.body.capacity() > kBodyBytesKeptMax) request_.body.shrink_to_fit();
  state_ = ParseState::idle;
  chunk_extension_bytes_ = 0;
  keeps_alive_ = false;
  is_http_1_0_ = false;
  expects_continue_ = false;
  body_begun_ = false;
  in_trailer_ = false;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  state_ = ParseState::head;
  std::size_t count = 0;
  const HeadScanner::Verdict verdict = scanner_.scan(bytes, count);
  if (count > 0) execute(bytes.substr(0, count));
  if (state_ == ParseState::failed || verdict == HeadScanner::Verdict::more) return count;
  if (verdict == HeadScanner::Verdict::end) {
    if (parser_.method == HTTP_PRI) {
      refuse(505, "HTTP/2 is not spoken here.");
    } else if (state_ == ParseState::head) {
      refuse(400, "The headers do not end where they should.");
    }
    return count;
  }
  const bool is_too_large = verdict == HeadScanner::Verdict::too_large;
  refuse(is_too_large ? 431 : 400, detail_of(verdict));
  return count;
}

std::size_t RequestParser::feed_trailer(std::string_view bytes) {
  std::size_t count = 0;
  const HeadScanner::Verdict verdict = scanner_.scan(bytes, count);
  if (count > 0) execute(bytes.substr(0, count));
  if (state_ == ParseState::failed || verdict == HeadScanner::Verdict::more) return count;
  if (verdict == HeadScanner::Verdict::end) {
    if (state_ != ParseState::complete) refuse(400, "The trailer does not end where it should.");
    return count;
  }
  refuse(verdict == HeadScanner::Verdict::too_large ? 431 : 400, detail_of(verdict));
  return count;
}

std::size_t RequestParser::execute(std::string_view bytes) {
  const llhttp_errno_t error = llhttp_execute(&parser_, bytes.data(), bytes.size());
  if (error == HPE_OK) return bytes.size();
  const char* const stopped_at = llhttp_get_error_pos(&parser_);
  if (error == HPE_PAUSED) {
    llhttp_resume(&parser_);
  } else if (state_ != ParseState::failed) {
    const bool at_token = stopped_at != nullptr && stopped_at < bytes.data() + bytes.size() &&
                          is_token({stopped_at, 1});
    refuse_parse_error(error, at_token);
  }
  return static_cast<std::size_t>(stopped_at - bytes.data());
}

int RequestParser::refuse(int status, std::string_view detail) {
  state_ = ParseState::failed;
  refusal_ = {.status = status, .detail = detail};
  keeps_alive_ = false;
  return -1;
}

void RequestParser::refuse_parse_error(llhttp_errno_t error, bool at_token) {
  const std::string_view reason = llhttp_get_error_reason(&parser_);
  switch (error) {
    case HPE_INVALID_METHOD:
      if (at_token) {
        refuse(501, "The method is not known here.");
      } else {
        refuse(400, "The request line does not begin with a method.");
      }
      return;
    case HPE_PAUSED_H2_UPGRADE:
      refuse(505, "HTTP/2 is not spoken here.");
      return;
    case HPE_INVALID_VERSION:
      if (reason == "Invalid HTTP version") {
        refuse(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
      } else {
        refuse(400, "The request line has no HTTP version.");
      }
      return;
    case HPE_INVALID_CONSTANT:
      refuse(400, "The request line is malformed.");
      return;
    case HPE_INVALID_URL:
      refuse(400, "The request's target is malformed.");
      return;
    case HPE_INVALID_HEADER_TOKEN:
      refuse(400, "A header holds a character that may not stand there.");
      return;
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_INVALID_TRANSFER_ENCODING:
      refuse(400, "The length of the body is given wrongly or twice.");
      return;
    case HPE_INVALID_CHUNK_SIZE:
    case HPE_STRICT:
      refuse(400, "The chunks of the body are malformed.");
      return;
    default:
      refuse(400, "The request is malformed.");
      return;
  }
}

int RequestParser::on_headers_complete() {
  // An Upgrade that we do not follow must not end the message.
  parser_.upgrade = 0;
  if (parser_.http_major == 0) return refuse(400, "The request line has no HTTP version.");
  if (parser_.http_major != 1 || parser_.http_minor > 1) {
    return refuse(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
  is_http_1_0_ = parser_.http_minor == 0;
  keeps_alive_ = !is_http_1_0_ && (parser_.flags & F_CONNECTION_CLOSE) == 0;
  const std::optional<Method> method = method_of(parser_.method);
  if (!method) return refuse(501, "The method is not known here.");
  request_.method = *method;
  if (!normalize_target() || !check_headers()) return -1;

  body_bytes_max_ = body_bytes_max_function_
                        ? body_bytes_max_function_(request_.method, request_.target)
                        : kRequestBodyBytesMaxDefault;
  if ((parser_.flags & F_CONTENT_LENGTH) != 0) {
    if (parser_.content_length > body_bytes_max_) {
      return refuse(413, "The body has more bytes than the limit.");
    }
    request_.body.reserve(std::min<std::size_t>(parser_.content_length, kBodyBytesReservedMax));
  }
  state_ = ParseState::body;
  return 0;
}

bool RequestParser::check_headers() {
  std::size_t hosts_count = 0;
  bool has_transfer_encoding = false;
  bool is_chunked_alone = true;
  bool has_unknown_expectation = false;
  for (const Header& header : request_.headers) {
    switch (header.name.size()) {
      case 4:
        if (!iequals(header.name, "host")) break;
        ++hosts_count;
        if (!is_host(header.value)) return refuse_bool(400, "The header Host is malformed.");
        break;
      case 6:
        if (!iequals(header.name, "expect") || is_http_1_0_) break;
        expects_continue_ = iequals(header.value, "100-continue");
        has_unknown_expectation = !expects_continue_;
        break;
      case 17:
        if (!iequals(header.name, "transfer-encoding")) break;
        is_chunked_alone = !has_transfer_encoding && iequals(header.value, "chunked");
        has_transfer_encoding = true;
        break;
      default:
        break;
    }
  }
  if (hosts_count > 1) return refuse_bool(400, "There are two Host headers.");
  if (hosts_count == 0 && !is_http_1_0_) return refuse_bool(400, "The header Host is missing.");
  if (has_transfer_encoding) {
    if (is_http_1_0_) return refuse_bool(400, "HTTP/1.0 knows no Transfer-Encoding.");
    if ((parser_.flags & F_CONTENT_LENGTH) != 0) {
      return refuse_bool(400, "Content-Length and Transfer-Encoding are both given.");
    }
    if (!is_chunked_alone) return refuse_bool(501, "The only transfer coding known is chunked.");
  }
  if (has_unknown_expectation) return refuse_bool(417, "The only expectation is 100-continue.");
  return true;
}

bool RequestParser::normalize_target() {
  std::string& target = request_.target;
  if (target.contains('#')) return refuse_bool(400, "The request's target has a fragment.");
  if (target.starts_with('/')) return true;
  if (target == "*") {
    return request_.method == Method::options ||
           refuse_bool(400, "The target * is for OPTIONS only.");
  }
  const std::size_t scheme_end = target.find("://");
  const std::string scheme = to_ascii_lower(target.substr(0, scheme_end));
  if (scheme_end == std::string::npos || (scheme != "http" && scheme != "https")) {
    return refuse_bool(400, "The request's target is malformed.");
  }
  const std::size_t authority_begin = scheme_end + 3;
  const std::size_t authority_end =
      std::min(target.find_first_of("/?", authority_begin), target.size());
  const std::string_view authority =
      std::string_view(target).substr(authority_begin, authority_end - authority_begin);
  if (authority.empty() || !is_host(authority)) {
    return refuse_bool(400, "The request's target is malformed.");
  }
  target.erase(0, authority_end);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  return true;
}

bool RequestParser::refuse_bool(int status, std::string_view detail) {
  refuse(status, detail);
  return false;
}

}  // namespace eilpost::http
