#include "ingest/request_body.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "http/inflate.h"
#include "http/percent.h"
#include "model/json_text.h"

namespace eilpost::ingest {
namespace {

constexpr std::string_view kAttributePrefix = "ce-";

std::unexpected<Refusal> refuse(int status, std::string code, std::string detail) {
  return std::unexpected(Refusal{.status = status,
                                 .code = std::move(code),
                                 .detail = std::move(detail),
                                 .errors = {},
                                 .retry_after = {}});
}

std::unexpected<Refusal> refuse_media_type(std::string_view type) {
  return refuse(415, "unsupported_media_type",
                fmt::format("Content-Type {} is not accepted. Send application/json, "
                            "application/cloudevents+json, application/cloudevents-batch+json, "
                            "application/x-ndjson or text/plain, in UTF-8.",
                            truncate_to_bytes(type, 100)));
}

// The value of a parameter of a media type, without quotes; empty if it is missing.
std::string_view parameter_of(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    const std::size_t end = std::min(parameters.find(';'), parameters.size());
    const std::string_view parameter = parameters.substr(0, end);
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    if (!iequals(trim_ascii(parameter.substr(0, equals)), name)) continue;
    std::string_view value = trim_ascii(parameter.substr(equals + 1));
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    return value;
  }
  return {};
}

bool has_attribute(const http::Headers& headers, std::string_view name) {
  return http::find_header(headers, std::string(kAttributePrefix).append(name)).has_value();
}

// The text of an attribute: an HTTP quoted-string is unquoted, then percent-encoding undone.
std::string decode_attribute(std::string_view value) {
  std::string plain;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\' && i + 1 < value.size()) ++i;
      plain += value[i];
    }
  } else {
    plain = value;
  }
  return http::decode_percent(plain).value_or(plain);
}

}  // namespace

std::expected<BodyForm, Refusal> form_of(const http::Headers& headers) {
  const std::string_view content_type =
      http::find_header(headers, "content-type").value_or("application/json");
  const std::size_t end = std::min(content_type.find(';'), content_type.size());
  const std::string_view type = trim_ascii(content_type.substr(0, end));
  const std::string_view charset = parameter_of(content_type.substr(end), "charset");
  if (!charset.empty() && !iequals(charset, "utf-8") && !iequals(charset, "utf8") &&
      !iequals(charset, "us-ascii")) {
    return refuse_media_type(content_type);
  }
  if (iequals(type, "application/cloudevents+json") ||
      iequals(type, "application/cloudevents-batch+json")) {
    return BodyForm::json;
  }
  const bool is_json = type.empty() || iequals(type, "application/json") ||
                       iequals(type, "text/json") || iequals(type, "text/plain");
  if (is_json) {
    const bool is_binary = has_attribute(headers, "type") || has_attribute(headers, "specversion");
    return is_binary ? BodyForm::binary : BodyForm::json;
  }
  if (iequals(type, "application/x-ndjson") || iequals(type, "application/ndjson")) {
    return BodyForm::ndjson;
  }
  return refuse_media_type(content_type);
}

std::expected<std::string_view, Refusal> decode_body(const http::Request& request,
                                                     std::size_t bytes_max, std::string& inflated) {
  const auto refuse_size = [&] {
    return refuse(413, "request_too_large",
                  fmt::format("A request has at most {} bytes, counted after decompression. Send "
                              "the events in several requests.",
                              bytes_max));
  };
  if (request.body.size() > bytes_max) return refuse_size();
  const std::string_view encoding =
      trim_ascii(http::find_header(request.headers, "content-encoding").value_or(""));
  if (encoding.empty() || iequals(encoding, "identity")) return std::string_view(request.body);
  if (!iequals(encoding, "gzip") && !iequals(encoding, "x-gzip")) {
    return refuse(415, "unsupported_content_encoding",
                  fmt::format("Content-Encoding {} is not accepted. Send gzip or no encoding.",
                              truncate_to_bytes(encoding, 100)));
  }
  Result<std::string> text = http::inflate_gzip(request.body, bytes_max);
  if (text) {
    inflated = *std::move(text);
    return std::string_view(inflated);
  }
  if (text.error().code == ErrorCode::too_large) return refuse_size();
  return refuse(400, "malformed_gzip",
                fmt::format("The body is not gzip, though Content-Encoding says so: {}",
                            text.error().detail));
}

std::expected<std::string, Refusal> to_structured(const http::Headers& headers,
                                                  std::string_view data) {
  std::string event = "{";
  for (const http::Header& header : headers) {
    if (!iequals(std::string_view(header.name).substr(0, kAttributePrefix.size()),
                 kAttributePrefix)) {
      continue;
    }
    const std::string name =
        to_ascii_lower(std::string_view(header.name).substr(kAttributePrefix.size()));
    // The body is the data, and Content-Type its type.
    if (name == "data" || name == "data_base64" || name == "datacontenttype") continue;
    const std::string value = decode_attribute(header.value);
    if (!is_valid_utf8(value) || !is_valid_utf8(name)) {
      return refuse(400, "malformed_header",
                    fmt::format("The header ce-{} is not UTF-8 with percent-encoding.",
                                is_valid_utf8(name) ? name : "?"));
    }
    append_json_string(event, name);
    event += ':';
    append_json_string(event, value);
    event += ',';
  }
  if (data.empty()) {
    event.back() = '}';
  } else {
    event += "\"data\":";
    event += data;
    event += '}';
  }
  return event;
}

}  // namespace eilpost::ingest
