#include "settings/oauth_json.h"

#include <algorithm>
#include <fmt/format.h>
#include <string>
#include <utility>

#include "crypto/private_key.h"
#include "http/url.h"
#include "model/limits.h"
#include "oauth/token_request.h"
#include "settings/certificates.h"
#include "settings/secret_json.h"

namespace eilpost::settings {
namespace {

constexpr std::string_view kAlgorithms = "RS256, PS256, ES256, ES384 or EdDSA";

Json text_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

bool is_visible_ascii(char c) {
  return c > ' ' && c <= '~';
}

// RFC 6749, appendix A.4, with blanks between the scopes.
bool is_scope(std::string_view scope) {
  return std::ranges::all_of(
      scope, [](char c) { return c == ' ' || (is_visible_ascii(c) && c != '"' && c != '\\'); });
}

class Reading {
 public:
  Reading(ObjectReader& reader, const OAuth* kept, Problems& problems)
      : reader_(reader), kept_(kept == nullptr ? kNothing : *kept), problems_(problems) {}

  OAuth read() {
    read_grant();
    oauth_.token_url = url("token_url", /*is_needed=*/true);
    const bool has_page = oauth_.grant == OAuthGrant::authorization_code;
    if (has_page) {
      oauth_.authorize_url = url("authorize_url", /*is_needed=*/true);
    } else {
      refuse("authorize_url", grant_name());
    }
    oauth_.client_id = text("client_id");
    if (oauth_.client_id.empty()) {
      missing("client_id", "the id that the provider gave to this client");
    }
    read_client_authentication();
    oauth_.scope = text("scope");
    if (!is_scope(oauth_.scope)) {
      reader_.error("bad_scope",
                    "Scopes are words of visible ASCII characters without quotes and backslashes, "
                    "with one blank between them.",
                    "scope");
    }
    oauth_.audience = text("audience");
    read_parameters();
    if (oauth_.grant == OAuthGrant::refresh_token) {
      oauth_.refresh_token = secret("refresh_token", kept_.refresh_token,
                                    limits::kAccessTokenBytesMax, "the provider's refresh token");
    } else {
      refuse("refresh_token", grant_name());
    }
    Problems found;
    oauth_.tls = tls_from_json(reader_.given("tls"), &kept_.tls, found);
    add_below_authentication(std::move(found), problems_);
    return std::move(oauth_);
  }

 private:
  void missing(std::string_view key, std::string_view what) {
    if (!reader_.is_object()) return;
    const Json* given = reader_.given(key);
    if (given != nullptr && !given->is_string()) return;  // reported already
    reader_.error("missing", fmt::format("OAuth 2.0 needs \"{}\": {}.", key, what), key);
  }

  [[nodiscard]] std::string grant_name() const {
    return fmt::format("The grant {}", to_string(oauth_.grant));
  }

  // A field that makes no sense beside the others; a masked secret is what was read before.
  void refuse(std::string_view key, std::string_view owner) {
    const Json* given = reader_.given(key);
    if (given == nullptr || given->is_object()) return;
    reader_.error("not_used",
                  fmt::format("{} has no \"{}\": leave it out, or let it be null.", owner, key),
                  key);
  }

