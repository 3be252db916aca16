#pragma once
// The grant authorization_code with PKCE (RFC 7636): the page that a person opens.

#include <string>
#include <string_view>

#include "env/entropy.h"
#include "model/oauth.h"

namespace eilpost::oauth {

// 43 characters that nobody can guess.
[[nodiscard]] std::string make_code_verifier(env::Entropy& entropy);

// S256 of the verifier.
[[nodiscard]] std::string code_challenge_of(std::string_view verifier);

struct AuthorizationRequest {
  std::string redirect_uri;
  std::string state;
  std::string code_verifier;
};

// The URL to open. What the settings' authorize_url has in its query stays.
[[nodiscard]] std::string authorization_url(const OAuth& settings,
                                            const AuthorizationRequest& request);

}  // namespace eilpost::oauth
