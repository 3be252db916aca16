#pragma once
// The ways in which Settings says no.

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/problem.h"
#include "model/webhook.h"
#include "settings/settings.h"

namespace eilpost::settings {

using Refusal = std::unexpected<Refused>;

[[nodiscard]] Refusal refuse(int status, std::string code, std::string detail);
// 404. `what` is "webhook", "destination", …
[[nodiscard]] Refusal refuse_absent(std::string_view what);
// 422 with all that is wrong.
[[nodiscard]] Refusal refuse_invalid(Problems problems);
// 409 that names the webhooks in the way.
[[nodiscard]] Refusal refuse_in_use(std::string_view what,
                                    const std::vector<const Webhook*>& users);
// 500, or 507 if the disk is full.
[[nodiscard]] Refusal refuse_failed(const Error& error);

// 412 if a change is based on another version than the newest; nothing if it may go on.
[[nodiscard]] std::optional<Refused> check_version(IfVersion if_version, std::uint32_t version);

}  // namespace eilpost::settings
