#pragma once
// The key that seals the secrets kept in the settings: from the environment or a file of mode 0600.
//
// Format: one line a key, "ID:BASE64" (ID 0 to 255, 32 bytes of key); the first seals, any opens.

#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "env/directory.h"
#include "env/entropy.h"

namespace eilpost::server {

inline constexpr std::string_view kSecretKeyFile = "secret.key";

// Errors: bad_config (`detail` says which line is wrong, never what it holds).
[[nodiscard]] Result<std::vector<crypto::BoxKey>> parse_secret_keys(std::string_view text);

// The keys of the file `name`; a new one is made and kept if there is no such file.
[[nodiscard]] Result<std::vector<crypto::BoxKey>> load_or_make_secret_keys(
    env::Directory& directory, std::string_view name, env::Entropy& entropy);

}  // namespace eilpost::server