  std::string text(std::string_view key) {
    std::string value = reader_.text(key).value_or("");
    const bool has_control = std::ranges::any_of(
        value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
    if (value.size() > limits::kOAuthTextBytesMax) {
      reader_.error("too_long",
                    fmt::format("\"{}\" has at most {} bytes.", key, limits::kOAuthTextBytesMax),
                    key);
    } else if (has_control) {
      reader_.error("bad_text", fmt::format("\"{}\" holds no control characters.", key), key);
    }
    return value;
  }

  std::string url(std::string_view key, bool is_needed) {
    std::string value = text(key);
    if (value.empty()) {
      if (is_needed) missing(key, "a URL of the provider's, such as https://id.example.com/token");
      return value;
    }
    const Result<http::Url> parsed = http::parse_url(value);
    if (!parsed) {
      reader_.error("bad_url", fmt::format("\"{}\": {}.", key, parsed.error().detail), key);
    } else if (value.contains('#')) {
      reader_.error("bad_url", fmt::format("\"{}\" has no fragment (what follows #).", key), key);
    }
    return value;
  }

  std::string secret(std::string_view key, std::string_view kept, std::size_t bytes_max,
                     std::string_view what) {
    const std::size_t errors_before = problems_.errors.size();
    std::string value = read_secret(reader_, key, kept);
    if (value.empty() && problems_.errors.size() == errors_before) missing(key, what);
    if (value.size() > bytes_max) {
      reader_.error("too_long", fmt::format("\"{}\" has at most {} bytes.", key, bytes_max), key);
    }
    return value;
  }

  void read_grant() {
    const auto name = reader_.text("grant");
    if (!name) {
      missing("grant", "client_credentials, refresh_token or authorization_code");
      return;
    }
    if (const auto grant = parse_oauth_grant(*name)) {
      oauth_.grant = *grant;
      return;
    }
    reader_.error("unknown_value",
                  "The grant is client_credentials, refresh_token or authorization_code.", "grant");
  }

  void read_client_authentication() {
    if (const auto name = reader_.text("client_authentication")) {
      const auto known = parse_client_authentication(*name);
      if (!known) {
        reader_.error("unknown_value",
                      "The client_authentication is client_secret_basic, client_secret_post or "
                      "private_key_jwt.",
                      "client_authentication");
      }
      oauth_.client_authentication = known.value_or(oauth_.client_authentication);
    }
    const auto name = to_string(oauth_.client_authentication);
    if (oauth_.client_authentication == ClientAuthentication::private_key_jwt) {
      refuse("client_secret", name);
      read_private_key();
      return;
    }
    oauth_.client_secret = secret("client_secret", kept_.client_secret, limits::kOAuthTextBytesMax,
                                  "the secret that the provider gave to this client");
    for (const char* key : {"private_key", "key_id", "algorithm"}) refuse(key, name);
  }

  void read_private_key() {
    oauth_.private_key = secret("private_key", kept_.private_key, limits::kPrivateKeyBytesMax,
                                "the client's private key as PEM");
    oauth_.key_id = text("key_id");
    oauth_.algorithm = reader_.text("algorithm").value_or(oauth_.algorithm);
    const auto algorithm = crypto::parse_jwt_algorithm(oauth_.algorithm);
    if (!algorithm) {
      reader_.error("unknown_value", fmt::format("The algorithm is {}.", kAlgorithms), "algorithm");
    }
    if (oauth_.private_key.empty()) return;
    const auto key = crypto::PrivateKey::parse(oauth_.private_key);
    if (!key) {
      reader_.error("bad_private_key",
                    fmt::format("The private key cannot be used: {}. Give PEM without a passphrase "
                                "(-----BEGIN PRIVATE KEY-----), of RSA from 2048 bits on, P-256, "
                                "P-384 or Ed25519.",
                                key.error().detail),
                    "private_key");
    } else if (algorithm && !key->can_sign(*algorithm)) {
      reader_.error("wrong_algorithm",
                    fmt::format("This private key cannot sign with {}: RSA keys sign with RS256 "
                                "and PS256, P-256 with ES256, P-384 with ES384, Ed25519 with "
                                "EdDSA.",
                                oauth_.algorithm),
                    "algorithm");
    }
  }

  void read_parameters() {
    const Json* json = reader_.object("parameters");
    if (json == nullptr) return;
    if (json->size() > limits::kOAuthParametersMax) {
      reader_.error("too_many",
                    fmt::format("At most {} parameters are possible.", limits::kOAuthParametersMax),
                    "parameters");
      return;
    }
    ObjectReader parameters(*json, reader_.pointer("parameters"), problems_);
    for (const auto& [name, value] : json->items()) {
      const auto text = parameters.text(name);
      if (!text) continue;
      if (name.empty() || oauth::is_protocol_parameter(name)) {
        parameters.error("reserved_name",
                         fmt::format("The parameter \"{}\" is set by Eilpost and cannot be given "
                                     "here.",
                                     name),
                         name);
      } else if (name.size() + text->size() > limits::kOAuthTextBytesMax) {
        parameters.error("too_long",
                         fmt::format("A parameter has at most {} bytes, with its name.",
                                     limits::kOAuthTextBytesMax),
                         name);
      }
      oauth_.parameters.push_back({.name = name, .value = *text});
    }
  }

  inline static const OAuth kNothing{};
  ObjectReader& reader_;
  const OAuth& kept_;
  Problems& problems_;
  OAuth oauth_;
};

}  // namespace

void write_oauth(const OAuth& oauth, bool show_secrets, Json& json) {
  json["grant"] = to_string(oauth.grant);
  json["token_url"] = oauth.token_url;
  if (oauth.grant == OAuthGrant::authorization_code) json["authorize_url"] = oauth.authorize_url;
  json["client_id"] = oauth.client_id;
  json["client_authentication"] = to_string(oauth.client_authentication);
  if (oauth.client_authentication == ClientAuthentication::private_key_jwt) {
    json["private_key"] = secret_to_json(oauth.private_key, show_secrets);
    json["key_id"] = text_or_null(oauth.key_id);
    json["algorithm"] = oauth.algorithm;
  } else {
    json["client_secret"] = secret_to_json(oauth.client_secret, show_secrets);
  }
  json["scope"] = text_or_null(oauth.scope);
  json["audience"] = text_or_null(oauth.audience);
  json["parameters"] = Json::object();
  for (const OAuthParameter& parameter : oauth.parameters) {
    json["parameters"][parameter.name] = parameter.value;
  }
  if (oauth.grant == OAuthGrant::refresh_token) {
    json["refresh_token"] = secret_to_json(oauth.refresh_token, show_secrets);
  }
  json["tls"] = oauth.tls == TlsSettings{} ? Json() : tls_to_json(oauth.tls, show_secrets);
}

void add_below_authentication(Problems found, Problems& problems) {
  for (Problem& problem : found.errors) {
    problem.pointer.insert(0, "/authentication");
    problems.errors.push_back(std::move(problem));
  }
}

OAuth read_oauth(ObjectReader& reader, const OAuth* kept, Problems& problems) {
  return Reading(reader, kept, problems).read();
}

// ---- tokens

std::string kept_tokens_text(const KeptTokens& tokens) {
  using std::chrono::seconds;
  const Json life = tokens.life ? Json(std::chrono::floor<seconds>(*tokens.life).count()) : Json();
  return to_text({{"settings_digest", tokens.settings_digest},
                  {"access_token", tokens.access_token},
                  {"refresh_token", tokens.refresh_token},
                  {"obtained_at", tokens.obtained_at.time_since_epoch().count()},
                  {"life_seconds", life}});
}

Result<KeptTokens> kept_tokens_of(std::string_view text) {
  const Result<Json> json = parse_json(text);
  const auto member = [&](const char* key) -> const Json* {
    if (!json || !json->is_object()) return nullptr;
    const auto found = json->find(key);
    return found == json->end() ? nullptr : &*found;
  };
  KeptTokens tokens;
  for (const auto& [key, target] :
       {std::pair<const char*, std::string*>{"settings_digest", &tokens.settings_digest},
        {"access_token", &tokens.access_token},
        {"refresh_token", &tokens.refresh_token}}) {
    const Json* value = member(key);
    if (value == nullptr || !value->is_string()) {
      return fail(ErrorCode::database_corrupt, "settings.db: kept tokens are not readable");
    }
    *target = value->get<std::string>();
  }
  const Json* obtained_at = member("obtained_at");
  const Json* life = member("life_seconds");
  if (obtained_at == nullptr || !obtained_at->is_number_integer() || life == nullptr) {
    return fail(ErrorCode::database_corrupt, "settings.db: kept tokens are not readable");
  }
  tokens.obtained_at = WallTime(std::chrono::milliseconds(obtained_at->get<std::int64_t>()));
  if (life->is_number_integer()) tokens.life = std::chrono::seconds(life->get<std::int64_t>());
  return tokens;
}

}  // namespace eilpost::settings
