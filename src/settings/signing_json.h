#pragma once
// How a destination signs, as the API's JSON (docs/SIGNING.md), and its secrets.

#include <string>

#include "env/entropy.h"
#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"

namespace eilpost::settings {

[[nodiscard]] Json signing_to_json(const Signing& signing, bool show_secrets);

// `kept`, which may be null, lends the secrets, unless the scheme is another one.
[[nodiscard]] Signing signing_from_json(const Json* json, const Signing* kept, Problems& problems);

// A new secret of the kind that the scheme takes; empty for none.
[[nodiscard]] std::string make_signing_secret(Signing::Scheme scheme, env::Entropy& entropy);

// Whether the receiver needs the secret itself, so that it is shown when it is made. Of Ed25519 it
// needs the public key only.
[[nodiscard]] bool is_secret_shared(Signing::Scheme scheme);

}  // namespace eilpost::settings
