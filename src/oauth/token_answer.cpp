#include "oauth/token_answer.h"

#include <cmath>
#include <fmt/format.h>
#include <utility>

#include "base/ascii.h"
#include "base/parse.h"
#include "http/message.h"
#include "model/json.h"
#include "model/limits.h"
#include "oauth/redact.h"

namespace eilpost::oauth {
namespace {

constexpr std::size_t kShownBytesMax = 300;
constexpr std::size_t kJsonDepthMax = 16;

using Read = std::expected<Tokens, TokenFailure>;

std::unexpected<TokenFailure> failure(std::string detail, std::string error = {}) {
  return std::unexpected(TokenFailure{.detail = std::move(detail), .error = std::move(error)});
}

// A text member; empty if it is missing or something else.
std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string begin_of(const TokenAnswer& answer) {
  return fmt::format("The token end point answered {}", answer.status);
}

Read read_error(const TokenAnswer& answer, const Json& json,
                const std::vector<std::string>& secrets) {
  std::string error = text_in(json, "error");
  const std::string description =
      redact(text_in(json, "error_description"), secrets, kShownBytesMax);
  std::string detail =
      fmt::format("{}: {}", begin_of(answer), redact(error, secrets, kShownBytesMax));
  if (!description.empty()) detail += fmt::format(" \"{}\"", description);
  return failure(detail + ".", std::move(error));
}

// Nothing: it is no life that a token can have.
std::optional<Duration> life_of(const Json& seconds) {
  double value = 0;
  if (seconds.is_number()) {
    value = seconds.get<double>();
  } else if (seconds.is_string()) {
    const auto parsed = parse_integer<std::uint32_t>(seconds.get_ref<const std::string&>());
    if (!parsed) return std::nullopt;
    value = *parsed;
  }
  if (!std::isfinite(value) || value < 1) return std::nullopt;
  const double most =
      std::chrono::duration_cast<std::chrono::duration<double>>(limits::kTokenLifeMax).count();
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(value, most)));
}

bool is_sendable(std::string_view token) {
  return token.size() <= limits::kAccessTokenBytesMax && !token.contains(' ') &&
         !token.contains('\t') && http::is_header_value(token);
}

Read read_tokens(const TokenAnswer& answer, const Json& json) {
  Tokens tokens{.access_token = text_in(json, "access_token"),
                .refresh_token = text_in(json, "refresh_token"),
                .life = {}};
  if (tokens.access_token.empty()) {
    return failure(begin_of(answer) + ", but no access_token.");
  }
  if (!is_sendable(tokens.access_token)) {
    return failure(
        fmt::format("{} with an access_token that cannot be sent: it is longer than {} "
                    "bytes, or holds blanks or control characters.",
                    begin_of(answer), limits::kAccessTokenBytesMax));
  }
  if (tokens.refresh_token.size() > limits::kAccessTokenBytesMax) {
    return failure(fmt::format("{} with a refresh_token longer than {} bytes.", begin_of(answer),
                               limits::kAccessTokenBytesMax));
  }
  const std::string type = text_in(json, "token_type");
  if (!iequals(type, "bearer")) {
    return failure(fmt::format("{} with token_type \"{}\"; only Bearer can be sent.",
                               begin_of(answer), redact(type, {}, kShownBytesMax)));
  }
  const auto expires_in = json.find("expires_in");
  if (expires_in == json.end() || expires_in->is_null()) return tokens;
  tokens.life = life_of(*expires_in);
  if (!tokens.life) {
    return failure(fmt::format("{} with expires_in {}; that must be a number of seconds above 0.",
                               begin_of(answer), redact(to_text(*expires_in), {}, 40)));
  }
  return tokens;
}

}  // namespace

Read read_token_answer(const TokenAnswer& answer, const std::vector<std::string>& secrets) {
  const bool is_success = answer.status / 100 == 2;
  const Result<Json> json = parse_json(answer.body, kJsonDepthMax);
  const bool is_object = json && json->is_object();
  if (is_object && !text_in(*json, "error").empty()) return read_error(answer, *json, secrets);
  if (answer.status / 100 == 3) {
    return failure(begin_of(answer) +
                   "; it is not followed elsewhere: give the URL that it leads to.");
  }
  if (!is_success) {
    const std::string body = redact(trim_ascii(answer.body), secrets, kShownBytesMax);
    return failure(body.empty() ? begin_of(answer) + "."
                                : fmt::format("{}: \"{}\".", begin_of(answer), body));
  }
  if (!is_object) {
    // What it holds may be a token.
    const std::string type = redact(answer.content_type, secrets, 100);
    return failure(fmt::format("{}, but no JSON object{}.", begin_of(answer),
                               type.empty() ? "" : fmt::format(" (Content-Type {})", type)));
  }
  return read_tokens(answer, *json);
}

}  // namespace eilpost::oauth
