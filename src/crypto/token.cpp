#include "crypto/token.h"

#include <array>

#include "base/encoding.h"
#include "crypto/digest.h"

namespace eilpost::crypto {

std::string make_token(std::string_view prefix, env::Entropy& entropy) {
  std::array<std::byte, kTokenEntropyBytes> secret{};
  entropy.fill(secret);
  std::string token(prefix);
  token += encode_base32_bytes(secret);
  wipe(secret);
  return token;
}

std::string hash_token(std::string_view token) {
  return encode_hex(sha256(as_bytes(token)));
}

std::string make_webhook_secret(env::Entropy& entropy) {
  std::array<std::byte, kWebhookSecretBytes> secret{};
  entropy.fill(secret);
  std::string text(kWebhookSecretPrefix);
  text += encode_base64(secret);
  wipe(secret);
  return text;
}

std::optional<Bytes> decode_webhook_secret(std::string_view secret) {
  if (!secret.starts_with(kWebhookSecretPrefix)) return std::nullopt;
  std::string text(secret.substr(kWebhookSecretPrefix.size()));
  if (!text.ends_with('=')) {
    while (text.size() % 4 != 0) text += '=';
  }
  std::optional<Bytes> key = decode_base64(text);
  if (!key || key->size() < kWebhookSecretBytesMin || key->size() > kWebhookSecretBytesMax) {
    return std::nullopt;
  }
  return key;
}

}  // namespace eilpost::crypto
