#pragma once
// JSON Web Tokens by which a client shows who it is (RFC 7523, RFC 7515).

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "crypto/private_key.h"
#include "model/oauth.h"

namespace eilpost::oauth {

// How long an assertion may be used.
inline constexpr std::chrono::minutes kAssertionLife{5};

// The compact serialisation of a header and claims that are JSON texts already.
[[nodiscard]] Result<std::string> sign_jws(const crypto::PrivateKey& key,
                                           crypto::JwtAlgorithm algorithm, std::string_view header,
                                           std::string_view claims);

// The assertion of client_authentication private_key_jwt: for the token end point, good for
// kAssertionLife from `now`. `id` (jti) must be another one each time.
// Errors: bad_input: the key is none, or not one for the algorithm; crypto_failed.
[[nodiscard]] Result<std::string> make_client_assertion(const OAuth& settings, WallTime now,
                                                        std::string_view id);

}  // namespace eilpost::oauth
