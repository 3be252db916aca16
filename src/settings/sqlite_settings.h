#pragma once
// Settings in SQLite, with everything compiled in memory.
//
// Threads:    one thread at a time.
// Invariants: what is in memory is what is on disk: a change goes to disk first, and to memory only
//             if that went well.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/object_store.h"
#include "settings/refusals.h"
#include "settings/settings.h"

namespace eilpost::settings {

class SqliteSettings final : public Settings {
 public:
  SqliteSettings(env::Env& env, crypto::SecretBox& secrets, render::TimeZones* zones,
                 std::unique_ptr<ObjectStore> store);
  [[nodiscard]] Result<void> load();

  [[nodiscard]] bool is_new() override;
  [[nodiscard]] std::shared_ptr<const pipeline::Snapshot> snapshot() override;

  [[nodiscard]] std::vector<Environment> environments() override;
  [[nodiscard]] Saved<Environment> create_environment(std::string name,
                                                      const Author& author) override;
  [[nodiscard]] Saved<void> delete_environment(std::string_view name, IfVersion if_version,
                                               const Author& author) override;

  [[nodiscard]] std::vector<Source> sources() override;
  [[nodiscard]] Saved<NewSource> create_source(const Json& input, const Author& author) override;
  [[nodiscard]] Saved<Source> change_source(SourceId id, const Json& merge_patch,
                                            IfVersion if_version, const Author& author) override;
  [[nodiscard]] Saved<NewSource> rotate_source_key(SourceId id, IfVersion if_version,
                                                   const Author& author) override;
  [[nodiscard]] Saved<void> delete_source(SourceId id, IfVersion if_version,
                                          const Author& author) override;

  [[nodiscard]] std::shared_ptr<const Catalog> catalog() override { return catalog_; }
  [[nodiscard]] Saved<EventType> create_event_type(const Json& input,
                                                   const Author& author) override;
  [[nodiscard]] Saved<EventType> change_event_type(std::string_view code, const Json& merge_patch,
                                                   IfVersion if_version,
                                                   const Author& author) override;
  [[nodiscard]] Saved<void> delete_event_type(std::string_view code, IfVersion if_version,
                                              const Author& author) override;

  [[nodiscard]] std::vector<Webhook> webhooks() override;
  [[nodiscard]] std::optional<Webhook> webhook(WebhookId id) override;
  [[nodiscard]] Saved<WebhookView> create_webhook(const Json& input, const Author& author) override;
  [[nodiscard]] Saved<WebhookView> change_webhook(WebhookId id, const Json& merge_patch,
                                                  IfVersion if_version,
                                                  const Author& author) override;
  [[nodiscard]] Saved<WebhookView> replace_webhook(WebhookId id, const Json& input,
                                                   IfVersion if_version,
                                                   const Author& author) override;
  [[nodiscard]] Saved<void> delete_webhook(WebhookId id, IfVersion if_version,
                                           const Author& author) override;
  [[nodiscard]] std::vector<VersionRow> webhook_versions(WebhookId id) override;

  [[nodiscard]] std::vector<Destination> destinations() override;
  [[nodiscard]] std::optional<Destination> destination(DestinationId id) override;
  [[nodiscard]] Saved<Destination> create_destination(const Json& input,
                                                      const Author& author) override;
  [[nodiscard]] Saved<Destination> change_destination(DestinationId id, const Json& merge_patch,
                                                      IfVersion if_version,
                                                      const Author& author) override;
  [[nodiscard]] Saved<void> delete_destination(DestinationId id, IfVersion if_version,
                                               const Author& author) override;
  [[nodiscard]] Saved<Destination> set_destination_state(DestinationId id, DestinationState state,
                                                         std::string reason,
                                                         const Author& author) override;
  [[nodiscard]] Saved<Destination> rotate_signing_secret(DestinationId id, Duration overlap,
                                                         const Author& author) override;
  [[nodiscard]] std::vector<VersionRow> destination_versions(DestinationId id) override;

  [[nodiscard]] Result<std::optional<KeptTokens>> kept_tokens(DestinationId id) override;
  [[nodiscard]] Result<void> keep_tokens(DestinationId id, const KeptTokens& tokens) override;
  [[nodiscard]] Result<FailingDestinations> failing_destinations() override;
  [[nodiscard]] Result<void> note_failing(DestinationId id, std::optional<WallTime> since) override;

  [[nodiscard]] Saved<Draft> compile_draft(const Json& webhook, const Json& destination,
                                           Purpose purpose) override;
  [[nodiscard]] std::shared_ptr<const pipeline::LiveWebhook> webhook_at(
      WebhookId id, std::uint32_t version) override;
  [[nodiscard]] std::shared_ptr<const pipeline::LiveDestination> destination_at(
      DestinationId id, std::uint32_t version) override;

  [[nodiscard]] std::vector<ApiKey> api_keys() override;
  [[nodiscard]] std::optional<ApiKey> find_api_key(std::string_view key_hash) override;
  [[nodiscard]] Saved<NewKey> create_api_key(const Json& input, const Author& author) override;
  [[nodiscard]] Saved<void> ensure_bootstrap_key(std::string_view secret) override;
  [[nodiscard]] Saved<void> delete_api_key(ApiKeyId id, const Author& author) override;

  [[nodiscard]] std::vector<AuditRow> audit_log(std::uint64_t before_number,
                                                std::size_t count) override;

