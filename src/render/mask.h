#pragma once
// Hides secrets in a request that people look at.

#include <string>

#include "model/outbound.h"

namespace eilpost::render {

// Replaces by "••••": credentials and tokens in headers, query values whose name says that they are
// secret, and the paths by which Slack, Teams, Discord and others are addressed.
void mask_secrets(OutboundRequest& request);

[[nodiscard]] std::string mask_url(std::string_view url);

}  // namespace eilpost::render
