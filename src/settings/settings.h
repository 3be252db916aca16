#pragma once
// The settings: sources, environments, custom event types, webhooks, destinations, API keys, users.
// Kept in SQLite, every change a version with author and time.
//
// Format:    docs/SETTINGS.md (the tables); each object is JSON of the shape that the API shows,
// with
//            its secrets sealed (crypto::SecretBox).
// Threads:   one thread at a time: a Worker's. Every function blocks.
// Errors:    Refused, a value: what is wrong with the input, or what stands in the way.

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/secret_box.h"
#include "env/env.h"
#include "model/catalog.h"
#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"
#include "model/source.h"
#include "model/webhook.h"
#include "pipeline/snapshot.h"

namespace eilpost::settings {

// Why something was not saved. `status` is the HTTP status that says it best: 404, 409, 412, 422.
struct Refused {
  int status = 422;
  std::string code;
  std::string detail;
  std::vector<Problem> errors;
};

template <class T>
using Saved = std::expected<T, Refused>;

// Who changes something, for versions and the audit log.
struct Author {
  std::string name;  // "api key …1a2b", "admin@example.com", "first start"
};

struct WebhookView {
  Webhook webhook;
  std::vector<Problem> warnings;
};

struct VersionRow {
  std::uint32_t version = 0;
  std::string author;
  WallTime at;
  Json object;  // secrets masked
};

struct ApiKey {
  ApiKeyId id{};
  std::string name;
  std::string key_hash;
  std::string key_hint;
  std::string role;  // admin, editor, viewer
  std::optional<WallTime> expires_at;
  WallTime created_at;
};

struct NewKey {
  ApiKey key;
  std::string secret;  // "eil_…": shown this once
};

struct NewSource {
  Source source;
  std::string key;  // "src_…": shown this once
};

struct AuditRow {
  std::uint64_t number = 0;
  WallTime at;
  std::string author;
  std::string action;  // created, changed, deleted, rotated, …
  std::string kind;    // webhook, destination, …
  std::string id;
  std::string name;
};

// If-Match: the version that a change is based on; nothing: whatever it is.
using IfVersion = std::optional<std::uint32_t>;

// How long an old signing secret may sign too.
inline constexpr Duration kSecretOverlapDefault = std::chrono::hours(24);
inline constexpr Duration kSecretOverlapMax = std::chrono::hours(24 * 30);

class Settings {
 public:
  // `secrets` seals what is secret; it and `zones` must outlive the Settings. `zones` are those of
  // the filter date(); without, it knows UTC only.
  [[nodiscard]] static Result<std::unique_ptr<Settings>> open(env::Env& env,
                                                              crypto::SecretBox& secrets,
                                                              render::TimeZones* zones = nullptr);
  virtual ~Settings() = default;

  // True until the first source was made: the very first start.
  [[nodiscard]] virtual bool is_new() = 0;

  // Everything compiled, sharing with the Snapshot before it what did not change.
  [[nodiscard]] virtual std::shared_ptr<const pipeline::Snapshot> snapshot() = 0;

  // ---- environments
  [[nodiscard]] virtual std::vector<Environment> environments() = 0;
  [[nodiscard]] virtual Saved<Environment> create_environment(std::string name,
                                                              const Author& author) = 0;
  // An environment never changes: its version is its number.
  [[nodiscard]] virtual Saved<void> delete_environment(std::string_view name, IfVersion if_version,
                                                       const Author& author) = 0;

  // ---- sources; `input` is the API's JSON
  [[nodiscard]] virtual std::vector<Source> sources() = 0;
  [[nodiscard]] virtual Saved<NewSource> create_source(const Json& input, const Author& author) = 0;
  [[nodiscard]] virtual Saved<Source> change_source(SourceId id, const Json& merge_patch,
                                                    IfVersion if_version, const Author& author) = 0;
  [[nodiscard]] virtual Saved<NewSource> rotate_source_key(SourceId id, IfVersion if_version,
                                                           const Author& author) = 0;
  [[nodiscard]] virtual Saved<void> delete_source(SourceId id, IfVersion if_version,
                                                  const Author& author) = 0;

  // ---- custom event types
  [[nodiscard]] virtual std::shared_ptr<const Catalog> catalog() = 0;
  [[nodiscard]] virtual Saved<EventType> create_event_type(const Json& input,
                                                           const Author& author) = 0;
  [[nodiscard]] virtual Saved<EventType> change_event_type(std::string_view code,
                                                           const Json& merge_patch,
                                                           IfVersion if_version,
                                                           const Author& author) = 0;
  [[nodiscard]] virtual Saved<void> delete_event_type(std::string_view code, IfVersion if_version,
                                                      const Author& author) = 0;

  // ---- webhooks
  [[nodiscard]] virtual std::vector<Webhook> webhooks() = 0;  // by id
  [[nodiscard]] virtual std::optional<Webhook> webhook(WebhookId id) = 0;
  [[nodiscard]] virtual Saved<WebhookView> create_webhook(const Json& input,
                                                          const Author& author) = 0;
  [[nodiscard]] virtual Saved<WebhookView> change_webhook(WebhookId id, const Json& merge_patch,
                                                          IfVersion if_version,
                                                          const Author& author) = 0;
  [[nodiscard]] virtual Saved<WebhookView> replace_webhook(WebhookId id, const Json& input,
                                                           IfVersion if_version,
                                                           const Author& author) = 0;
  [[nodiscard]] virtual Saved<void> delete_webhook(WebhookId id, IfVersion if_version,
                                                   const Author& author) = 0;
  [[nodiscard]] virtual std::vector<VersionRow> webhook_versions(WebhookId id) = 0;  // newest first