 private:
  struct WebhookEntry {
    std::shared_ptr<const pipeline::LiveWebhook> live;
    std::shared_ptr<const match::CompiledConditions> conditions;
    std::shared_ptr<const match::Candidate> candidate;
  };
  using LiveDestinationPointer = std::shared_ptr<const pipeline::LiveDestination>;
  using Users = std::vector<const Webhook*>;

  // ---- reading what is on disk (load.cpp)
  [[nodiscard]] Result<void> seal_again();
  [[nodiscard]] Result<void> seal_tokens_again();
  [[nodiscard]] Result<void> load_environments();
  [[nodiscard]] Result<void> load_event_types();
  [[nodiscard]] Result<void> load_sources();
  [[nodiscard]] Result<void> load_destinations();
  [[nodiscard]] Result<void> load_webhooks();
  [[nodiscard]] Result<void> load_api_keys();

  // ---- writing
  [[nodiscard]] WallTime now() const { return env_.clock().wall_now(); }
  [[nodiscard]] Saved<void> write(const StoredChange& change);
  template <class Id, class Map>
  [[nodiscard]] Id new_id(const Map& taken);

  // ---- webhooks
  // Checks everything, compiles; nothing if there was an error.
  [[nodiscard]] std::optional<WebhookEntry> compile_webhook(const Webhook& webhook,
                                                            const Catalog& catalog,
                                                            render::Rules rules,
                                                            Problems& problems);
  void check_references(const Webhook& webhook, Problems& problems) const;
  // Reports secrets that a webhook's texts use and its destination lacks.
  static void check_secrets(const render::CompiledWebhook& webhook, const Destination& destination,
                            Problems& problems);
  // Reports what the destination's platform would refuse of a webhook.
  static void check_platform(const Webhook& webhook, const Destination& destination,
                             Problems& problems);
  [[nodiscard]] match::Candidate candidate_of(const Webhook& webhook, const Catalog& catalog) const;
  [[nodiscard]] Saved<WebhookView> save_webhook(const Json& json, const Webhook* current,
                                                render::Rules rules, const Author& author);

  // ---- destinations
  [[nodiscard]] LiveDestinationPointer compile_destination(const Destination& destination,
                                                           render::Rules rules, Problems& problems);
  void give_tls_context(pipeline::LiveDestination& live);
  void give_token_tls_context(pipeline::LiveDestination& live);
  // `current`, which may be null: what was saved before.
  void check_certificates(TlsSettings& tls, const TlsSettings* current, Problems& problems);
  // The same of connections to the token end point.
  void check_token_certificates(Authentication& authentication, const Destination* current,
                                Problems& problems);
  // A destination from the API's JSON, with what its platform's preset prescribes where that says
  // nothing. `kept` lends its secrets.
  [[nodiscard]] Destination read_destination(Json input, const Destination* kept,
                                             Problems& problems);
  // What the server gives a destination: a signing secret, the token of an inbox.
  void complete(Destination& destination);
  [[nodiscard]] Saved<Destination> save_destination(Destination destination, render::Rules rules,
                                                    Problems problems, std::string_view action,
                                                    const Author& author);
  [[nodiscard]] std::string stored_json(const Destination& destination);

  // ---- drafts
  [[nodiscard]] LiveDestinationPointer draft_destination(const Json& input, Problems& problems);
  // The destination as a test reaches it, where the platform has a place for tests.
  [[nodiscard]] LiveDestinationPointer for_test(const LiveDestinationPointer& live);
  [[nodiscard]] const Webhook* saved_webhook(const Json& id) const;
  [[nodiscard]] const Destination* saved_destination(const Json& id) const;

  // ---- sources, environments, event types, keys
  void read_source(const Json& input, Source& source, Problems& problems) const;
  [[nodiscard]] Saved<void> save_source(const Source& source, std::string_view action,
                                        const Author& author);
  void publish_sources();
  [[nodiscard]] const Environment* find_environment(std::string_view name) const;
  [[nodiscard]] Users users_of_type(std::string_view code, bool also_by_group) const;
  [[nodiscard]] std::vector<EventType> custom_types_without(std::string_view code) const;
  // Makes `types` the custom ones, if every webhook can live with them.
  [[nodiscard]] Saved<void> replace_custom_types(std::vector<EventType> types,
                                                 const StoredChange& change);
  [[nodiscard]] Saved<void> save_api_key(const ApiKey& key, const Author& author);

  env::Env& env_;
  crypto::SecretBox& secrets_;
  render::TimeZones utc_only_;
  render::TimeZones& zones_;
  std::unique_ptr<ObjectStore> store_;

  std::map<EnvironmentId, Environment> environments_;
  std::map<SourceId, Source> sources_;
  std::shared_ptr<const ingest::Sources> live_sources_;
  std::shared_ptr<const Catalog> catalog_;
  std::map<DestinationId, LiveDestinationPointer> destinations_;
  std::map<WebhookId, WebhookEntry> webhooks_;
  std::map<ApiKeyId, ApiKey> api_keys_;
  std::shared_ptr<const pipeline::Snapshot> snapshot_;  // the newest, or null
};

// Draws until one is free.
template <class Id, class Map>
Id SqliteSettings::new_id(const Map& taken) {
  constexpr std::uint64_t kIdMask = (1ULL << 63U) - 1;
  while (true) {
    const Id id{env::random_u64(env_.entropy()) & kIdMask};
    if (id != Id{} && !taken.contains(id)) return id;
  }
}

}  // namespace eilpost::settings
