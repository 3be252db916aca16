#include "http/message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "base/assert.h"
#include "http/percent.h"

namespace eilpost::http {
namespace {

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";

constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = static_cast<char>(i);
    table[i] = is_ascii_letter(c) || is_ascii_digit(c) || kTokenPunctuation.contains(c);
  }
  return table;
}

constexpr std::array<bool, 256> kIsTokenChar = make_token_table();

struct Reason {
  std::size_t status;
  std::string_view text;
};

// RFC 9110, what is in use here.
constexpr Reason kReasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {425, "Too Early"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

constexpr std::size_t kStatusEnd = 600;

constexpr std::array<std::string_view, kStatusEnd> make_reason_table() {
  std::array<std::string_view, kStatusEnd> table{};
  for (const Reason& reason : kReasons) table[reason.status] = reason.text;
  return table;
}

constexpr std::array<std::string_view, kStatusEnd> kReasonOfStatus = make_reason_table();

// Whether a byte is a control character, the tab among them; eight bytes at a time.
bool has_control(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
  std::uint64_t found = 0;
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    const std::uint64_t deletes = word ^ (kOnes * 0x7F);
    found |= ((word - kOnes * 0x20) & ~word) | ((deletes - kOnes) & ~deletes);
  }
  if ((found & kHighBits) != 0) return true;
  return std::ranges::any_of(
      text.substr(i), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '\x7F'; });
}

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7F);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Cuts the next element off a list with this separator.
std::string_view take_element(std::string_view& list, char separator) {
  const std::size_t end = std::min(list.find(separator), list.size());
  const std::string_view element = list.substr(0, end);
  list.remove_prefix(std::min(end + 1, list.size()));
  return element;
}

}  // namespace

std::string_view to_string(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::delete_:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
  }
  assert_failed("unknown Method");
}

std::optional<Method> parse_method(std::string_view text) {
  for (const Method method : {Method::get, Method::head, Method::post, Method::put, Method::patch,
                              Method::delete_, Method::options}) {
    if (text == to_string(method)) return method;
  }
  return std::nullopt;
}

Method method_of(HttpMethod method) {
  switch (method) {
    case HttpMethod::get:
      return Method::get;
    case HttpMethod::post:
      return Method::post;
    case HttpMethod::put:
      return Method::put;
    case HttpMethod::patch:
      return Method::patch;
    case HttpMethod::delete_:
      return Method::delete_;
  }
  assert_failed("unknown HttpMethod");
}

std::optional<std::string_view> find_header(const Headers& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (iequals(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool header_has_token(const Headers& headers, std::string_view name, std::string_view token) {
  for (const Header& header : headers) {
    if (!iequals(header.name, name)) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      if (iequals(trim_ascii(take_element(list, ',')), token)) return true;
    }
  }
  return false;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return kIsTokenChar[static_cast<unsigned char>(c)];
  });
}

bool is_header_value(std::string_view text) {
  if (text.empty()) return true;
  if (is_blank(text.front()) || is_blank(text.back())) return false;
  return !has_control(text) || std::ranges::all_of(text, is_value_char);
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string_view query_of(std::string_view target) {
  const std::size_t mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string> find_query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_element(query, '&');
    const std::optional<std::string> found = decode_form(take_element(value, '='));
    if (found != name) continue;
    return decode_form(value);
  }
  return std::nullopt;
}

std::optional<std::vector<QueryField>> parse_query(std::string_view query) {
  std::vector<QueryField> fields;
  while (!query.empty()) {
    std::string_view value = take_element(query, '&');
    if (value.empty()) continue;
    std::optional<std::string> name = decode_form(take_element(value, '='));
    std::optional<std::string> decoded = decode_form(value);
    if (!name || !decoded) return std::nullopt;
    fields.push_back({.name = std::move(*name), .value = std::move(*decoded)});
  }
  return fields;
}

std::string_view reason_of(int status) {
  if (status < 0 || std::cmp_greater_equal(status, kStatusEnd)) return {};
  return kReasonOfStatus[static_cast<std::size_t>(status)];
}

}  // namespace eilpost::http
