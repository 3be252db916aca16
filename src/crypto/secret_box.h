#pragma once
// Encrypts the secrets that Eilpost keeps: what is read from a stolen disk or backup is useless
// without the key, and what was changed or moved there is refused.
//
// Format: text is base64url of {format u8 = 1, key id u8, nonce[24], ciphertext, tag[16]};
//         XChaCha20-Poly1305, with the first two bytes and the context as associated data.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/entropy.h"

namespace eilpost::crypto {

struct BoxKey {
  std::uint8_t id = 0;
  std::array<std::byte, 32> key{};
};

// The context says what the secret is and whose, such as "destination/dst_1/secrets/api_key". The
// same context must be given to open: so no secret can be put in the place of another.
//
// Threads: any.
class SecretBox {
 public:
  // The first key encrypts, any decrypts. To rotate, put a new key first and seal again whatever
  // needs_sealing_again(). REQUIRES: at least one key; the ids differ.
  explicit SecretBox(std::vector<BoxKey> keys);
  SecretBox(const SecretBox&) = delete;
  SecretBox& operator=(const SecretBox&) = delete;
  ~SecretBox();

  [[nodiscard]] std::string seal(std::string_view secret, std::string_view context,
                                 env::Entropy& entropy) const;

  // Errors: crypto_failed if the text was not made by seal() with this context and one of the keys.
  [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view context) const;

  // Whether another key than the first, or none that is known, sealed this text.
  [[nodiscard]] bool needs_sealing_again(std::string_view sealed) const;

 private:
  [[nodiscard]] const BoxKey* find(std::uint8_t id) const;

  std::vector<BoxKey> keys_;
};

}  // namespace eilpost::crypto
