#pragma once
// The key that seals the secrets kept in the settings: given by whoever runs the server, or from a
// file of mode 0600.
//
// Format: lines (or parts between commas) "ID:BASE64" (ID 0 to 255, 32 bytes of key); the first
//         seals, any opens.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "env/directory.h"
#include "env/entropy.h"
#include "env/env.h"
#include "server/config.h"

namespace eilpost::server {

inline constexpr std::string_view kSecretKeyFile = "secret.key";

// Errors: bad_config (`detail` says which line is wrong, never what it holds).
[[nodiscard]] Result<std::vector<crypto::BoxKey>> parse_secret_keys(std::string_view text);

// The keys of the file `name`; a new one is made and kept if there is no such file.
[[nodiscard]] Result<std::vector<crypto::BoxKey>> load_or_make_secret_keys(
    env::Directory& directory, std::string_view name, env::Entropy& entropy);

// Those of the configuration, else those of the file in the data folder. Where both are there, the
// file's open what they have sealed, so that a key can move out of the folder.
[[nodiscard]] Result<std::vector<crypto::BoxKey>> secret_keys(const Config& config,
                                                              env::Directory& directory,
                                                              env::Entropy& entropy);

// A key that has none of these ids, as a line.
[[nodiscard]] Result<std::string> make_secret_key_line(const std::vector<crypto::BoxKey>& others,
                                                       env::Entropy& entropy);

// Puts a new key in the place of those in the file `name` of `keys`, seals every kept secret again,
// and forgets the old ones, on the disk too. A crash in between leaves secrets that the file's keys
// open; rotating again ends what was begun.
// Errors: already_locked: a server runs on the data folder; not_found: there is no key yet; those
// of the disk. REQUIRES: nothing else uses the Env.
[[nodiscard]] Result<void> rotate_secret_key(env::Env& env, env::Directory& keys,
                                             std::string_view name);

}  // namespace eilpost::server
