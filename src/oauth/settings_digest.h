#pragma once
// Tells tokens of the settings of now from those of others.

#include <string>

#include "model/oauth.h"

namespace eilpost::oauth {

// Differs as soon as a token got with one of the settings is none for the other. How the client
// shows who it is plays no part: a new client secret ends no token.
[[nodiscard]] std::string settings_digest(const OAuth& settings);

}  // namespace eilpost::oauth
