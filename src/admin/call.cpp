#include "admin/call.h"

#include <fmt/format.h>
#include <utility>

#include "base/iso_time.h"
#include "base/parse.h"
#include "model/limits.h"

namespace eilpost::admin {

settings::Author Call::author() const {
  return {.name = fmt::format("API key {} (…{})", caller.name, caller.key_hint)};
}

http::Response json_response(int status, const Json& json) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          .body = to_text(json)};
}

http::Response object_response(int status, const Json& json, std::uint32_t version) {
  http::Response response = json_response(status, json);
  response.headers.push_back({"ETag", fmt::format("\"{}\"", version)});
  return response;
}

http::Response no_content() {
  return {.status = 204};
}

http::Response problem(int status, std::string_view code, std::string_view detail,
                       const std::vector<Problem>& errors) {
  Json json = {{"type", "about:blank"},
               {"title", http::reason_of(status)},
               {"status", status},
               {"code", code},
               {"detail", detail}};
  if (!errors.empty()) json["errors"] = to_json(errors);
  http::Response response = json_response(status, json);
  response.headers.front().value = "application/problem+json";
  return response;
}

http::Response problem(const settings::Refused& refused) {
  return problem(refused.status, refused.code, refused.detail, refused.errors);
}

http::Response problem(const Error& error) {
  const bool is_input = error.code == ErrorCode::bad_input;
  return problem(is_input ? 400 : 500, name_of(error.code),
                 is_input ? error.detail : std::string(text_of(error.code)));
}

http::Response not_found(std::string_view what) {
  return problem(404, "not_found", fmt::format("There is no such {}.", what));
}

Json to_json(const std::vector<Problem>& problems) {
  Json list = Json::array();
  for (const Problem& each : problems) {
    Json json = {{"code", each.code}, {"detail", each.detail}, {"pointer", each.pointer}};
    if (each.index) json["index"] = *each.index;
    list.push_back(std::move(json));
  }
  return list;
}

Json page_json(Json data, std::string_view next_cursor) {
  Json page = {{"data", std::move(data)}, {"next_cursor", nullptr}};
  if (!next_cursor.empty()) page["next_cursor"] = next_cursor;
  return page;
}

settings::IfVersion if_match(const http::Request& request) {
  const auto header = http::find_header(request.headers, "if-match");
  if (!header || *header == "*") return std::nullopt;
  const bool is_quoted = header->size() >= 2 && header->front() == '"' && header->back() == '"';
  if (!is_quoted) return 0;
  return parse_integer<std::uint32_t>(header->substr(1, header->size() - 2)).value_or(0);
}

std::expected<PageAsked, http::Response> page_asked(const Call& call) {
  PageAsked asked{.cursor = call.parameter("cursor").value_or(""), .limit = limits::kPageDefault};
  if (const auto text = call.parameter("limit")) {
    const auto limit = parse_integer<std::size_t>(*text);
    if (!limit || *limit < 1 || *limit > limits::kPageMax) {
      return std::unexpected(
          problem(400, "bad_parameter", fmt::format("limit must be 1 to {}.", limits::kPageMax)));
    }
    asked.limit = *limit;
  }
  return asked;
}

std::expected<std::optional<WallTime>, http::Response> time_asked(const Call& call,
                                                                  std::string_view name) {
  const auto text = call.parameter(name);
  if (!text) return std::nullopt;
  const auto time = parse_iso_time(*text);
  if (!time) {
    return std::unexpected(
        problem(400, "bad_parameter",
                fmt::format("{} must be a time such as 2026-11-24T09:00:00Z.", name)));
  }
  return time;
}

}  // namespace eilpost::admin
