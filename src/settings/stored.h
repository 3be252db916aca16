#pragma once
// Objects from the JSON that is kept on disk, with what only the server writes.
//
// Errors: database_corrupt: it is not what this or an earlier release wrote; crypto_failed.

#include <optional>
#include <string_view>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "model/destination.h"
#include "model/webhook.h"
#include "settings/object_store.h"
#include "settings/settings.h"

namespace eilpost::settings {

namespace kinds {
inline constexpr std::string_view kEnvironment = "environment";
inline constexpr std::string_view kSource = "source";
inline constexpr std::string_view kEventType = "event_type";
inline constexpr std::string_view kDestination = "destination";
inline constexpr std::string_view kWebhook = "webhook";
inline constexpr std::string_view kApiKey = "api_key";
}  // namespace kinds

[[nodiscard]] Result<Webhook> webhook_of(const StoredObject& stored);
[[nodiscard]] Result<Destination> destination_of(const StoredObject& stored,
                                                 const crypto::SecretBox& secrets);
// `environment` is found by its name, later.
[[nodiscard]] Result<Source> source_of(const StoredObject& stored);
[[nodiscard]] Result<Environment> environment_of(const StoredObject& stored);
[[nodiscard]] Result<EventType> event_type_of(const StoredObject& stored);
[[nodiscard]] Result<ApiKey> api_key_of(const StoredObject& stored);

// The JSON to keep: that of the API and what the API does not show.
[[nodiscard]] std::string stored_json(const Source& source);
[[nodiscard]] std::string stored_json(const ApiKey& key);

}  // namespace eilpost::settings
