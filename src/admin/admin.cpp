#include "admin/admin.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "admin/api.h"
#include "admin/checks.h"
#include "admin/openapi.h"
#include "admin/stream.h"
#include "base/hash.h"
#include "http/percent.h"

namespace eilpost::admin {
namespace {

constexpr std::string_view kPrefix = "/api/v1/";
constexpr std::string_view kDescription = "openapi.json";
constexpr std::size_t kIdempotencyKeysMax = 10'000;

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

// What stood for each {…} of the route; nothing if the path is another one.
std::optional<std::vector<std::string>> match_path(std::string_view route, std::string_view path) {
  const std::vector<std::string_view> wanted = segments_of(route);
  const std::vector<std::string_view> given = segments_of(path);
  if (wanted.size() != given.size()) return std::nullopt;
  std::vector<std::string> arguments;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with('{')) {
      auto decoded = http::decode_percent(given[i]);
      if (!decoded || decoded->empty()) return std::nullopt;
      arguments.push_back(std::move(*decoded));
    } else if (wanted[i] != given[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

struct Found {
  const Route* route = nullptr;
  std::vector<std::string> arguments;
  std::string allowed;  // methods of the path, if the route is missing
};

Found find_route(http::Method method, std::string_view path) {
  Found found;
  for (const Route& route : routes()) {
    auto arguments = match_path(route.path, path);
    if (!arguments) continue;
    if (route.method == method) {
      found.route = &route;
      found.arguments = std::move(*arguments);
      return found;
    }
    if (!found.allowed.empty()) found.allowed += ", ";
    found.allowed += http::to_string(route.method);
  }
  return found;
}

bool has_body(http::Method method) {
  return method == http::Method::post || method == http::Method::put ||
         method == http::Method::patch;
}

// The answers to POSTs with an Idempotency-Key, so that sending one again changes nothing.
// In memory: a restart forgets them, and the oldest give way.
class IdempotencyKeys {
 public:
  // Holds a key while its request is answered. A request that ends without an answer lets it go.
  class Claim {
   public:
    Claim(IdempotencyKeys& keys, std::string key) : keys_(keys), key_(std::move(key)) {}
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    ~Claim() {
      if (!is_kept_) keys_.forget(key_);
    }

    void keep(const http::Response& response) {
      is_kept_ = true;
      keys_.keep(key_, response);
    }

   private:
    IdempotencyKeys& keys_;
    const std::string key_;
    bool is_kept_ = false;
  };

  // Nothing if the key is new: it is claimed then, and a Claim must follow. Else the answer given
  // before, or a refusal: it came with another request, or its request is still under way.
  std::optional<http::Response> claim(const std::string& key, std::uint64_t request_hash) {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = answers_.try_emplace(key, Answer{.request_hash = request_hash});
    if (is_new) return std::nullopt;
    if (found->second.request_hash != request_hash) {
      return problem(422, "idempotency_key_reused",
                     "This Idempotency-Key came with another request before; use a new one.");
    }
    if (found->second.response) return found->second.response;
    return problem(409, "idempotency_key_in_use",
                   "The request with this Idempotency-Key is still under way; ask again later.");
  }

 private:
  struct Answer {
    std::uint64_t request_hash = 0;
    std::optional<http::Response> response;  // Nothing: under way.
  };

  void keep(const std::string& key, const http::Response& response) {
    const std::lock_guard lock(mutex_);
    answers_.at(key).response = response;
    oldest_first_.push_back(key);
    if (oldest_first_.size() <= kIdempotencyKeysMax) return;
    answers_.erase(oldest_first_.front());
    oldest_first_.pop_front();
  }

  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    answers_.erase(key);
  }

  std::mutex mutex_;
  std::unordered_map<std::string, Answer> answers_;  // guarded by mutex_
  std::deque<std::string> oldest_first_;             // of those with an answer; guarded by mutex_
};

class RealAdmin final : public Admin {
 public:
  RealAdmin(const Parts& parts, const Options& options)
      : parts_(parts), public_url_(options.public_url), api_(parts, options) {
    parts.history.on_written(
        [this](const store::Followed& followed) { stream_.publish(followed); });
  }

  [[nodiscard]] Task<void> handle(std::size_t lane, const http::Request& request,
                                  const env::Endpoint& client, http::Responder& responder) override;
  [[nodiscard]] Task<http::Response> finish_authorization(std::size_t lane,
                                                          std::string_view query) override {
    return api_.finish_authorization(lane, query);
  }
  void end_streams() override { stream_.end(); }

 private:
  [[nodiscard]] Task<http::Response> answer(std::size_t lane, const http::Request& request,
                                            std::string_view path, settings::ApiKey caller);
  [[nodiscard]] Task<http::Response> answer_once(const Route& route, Call& call);

  const Parts parts_;
  const std::string public_url_;
  Api api_;
  Stream stream_;
  IdempotencyKeys idempotency_keys_;
};

Task<void> RealAdmin::handle(std::size_t lane, const http::Request& request,
                             const env::Endpoint& /*client*/, http::Responder& responder) {
  const std::string_view whole = http::path_of(request.target);
  const std::string_view path = whole.size() > kPrefix.size() ? whole.substr(kPrefix.size()) : "";
  auto refusal = refuse_query({}, http::query_of(request.target));
  if (path == kDescription && request.method == http::Method::get) {
    // What the API can do is no secret: everybody may read it, without a key.
    http::Response description =
        refusal ? std::move(*refusal) : json_response(200, openapi_document(public_url_));
    (void)co_await responder.respond(std::move(description));
    co_return;
  }
  auto caller = co_await api_.authenticate(request, lane);
  if (!caller) {
    (void)co_await responder.respond(std::move(caller).error());
    co_return;
  }
  if (path == "stream" && request.method == http::Method::get) {
    if (refusal) {
      (void)co_await responder.respond(std::move(*refusal));
      co_return;
    }
    co_await stream_.follow(parts_.env.lane(lane), responder);
    co_return;
  }
  http::Response response = co_await answer(lane, request, path, std::move(*caller));
  (void)co_await responder.respond(std::move(response));
}

Task<http::Response> RealAdmin::answer(std::size_t lane, const http::Request& request,
                                       std::string_view path, settings::ApiKey caller) {
  const http::Method method =
      request.method == http::Method::head ? http::Method::get : request.method;
  Found found = find_route(method, path);
  if (found.route == nullptr && found.allowed.empty()) {
    co_return problem(404, "not_found", "There is no such path; see /api/v1/openapi.json.");
  }
  if (found.route == nullptr) {
    http::Response response = problem(405, "method_not_allowed",
                                      fmt::format("This path answers {} only.", found.allowed));
    response.headers.push_back({"Allow", found.allowed});
    co_return response;
  }
  if (!may(caller, found.route->role)) {
    co_return problem(
        403, "forbidden",
        fmt::format("This needs more than the role {} of this API key.", caller.role));
  }
  const Takes& takes = found.route->takes;
  if (auto refusal = refuse_query(takes, http::query_of(request.target))) {
    co_return std::move(*refusal);
  }
  if (auto refusal = refuse_if_match(takes, request)) co_return std::move(*refusal);
  Call call{.lane = lane,
            .request = &request,
            .arguments = std::move(found.arguments),
            .body = Json::object(),
            .caller = std::move(caller)};
  if (has_body(method) && !request.body.empty()) {
    Result<Json> body = parse_json(request.body);
    if (!body) co_return problem(400, "malformed_json", body.error().detail);
    if (!body->is_object()) {
      co_return problem(400, "malformed_json", "The body must be a JSON object.");
    }
    if (auto refusal = refuse_body(takes, *body)) co_return std::move(*refusal);
    call.body = std::move(*body);
  }
  co_return co_await answer_once(*found.route, call);
}

Task<http::Response> RealAdmin::answer_once(const Route& route, Call& call) {
  const auto key = http::find_header(call.request->headers, "idempotency-key");
  if (!key || route.method != http::Method::post) co_return co_await (api_.*route.answer)(call);

  const std::string whole_key = fmt::format("{} {}", to_string(call.caller.id), *key);
  const std::uint64_t request_hash =
      combine_hashes(hash64(call.request->target), hash64(call.request->body));
  if (auto before = idempotency_keys_.claim(whole_key, request_hash)) co_return std::move(*before);
  IdempotencyKeys::Claim claim(idempotency_keys_, whole_key);
  http::Response response = co_await (api_.*route.answer)(call);
  if (response.status < 500) claim.keep(response);
  co_return response;
}

}  // namespace

std::unique_ptr<Admin> Admin::make(const Parts& parts, const Options& options) {
  return std::make_unique<RealAdmin>(parts, options);
}

}  // namespace eilpost::admin
