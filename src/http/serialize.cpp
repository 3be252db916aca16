#include "http/serialize.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/iso_time.h"

namespace eilpost::http {
namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  char digits[20];
  const auto result = std::to_chars(digits, digits + sizeof digits, number, base);
  out.append(digits, result.ptr);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void append_length(std::string& out, std::size_t length) {
  out.append("Content-Length: ");
  append_number(out, length);
  out.append("\r\n");
}

bool is_target_char(char c) {
  return c > ' ' && c < '\x7F';
}

bool has_length_always(Method method) {
  return method == Method::post || method == Method::put || method == Method::patch;
}

// Nothing that a handler puts into a header can end it.
void append_cleaned(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  out.append(text);
  for (std::size_t i = begin; i < out.size(); ++i) {
    const auto byte = static_cast<unsigned char>(out[i]);
    if ((byte < 0x20 && byte != '\t') || byte == 0x7F) out[i] = ' ';
  }
}

}  // namespace

Result<void> check_request(const OutboundRequest& request) {
  if (request.target.empty() || !std::ranges::all_of(request.target, is_target_char)) {
    return fail(ErrorCode::bad_input, "the request's target is empty or holds a bad character");
  }
  if (request.authority.empty() || !std::ranges::all_of(request.authority, is_target_char)) {
    return fail(ErrorCode::bad_input, "the request's host is empty or holds a bad character");
  }
  if (request.headers == nullptr) return {};
  for (const Header& header : *request.headers) {
    if (!is_token(header.name)) {
      return fail(ErrorCode::bad_input, "a header's name is not a token");
    }
    if (!is_header_value(header.value)) {
      return fail(ErrorCode::bad_input, "the value of the header " + header.name +
                                            " holds a control character or white space at an end");
    }
  }
  return {};
}

bool declares_length(const OutboundRequest& request) {
  return has_length_always(request.method) || !request.body.empty();
}

bool is_framing_header(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "te",         "host",       "expect",         "trailer",          "upgrade",
      "connection", "keep-alive", "content-length", "transfer-encoding"};
  return std::ranges::any_of(kNames, [&](std::string_view known) {
    return known.size() == name.size() && iequals(known, name);
  });
}

Result<void> append_request(std::string& out, const OutboundRequest& request) {
  EILPOST_RETURN_IF_ERROR(check_request(request));
  out.append(to_string(request.method)).append(" ").append(request.target);
  out.append(" HTTP/1.1\r\n");
  append_header(out, "Host", request.authority);
  if (request.headers != nullptr) {
    for (const Header& header : *request.headers) {
      if (!is_framing_header(header.name)) append_header(out, header.name, header.value);
    }
  }
  if (declares_length(request)) {
    append_length(out, request.body.size());
  }
  out.append("\r\n").append(request.body);
  return {};
}

std::string_view DateCache::at(WallTime now) {
  const std::int64_t second =
      std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  if (text_.empty() || second != second_) {
    second_ = second;
    text_ = format_http_date(now);
  }
  return text_;
}

void append_response(std::string& out, const Response& response, const ResponseOptions& options) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(std::clamp(response.status, 100, 999)));
  out.append(" ").append(reason_of(response.status)).append("\r\n");
  for (const Header& header : response.headers) {
    if (is_framing_header(header.name) || iequals(header.name, "date")) continue;
    if (!is_token(header.name)) continue;
    out.append(header.name).append(": ");
    append_cleaned(out, header.value);
    out.append("\r\n");
  }
  if (!options.date.empty()) append_header(out, "Date", options.date);

  const bool has_no_body = response.status == 204 || response.status == 304;
  if (!has_no_body) {
    if (options.framing == Framing::content_length) append_length(out, response.body.size());
    if (options.framing == Framing::chunked) out.append("Transfer-Encoding: chunked\r\n");
  }
  if (!options.keeps_alive) out.append("Connection: close\r\n");
  out.append("\r\n");
  if (!has_no_body && !options.head_only && options.framing == Framing::content_length) {
    out.append(response.body);
  }
}

void append_chunk(std::string& out, std::string_view bytes) {
  EILPOST_ASSERT(!bytes.empty());
  append_number(out, bytes.size(), 16);
  out.append("\r\n").append(bytes).append("\r\n");
}

void append_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

}  // namespace eilpost::http
