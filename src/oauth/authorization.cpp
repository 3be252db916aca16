#include "oauth/authorization.h"

#include <array>

#include "base/encoding.h"
#include "crypto/digest.h"
#include "oauth/form.h"

namespace eilpost::oauth {

std::string make_code_verifier(env::Entropy& entropy) {
  std::array<std::byte, 32> secret{};
  entropy.fill(secret);
  std::string verifier = encode_base64url(secret);
  crypto::wipe(secret);
  return verifier;
}

std::string code_challenge_of(std::string_view verifier) {
  return encode_base64url(crypto::sha256(as_bytes(verifier)));
}

std::string authorization_url(const OAuth& settings, const AuthorizationRequest& request) {
  std::string url = settings.authorize_url;
  if (!url.contains('?')) url += '?';
  append_field(url, "response_type", "code");
  append_field(url, "client_id", settings.client_id);
  append_field(url, "redirect_uri", request.redirect_uri);
  if (!settings.scope.empty()) append_field(url, "scope", settings.scope);
  if (!settings.audience.empty()) append_field(url, "audience", settings.audience);
  append_field(url, "state", request.state);
  append_field(url, "code_challenge", code_challenge_of(request.code_verifier));
  append_field(url, "code_challenge_method", "S256");
  for (const OAuthParameter& parameter : settings.parameters) {
    append_field(url, parameter.name, parameter.value);
  }
  return url;
}

}  // namespace eilpost::oauth
