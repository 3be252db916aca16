#include "server/inbox_page.h"

#include <fmt/format.h>
#include <iterator>
#include <string>

#include "base/iso_time.h"
#include "model/json.h"

namespace eilpost::server {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

// The body as a person reads it: JSON indented, anything else as it is.
std::string readable(std::string_view body) {
  const Result<Json> json = parse_json(body);
  if (!json) return std::string(body);
  return json->dump(2, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const pipeline::InboxRequest& request) {
  Json headers = Json::array();
  for (const http::Header& header : request.headers) {
    headers.push_back({{"name", header.name}, {"value", header.value}});
  }
  return {{"number", request.number},
          {"received_at", format_iso_time(request.received_at)},
          {"from_outside", request.is_from_outside},
          {"method", request.method},
          {"target", request.target},
          {"headers", std::move(headers)},
          {"body", request.body}};
}

bool wants_html(const http::Request& request) {
  const auto accept = http::find_header(request.headers, "accept");
  return accept && accept->find("text/html") != std::string_view::npos;
}

constexpr std::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Inbox</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1d2430}
article{border:1px solid #d5dae3;border-radius:8px;margin:1rem 0;padding:.75rem 1rem}
pre{background:#f5f7fa;border-radius:6px;padding:.75rem;overflow:auto;white-space:pre-wrap}
small{color:#5b6575}summary{cursor:pointer;color:#5b6575}
</style></head><body><h1>Inbox</h1>
)";

}  // namespace

http::Response inbox_page(const http::Request& request, std::string_view token,
                          const std::vector<pipeline::InboxRequest>& requests) {
  if (!wants_html(request)) {
    Json data = Json::array();
    for (const pipeline::InboxRequest& each : requests) data.push_back(to_json(each));
    const Json page = {{"data", std::move(data)}, {"next_cursor", nullptr}};
    return {.headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
            .body = to_text(page)};
  }
  std::string html(kHead);
  auto out = std::back_inserter(html);
  if (requests.empty()) {
    fmt::format_to(out, "<p>Nothing has arrived yet. This page looks again every 3 seconds.</p>\n");
  }
  for (const pipeline::InboxRequest& each : requests) {
    fmt::format_to(out, "<article><strong>#{} {}</strong> <small>{} {}</small>\n<pre>{}</pre>\n",
                   each.number, escaped(each.method), format_iso_time(each.received_at),
                   escaped(each.target), escaped(readable(each.body)));
    fmt::format_to(out, "<details><summary>{} headers</summary><pre>", each.headers.size());
    for (const http::Header& header : each.headers) {
      fmt::format_to(out, "{}: {}\n", escaped(header.name), escaped(header.value));
    }
    fmt::format_to(out, "</pre></details></article>\n");
  }
  fmt::format_to(out, "<p><small>/inbox/{}</small></p></body></html>\n", escaped(token));
  return {.headers = {{"Content-Type", "text/html; charset=utf-8"},
                      {"Cache-Control", "no-store"},
                      {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(html)};
}

}  // namespace eilpost::server
