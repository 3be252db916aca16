#pragma once
// The fields of authentication oauth2 as the API's JSON, and back; and tokens as they are kept.

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/json.h"
#include "model/oauth.h"
#include "model/problem.h"
#include "settings/object_reader.h"

namespace eilpost::settings {

// Adds the fields to `json`.
void write_oauth(const OAuth& oauth, bool show_secrets, Json& json);

// `reader` reads /authentication; `kept`, which may be null, lends the secrets that are left out or
// masked. Everything that is wrong is reported.
[[nodiscard]] OAuth read_oauth(ObjectReader& reader, const OAuth* kept, Problems& problems);

// Problems of /tls as those of /authentication/tls.
void add_below_authentication(Problems found, Problems& problems);

[[nodiscard]] std::string kept_tokens_text(const KeptTokens& tokens);
// Errors: database_corrupt.
[[nodiscard]] Result<KeptTokens> kept_tokens_of(std::string_view text);

}  // namespace eilpost::settings
