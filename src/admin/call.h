#pragma once
// One call of the management API: what was asked, by whom, and how answers are made.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "http/message.h"
#include "model/json.h"
#include "model/problem.h"
#include "settings/settings.h"

namespace eilpost::admin {

struct Call {
  std::size_t lane = 0;
  const http::Request* request = nullptr;
  std::vector<std::string> arguments;  // what stood for each {…} of the route, decoded
  Json body;                           // of POST, PUT and PATCH; null if there was none
  settings::ApiKey caller;

  [[nodiscard]] std::string_view query() const { return http::query_of(request->target); }
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const {
    return http::find_query_parameter(query(), name);
  }
  [[nodiscard]] settings::Author author() const;
};

// ---- answers

[[nodiscard]] http::Response json_response(int status, const Json& json);
// With the ETag of a version.
[[nodiscard]] http::Response object_response(int status, const Json& json, std::uint32_t version);
[[nodiscard]] http::Response no_content();

// RFC 9457. `errors` may be empty.
[[nodiscard]] http::Response problem(int status, std::string_view code, std::string_view detail,
                                     const std::vector<Problem>& errors = {});
[[nodiscard]] http::Response problem(const settings::Refused& refused);
[[nodiscard]] http::Response problem(const Error& error);
// 400: what is wrong with a parameter of the query.
[[nodiscard]] http::Response bad_parameter(std::string_view name, std::string_view detail);
[[nodiscard]] http::Response not_found(std::string_view what);

[[nodiscard]] Json to_json(const std::vector<Problem>& problems);
[[nodiscard]] Json page_json(Json data, std::string_view next_cursor);

// ---- what was asked

// If-Match: "3". Absent or *: nothing. Malformed: kNoVersion.
inline constexpr std::uint32_t kNoVersion = UINT32_MAX;  // a version that nothing has
[[nodiscard]] settings::IfVersion if_match(const http::Request& request);

struct PageAsked {
  std::string list;   // the path
  std::string after;  // key of the last entry of the page before; empty: from the beginning
  std::size_t limit = 0;

  // What next_cursor says after a page that ends with the entry of this key; empty for none.
  // Format: base64url of "PATH:KEY", so that a cursor of another list is known for one.
  [[nodiscard]] std::string cursor(std::string_view key) const;
};
// ?cursor= and ?limit= (1 to limits::kPageMax).
[[nodiscard]] std::expected<PageAsked, http::Response> page_asked(const Call& call);
[[nodiscard]] http::Response bad_cursor();

// Numbers as keys whose order as texts is that of the numbers, or the opposite.
[[nodiscard]] std::string ascending_key(std::uint64_t number);
[[nodiscard]] std::string descending_key(std::uint64_t number);
[[nodiscard]] std::string descending_key(WallTime time);

// A time parameter: ISO 8601. Absent: nothing.
[[nodiscard]] std::expected<std::optional<WallTime>, http::Response> time_asked(
    const Call& call, std::string_view name);

// The part of a list that a page shows. `key_of` gives the text that a cursor holds; the list is in
// its order, so a page goes on rightly though what the cursor names was deleted meanwhile.
template <class T, class KeyOf, class ToJson>
Json page_of(const std::vector<T>& all, const PageAsked& asked, KeyOf key_of, ToJson to_json) {
  std::size_t begin = 0;
  while (!asked.after.empty() && begin < all.size() && key_of(all[begin]) <= asked.after) ++begin;
  Json data = Json::array();
  std::size_t i = begin;
  for (; i < all.size() && i < begin + asked.limit; ++i) data.push_back(to_json(all[i]));
  return page_json(std::move(data),
                   asked.cursor(i < all.size() && i > begin ? key_of(all[i - 1]) : ""));
}

// Versions of an object, newest first; `kind` names the object in each.
[[nodiscard]] Json versions_page(const std::vector<settings::VersionRow>& rows,
                                 const PageAsked& asked, const char* kind);

}  // namespace eilpost::admin