  // ---- destinations
  [[nodiscard]] virtual std::vector<Destination> destinations() = 0;  // secrets in clear
  [[nodiscard]] virtual std::optional<Destination> destination(DestinationId id) = 0;
  // Answers with the signing secret in clear: shown this once.
  [[nodiscard]] virtual Saved<Destination> create_destination(const Json& input,
                                                              const Author& author) = 0;
  [[nodiscard]] virtual Saved<Destination> change_destination(DestinationId id,
                                                              const Json& merge_patch,
                                                              IfVersion if_version,
                                                              const Author& author) = 0;
  // 409 names the webhooks that use it.
  [[nodiscard]] virtual Saved<void> delete_destination(DestinationId id, IfVersion if_version,
                                                       const Author& author) = 0;
  [[nodiscard]] virtual Saved<Destination> set_destination_state(DestinationId id,
                                                                 DestinationState state,
                                                                 std::string reason,
                                                                 const Author& author) = 0;
  // A new signing secret; the old one signs too for `overlap`. Answers with the new one in clear.
  [[nodiscard]] virtual Saved<Destination> rotate_signing_secret(DestinationId id, Duration overlap,
                                                                 const Author& author) = 0;
  [[nodiscard]] virtual std::vector<VersionRow> destination_versions(DestinationId id) = 0;

  // ---- the tokens of a destination that were kept; no version, no row of the audit log
  [[nodiscard]] virtual Result<std::optional<KeptTokens>> kept_tokens(DestinationId id) = 0;
  // Durable after ok. Those of a destination that was deleted meanwhile are not kept.
  [[nodiscard]] virtual Result<void> keep_tokens(DestinationId id, const KeptTokens& tokens) = 0;

  // ---- since when destinations fail that do; no version, no row of the audit log
  using FailingDestinations = std::vector<std::pair<DestinationId, WallTime>>;
  [[nodiscard]] virtual Result<FailingDestinations> failing_destinations() = 0;
  // Durable after ok. Nothing: it does not fail any more. One that was deleted is not noted.
  [[nodiscard]] virtual Result<void> note_failing(DestinationId id,
                                                  std::optional<WallTime> since) = 0;

  // ---- drafts, for preview and test: what would be saved, without saving. `webhook` and
  // `destination` are the API's JSON (a destination may be an id, or an object whose "id" lends its
  // kept secrets); absent ones are taken from the saved webhook `id`. So are the fields that an
  // object with the "id" of a saved one leaves out. Pointers begin with /webhook or /destination.
  struct Draft {
    std::shared_ptr<const pipeline::LiveWebhook> webhook;
    std::shared_ptr<const pipeline::LiveDestination> destination;
    std::shared_ptr<const match::CompiledConditions> conditions;
    std::vector<Problem> warnings;
  };
  // For a test the destination is reached where its platform has a place for tests.
  enum class Purpose : std::uint8_t { preview, test };
  [[nodiscard]] virtual Saved<Draft> compile_draft(const Json& webhook, const Json& destination,
                                                   Purpose purpose = Purpose::preview) = 0;

  // A version as it was, compiled: to show an old request again. Nothing if it is gone.
  [[nodiscard]] virtual std::shared_ptr<const pipeline::LiveWebhook> webhook_at(
      WebhookId id, std::uint32_t version) = 0;
  [[nodiscard]] virtual std::shared_ptr<const pipeline::LiveDestination> destination_at(
      DestinationId id, std::uint32_t version) = 0;

  // ---- API keys
  [[nodiscard]] virtual std::vector<ApiKey> api_keys() = 0;
  [[nodiscard]] virtual std::optional<ApiKey> find_api_key(std::string_view key_hash) = 0;
  [[nodiscard]] virtual Saved<NewKey> create_api_key(const Json& input, const Author& author) = 0;
  // The admin key of EILPOST_BOOTSTRAP_API_KEY: made if no key has this hash.
  [[nodiscard]] virtual Saved<void> ensure_bootstrap_key(std::string_view secret) = 0;
  [[nodiscard]] virtual Saved<void> delete_api_key(ApiKeyId id, const Author& author) = 0;

  [[nodiscard]] virtual std::vector<AuditRow> audit_log(std::uint64_t before_number,
                                                        std::size_t count) = 0;
};

// ---- the API's JSON of each; secrets are masked ({"set":true}) unless `show_secrets`.
[[nodiscard]] Json to_json(const Webhook& webhook);
[[nodiscard]] Json to_json(const Destination& destination, bool show_secrets);
[[nodiscard]] Json to_json(const Source& source);
[[nodiscard]] Json to_json(const Environment& environment);
[[nodiscard]] Json to_json(const EventType& type);
[[nodiscard]] Json to_json(const ApiKey& key);

// ---- and back. Everything that is wrong is reported, with pointers. Fields that only the server
// writes (id, version, created_at …) are ignored.
[[nodiscard]] Webhook webhook_from_json(const Json& json, Problems& problems);
// `kept` lends the secrets that `json` leaves out or shows masked.
[[nodiscard]] Destination destination_from_json(const Json& json, const Destination* kept,
                                                Problems& problems);
[[nodiscard]] EventType event_type_from_json(const Json& json, Problems& problems);

}  // namespace eilpost::settings
