#pragma once
// A destination's JSON as it is kept on disk: with its secrets sealed.
//
// Format: where a secret stands there is {"sealed":"…"}; its context is
//         "destination/dst_…/authentication.token" and so on.
// Threads: any.
// Errors:  crypto_failed: another key, or a secret that was changed or moved.

#include <string_view>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "env/entropy.h"
#include "model/json.h"

namespace eilpost::settings {

// `id` is the destination's, such as "dst_01d6x3kq9m2vz".
void seal_secrets(Json& json, std::string_view id, const crypto::SecretBox& box,
                  env::Entropy& entropy);
[[nodiscard]] Result<void> open_secrets(Json& json, std::string_view id,
                                        const crypto::SecretBox& box);
// As the API shows it: {"set":true} where a secret is sealed.
void mask_sealed(Json& json);
// Whether another key than the newest sealed one of the secrets.
[[nodiscard]] bool needs_sealing_again(const Json& json, const crypto::SecretBox& box);

}  // namespace eilpost::settings
