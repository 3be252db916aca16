#include "admin/call.h"

#include <fmt/format.h>
#include <utility>

#include "base/encoding.h"
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

namespace {

http::Response problem_response(const Json& json) {
  http::Response response = json_response(json.at("status").get<int>(), json);
  response.headers.front().value = "application/problem+json";
  return response;
}

Json problem_json(int status, std::string_view code, std::string_view detail) {
  return {{"type", "about:blank"},
          {"title", http::reason_of(status)},
          {"status", status},
          {"code", code},
          {"detail", detail}};
}

}  // namespace

http::Response problem(int status, std::string_view code, std::string_view detail,
                       const std::vector<Problem>& errors) {
  Json json = problem_json(status, code, detail);
  if (!errors.empty()) json["errors"] = to_json(errors);
  return problem_response(json);
}

http::Response bad_parameter(std::string_view name, std::string_view detail) {
  Json json = problem_json(400, "bad_parameter", detail);
  json["parameter"] = name;
  return problem_response(json);
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
  if (!is_quoted) return kNoVersion;
  return parse_integer<std::uint32_t>(header->substr(1, header->size() - 2)).value_or(kNoVersion);
}

std::string PageAsked::cursor(std::string_view key) const {
  return key.empty() ? "" : encode_base64url(as_bytes(fmt::format("{}:{}", list, key)));
}

http::Response bad_cursor() {
  return bad_parameter("cursor", "`cursor` is not a `next_cursor` of this list.");
}

std::string ascending_key(std::uint64_t number) {
  return fmt::format("{:020}", number);
}

std::string descending_key(std::uint64_t number) {
  return ascending_key(UINT64_MAX - number);
}

std::string descending_key(WallTime time) {
  return descending_key(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

std::expected<PageAsked, http::Response> page_asked(const Call& call) {
  PageAsked asked{.list = std::string(http::path_of(call.request->target)),
                  .limit = limits::kPageDefault};
  if (const auto text = call.parameter("cursor"); text && !text->empty()) {
    const std::optional<Bytes> bytes = decode_base64url(*text);
    const std::string_view whole = bytes ? as_text(*bytes) : std::string_view();
    const bool is_ours = whole.size() > asked.list.size() + 1 && whole.starts_with(asked.list) &&
                         whole[asked.list.size()] == ':';
    if (!is_ours) return std::unexpected(bad_cursor());
    asked.after = whole.substr(asked.list.size() + 1);
  }
  if (const auto text = call.parameter("limit")) {
    const auto limit = parse_integer<std::size_t>(*text);
    if (!limit || *limit < 1 || *limit > limits::kPageMax) {
      return std::unexpected(
          bad_parameter("limit", fmt::format("`limit` must be 1 to {}.", limits::kPageMax)));
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
    return std::unexpected(bad_parameter(
        name, fmt::format("`{}` must be a time such as 2026-11-24T09:00:00Z.", name)));
  }
  return time;
}

Json versions_page(const std::vector<settings::VersionRow>& rows, const PageAsked& asked,
                   const char* kind) {
  return page_of(
      rows, asked, [](const settings::VersionRow& row) { return descending_key(row.version); },
      [kind](const settings::VersionRow& row) {
        return Json{{"version", row.version},
                    {"author", row.author},
                    {"at", format_iso_time(row.at)},
                    {kind, row.object}};
      });
}

}  // namespace eilpost::admin
