#pragma once
// Secrets that Eilpost makes for others to hold: keys of sources and of the API, sessions, the
// secrets of Standard Webhooks. None can be guessed, so a plain digest of one is enough to keep.
//
// Threads: any.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "env/entropy.h"

namespace eilpost::crypto {

inline constexpr std::size_t kTokenEntropyBytes = 20;  // 160 bits, 32 characters
inline constexpr std::string_view kWebhookSecretPrefix = "whsec_";
inline constexpr std::size_t kWebhookSecretBytes = 32;
inline constexpr std::size_t kWebhookSecretBytesMin = 24;
inline constexpr std::size_t kWebhookSecretBytesMax = 64;

// `prefix` and 32 characters of 0-9a-z, such as "src_" and "eil_".
[[nodiscard]] std::string make_token(std::string_view prefix, env::Entropy& entropy);

// What is kept of a token: SHA-256 in lower-case hexadecimal.
[[nodiscard]] std::string hash_token(std::string_view token);

// whsec_ and base64, as Standard Webhooks has it.
[[nodiscard]] std::string make_webhook_secret(env::Entropy& entropy);

// The key in such a secret; nothing if it is malformed or has not 24 to 64 bytes. The padding of
// the base64 may be missing: some makers leave it out.
[[nodiscard]] std::optional<Bytes> decode_webhook_secret(std::string_view secret);

}  // namespace eilpost::crypto
