#pragma once
// The request for a token (RFC 6749): which form fields, and how the client shows who it is.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/oauth.h"
#include "model/outbound.h"

namespace eilpost::oauth {

// What the token is asked for with, besides the settings.
struct Proof {
  std::string refresh_token;  // set: it is renewed with it
  std::string code;           // set: it is exchanged, with the two below
  std::string code_verifier;
  std::string redirect_uri;
};

struct TokenRequest {
  OutboundRequest request;
  std::vector<std::string> secrets;  // what stands in it and nobody may read
};

// `assertion_id`: of private_key_jwt; another one each time.
// Errors: bad_input, crypto_failed: the private key cannot sign.
[[nodiscard]] Result<TokenRequest> make_token_request(const OAuth& settings, const Proof& proof,
                                                      WallTime now, std::string_view assertion_id);

// Whether this is a name that the protocol uses itself: no parameter of the user's may have it.
[[nodiscard]] bool is_protocol_parameter(std::string_view name);

}  // namespace eilpost::oauth
