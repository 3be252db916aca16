// Connecting a destination by OAuth 2.0: the page to open, and what comes back from it.

#include <fmt/format.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "crypto/token.h"
#include "model/limits.h"
#include "oauth/authorization.h"
#include "oauth/redact.h"

namespace eilpost::admin {
namespace {

constexpr std::string_view kCallback = "/oauth/callback";
constexpr std::size_t kShownBytesMax = 300;

// What the person sees who comes back; as plain text, nothing in it can be more than text.
http::Response page(int status, std::string text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"},
                      {"Cache-Control", "no-store"},
                      {"Referrer-Policy", "no-referrer"},
                      {"X-Content-Type-Options", "nosniff"}},
          .body = std::move(text) + "\n"};
}

}  // namespace

Task<http::Response> Api::authorize_destination(Call& call) {
  const auto id = id_argument<DestinationId>(call);
  if (!id) co_return not_found("destination");
  const std::optional<Destination> destination =
      co_await on_settings(call, [this, id = *id] { return parts_.settings.destination(id); });
  if (!destination) co_return not_found("destination");
  const std::shared_ptr<const OAuth> oauth = destination->authentication.oauth;
  if (oauth == nullptr || oauth->grant != OAuthGrant::authorization_code) {
    co_return problem(409, "not_connectable",
                      "Only a destination whose authentication is oauth2 with the grant "
                      "authorization_code is connected by a person.");
  }
  if (public_url_.empty()) {
    co_return problem(409, "public_url_missing",
                      "The provider sends the browser back to this server, so it must know its own "
                      "URL: start it with --public-url (EILPOST_PUBLIC_URL), such as "
                      "https://hooks.example.com.");
  }
  std::string base = public_url_;
  while (base.ends_with('/')) base.pop_back();
  const oauth::AuthorizationRequest request{
      .redirect_uri = base.append(kCallback),
      .state = crypto::make_token("", parts_.env.entropy()),
      .code_verifier = oauth::make_code_verifier(parts_.env.entropy())};
  authorizations_.add(request.state,
                      {.destination = *id,
                       .author = call.author().name,
                       .code_verifier = request.code_verifier,
                       .redirect_uri = request.redirect_uri,
                       .expires_at = parts_.env.clock().now() + limits::kAuthorizationLife});
  const WallTime expires_at =
      wall_now() + std::chrono::duration_cast<WallTime::duration>(limits::kAuthorizationLife);
  co_return json_response(200, {{"url", oauth::authorization_url(*oauth, request)},
                                {"redirect_uri", request.redirect_uri},
                                {"expires_at", format_iso_time(expires_at)}});
}

Task<http::Response> Api::finish_authorization(std::size_t lane, std::string_view query) {
  const std::string state = http::find_query_parameter(query, "state").value_or("");
  const auto authorization = authorizations_.take(state, parts_.env.clock().now());
  if (!authorization) {
    co_return page(400,
                   "This link is not valid: it was used already, is older than ten minutes, or "
                   "Eilpost was restarted meanwhile. Start again with \"connect\".");
  }
  if (const auto error = http::find_query_parameter(query, "error")) {
    const std::string description =
        http::find_query_parameter(query, "error_description").value_or("");
    co_return page(
        400, fmt::format("The destination was not connected. The provider says: {}{}{}",
                         oauth::redact(*error, {}, kShownBytesMax), description.empty() ? "" : ": ",
                         oauth::redact(description, {}, kShownBytesMax)));
  }
  const auto code = http::find_query_parameter(query, "code");
  if (!code || code->empty()) {
    co_return page(400,
                   "The destination was not connected: the provider sent neither a code nor an "
                   "error.");
  }
  const auto failure = co_await env::callback<std::optional<std::string>>(
      [this, lane, &authorization, &code](auto done) {
        parts_.pipeline.connect(authorization->destination,
                                {.refresh_token = "",
                                 .code = *code,
                                 .code_verifier = authorization->code_verifier,
                                 .redirect_uri = authorization->redirect_uri},
                                loop(lane), std::move(done));
      });
  const std::string id = to_string(authorization->destination);
  if (failure) {
    parts_.log.warning(fmt::format("Destination {} could not be connected.", id));
    co_return page(502, "The destination was not connected. " + *failure);
  }
  parts_.log.info(fmt::format("Destination {} was connected by {}.", id, authorization->author));
  co_return page(200, "The destination is connected. You can close this page.");
}

}  // namespace eilpost::admin
