#pragma once
// OAuth 2.0 as the user sets it up at a destination (SPEC "Authentication"), and what is kept of
// the tokens that come of it. docs/OAUTH.md tells the whole story.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/tls_settings.h"

namespace eilpost {

enum class OAuthGrant : std::uint8_t { client_credentials, refresh_token, authorization_code };

[[nodiscard]] std::string_view to_string(OAuthGrant grant);
[[nodiscard]] std::optional<OAuthGrant> parse_oauth_grant(std::string_view text);

// How the client shows the token end point who it is.
enum class ClientAuthentication : std::uint8_t {
  client_secret_basic,
  client_secret_post,
  private_key_jwt
};

[[nodiscard]] std::string_view to_string(ClientAuthentication authentication);
[[nodiscard]] std::optional<ClientAuthentication> parse_client_authentication(
    std::string_view text);

struct OAuthParameter {
  std::string name;
  std::string value;

  friend bool operator==(const OAuthParameter&, const OAuthParameter&) = default;
};

struct OAuth {
  OAuthGrant grant = OAuthGrant::client_credentials;
  std::string token_url;
  std::string authorize_url;  // of authorization_code
  std::string client_id;
  ClientAuthentication client_authentication = ClientAuthentication::client_secret_basic;
  std::string client_secret;        // of client_secret_…; secret
  std::string private_key;          // of private_key_jwt: PEM; secret
  std::string key_id;               // of private_key_jwt; may be empty
  std::string algorithm = "RS256";  // of private_key_jwt: crypto/private_key.h knows which
  std::string scope;                // may be empty, as audience
  std::string audience;
  std::vector<OAuthParameter> parameters;  // of every token request and of the page to open
  std::string refresh_token;               // of grant refresh_token: the first one; secret
  TlsSettings tls;                         // of connections to the token end point

  friend bool operator==(const OAuth&, const OAuth&) = default;
};

// What a destination got from the token end point last. All of it is secret.
struct KeptTokens {
  std::string settings_digest;   // of the settings it was got for: oauth/settings_digest.h
  std::string access_token;      // empty: none
  std::string refresh_token;     // empty: none was given
  WallTime obtained_at;          // when it was asked for
  std::optional<Duration> life;  // of the access token; nothing: not said
};

}  // namespace eilpost
