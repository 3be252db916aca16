#pragma once
// The forms in which a request carries events, by its headers.

#include <cstdint>
#include <expected>
#include <string>

#include "http/message.h"
#include "ingest/refusal.h"

namespace eilpost::ingest {

enum class BodyForm : std::uint8_t {
  json,    // one event or an array of them
  ndjson,  // one event a line
  binary,  // CloudEvents binary mode: attributes in ce-… headers, the body is the data
};

// By Content-Type and ce-… headers. A missing Content-Type counts as JSON.
[[nodiscard]] std::expected<BodyForm, Refusal> form_of(const http::Headers& headers);

// The body with its Content-Encoding undone; `inflated` keeps it alive.
[[nodiscard]] std::expected<std::string_view, Refusal> decode_body(const http::Request& request,
                                                                   std::size_t bytes_max,
                                                                   std::string& inflated);

// An event of binary mode written as one of structured mode: the ce-… headers (decoded as the HTTP
// binding of CloudEvents 1.0.2 says) around `data`. REQUIRES: `data` is empty or JSON.
[[nodiscard]] std::expected<std::string, Refusal> to_structured(const http::Headers& headers,
                                                                std::string_view data);

}  // namespace eilpost::ingest
