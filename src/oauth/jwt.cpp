#include "oauth/jwt.h"

#include "base/encoding.h"
#include "model/json.h"

namespace eilpost::oauth {

Result<std::string> sign_jws(const crypto::PrivateKey& key, crypto::JwtAlgorithm algorithm,
                             std::string_view header, std::string_view claims) {
  std::string token = encode_base64url(as_bytes(header));
  token += '.';
  token += encode_base64url(as_bytes(claims));
  EILPOST_ASSIGN_OR_RETURN(const Bytes signature, key.sign(algorithm, as_bytes(token)));
  token += '.';
  token += encode_base64url(signature);
  return token;
}

Result<std::string> make_client_assertion(const OAuth& settings, WallTime now,
                                          std::string_view id) {
  const auto algorithm = crypto::parse_jwt_algorithm(settings.algorithm);
  if (!algorithm) return fail(ErrorCode::bad_input, "the algorithm is not known");
  EILPOST_ASSIGN_OR_RETURN(const crypto::PrivateKey key,
                           crypto::PrivateKey::parse(settings.private_key));
  Json header = {{"alg", settings.algorithm}, {"typ", "JWT"}};
  if (!settings.key_id.empty()) header["kid"] = settings.key_id;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const Json claims = {{"iss", settings.client_id}, {"sub", settings.client_id},
                       {"aud", settings.token_url}, {"jti", id},
                       {"iat", seconds.count()},    {"exp", (seconds + kAssertionLife).count()}};
  return sign_jws(key, *algorithm, to_text(header), to_text(claims));
}

}  // namespace eilpost::oauth
