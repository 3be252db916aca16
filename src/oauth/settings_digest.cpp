#include "oauth/settings_digest.h"

#include "base/encoding.h"
#include "crypto/digest.h"
#include "model/json.h"

namespace eilpost::oauth {

std::string settings_digest(const OAuth& settings) {
  Json parts = {to_string(settings.grant), settings.token_url,
                settings.client_id,        settings.scope,
                settings.audience,         settings.refresh_token};
  for (const OAuthParameter& parameter : settings.parameters) {
    parts.push_back({parameter.name, parameter.value});
  }
  const std::string text = to_text(parts);
  return encode_hex(crypto::sha256(as_bytes(text)));
}

}  // namespace eilpost::oauth
