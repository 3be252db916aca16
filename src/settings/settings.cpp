#include "settings/settings.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "settings/sealing.h"
#include "settings/sqlite_settings.h"
#include "settings/stored.h"

namespace eilpost::settings {

Result<std::unique_ptr<Settings>> Settings::open(env::Env& env, crypto::SecretBox& secrets,
                                                 render::TimeZones* zones) {
  EILPOST_ASSIGN_OR_RETURN(auto store, ObjectStore::open(env));
  auto settings = std::make_unique<SqliteSettings>(env, secrets, zones, std::move(store));
  EILPOST_RETURN_IF_ERROR(settings->load());
  return settings;
}

SqliteSettings::SqliteSettings(env::Env& env, crypto::SecretBox& secrets, render::TimeZones* zones,
                               std::unique_ptr<ObjectStore> store)
    : env_(env),
      secrets_(secrets),
      zones_(zones == nullptr ? utc_only_ : *zones),
      store_(std::move(store)) {}

// ---- Reading what is on disk, each after what it refers to.

Result<void> SqliteSettings::load() {
  EILPOST_RETURN_IF_ERROR(seal_again());
  EILPOST_RETURN_IF_ERROR(load_environments());
  EILPOST_RETURN_IF_ERROR(load_event_types());
  EILPOST_RETURN_IF_ERROR(load_sources());
  EILPOST_RETURN_IF_ERROR(load_destinations());
  EILPOST_RETURN_IF_ERROR(load_webhooks());
  return load_api_keys();
}

// After the key was rotated: no secret stays under an old one, in old versions neither.
Result<void> SqliteSettings::seal_again() {
  EILPOST_ASSIGN_OR_RETURN(auto versions, store_->all_versions(kinds::kDestination));
  std::vector<StoredVersion> changed;
  for (StoredVersion& version : versions) {
    EILPOST_ASSIGN_OR_RETURN(Json json, parse_json(version.json));
    if (!needs_sealing_again(json, secrets_)) continue;
    EILPOST_RETURN_IF_ERROR(open_secrets(json, version.id, secrets_));
    seal_secrets(json, version.id, secrets_, env_.entropy());
    version.json = to_text(json);
    changed.push_back(std::move(version));
  }
  if (!changed.empty()) {
    EILPOST_RETURN_IF_ERROR(store_->rewrite(kinds::kDestination, changed));
  }
  return seal_tokens_again();
}

Result<void> SqliteSettings::load_environments() {
  const std::pair<EnvironmentId, std::string_view> built_in[] = {
      {EnvironmentId::production, "production"},
      {EnvironmentId::editor, "editor"},
      {EnvironmentId::test, "test"}};
  for (const auto& [id, name] : built_in) {
    environments_[id] = {.id = id, .name = std::string(name), .is_built_in = true};
  }
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kEnvironment));
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(Environment environment, environment_of(row));
    environments_[environment.id] = std::move(environment);
  }
  return {};
}

Result<void> SqliteSettings::load_event_types() {
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kEventType));
  std::vector<EventType> types;
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(EventType type, event_type_of(row));
    types.push_back(std::move(type));
  }
  catalog_ = std::make_shared<const Catalog>(std::move(types));
  return {};
}

Result<void> SqliteSettings::load_sources() {
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kSource));
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(Source source, source_of(row));
    const Environment* environment = find_environment(source.environment_name);
    if (environment == nullptr) {
      return fail(ErrorCode::database_corrupt,
                  fmt::format("settings.db, {}: there is no environment \"{}\"", row.id,
                              source.environment_name));
    }
    source.environment = environment->id;
    sources_[source.id] = std::move(source);
  }
  publish_sources();
  return {};
}

Result<void> SqliteSettings::load_destinations() {
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kDestination));
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(const Destination destination, destination_of(row, secrets_));
    Problems problems;
    LiveDestinationPointer live =
        compile_destination(destination, render::Rules::earlier, problems);
    if (live == nullptr) {
      return fail(ErrorCode::database_corrupt,
                  fmt::format("settings.db, {}: {}", row.id, problems.errors.front().detail));
    }
    destinations_[destination.id] = std::move(live);
  }
  return {};
}

Result<void> SqliteSettings::load_webhooks() {
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kWebhook));
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(const Webhook webhook, webhook_of(row));
    Problems problems;
    std::optional<WebhookEntry> entry =
        compile_webhook(webhook, *catalog_, render::Rules::earlier, problems);
    if (!entry) {
      return fail(ErrorCode::database_corrupt,
                  fmt::format("settings.db, {}: {}", row.id, problems.errors.front().detail));
    }
    webhooks_[webhook.id] = std::move(*entry);
  }
  return {};
}

Result<void> SqliteSettings::load_api_keys() {
  EILPOST_ASSIGN_OR_RETURN(const auto rows, store_->objects(kinds::kApiKey));
  for (const StoredObject& row : rows) {
    EILPOST_ASSIGN_OR_RETURN(ApiKey key, api_key_of(row));
    api_keys_[key.id] = std::move(key);
  }
  return {};
}

// ---- What all of it is for.

bool SqliteSettings::is_new() {
  // If the disk cannot be read nothing may be made anew.
  return sources_.empty() && !store_->had_any(kinds::kSource).value_or(true);
}

std::shared_ptr<const pipeline::Snapshot> SqliteSettings::snapshot() {
  const std::uint64_t revision = store_->last_audit_number() + 1;
  if (snapshot_ != nullptr && snapshot_->revision == revision) return snapshot_;
  auto next = std::make_shared<pipeline::Snapshot>();
  next->revision = revision;
  next->catalog = catalog_;
  next->sources = live_sources_;
  std::vector<std::shared_ptr<const match::Candidate>> candidates;
  next->webhooks.reserve(webhooks_.size());
  for (const auto& [id, entry] : webhooks_) {
    next->webhooks.emplace(id, entry.live);
    if (entry.live->webhook.enabled) candidates.push_back(entry.candidate);
  }
  next->destinations.reserve(destinations_.size());
  for (const auto& [id, live] : destinations_) next->destinations.emplace(id, live);
  next->matcher =
      match::Matcher::build(candidates, snapshot_ == nullptr ? nullptr : snapshot_->matcher);
  snapshot_ = std::move(next);
  return snapshot_;
}

std::vector<AuditRow> SqliteSettings::audit_log(std::uint64_t before_number, std::size_t count) {
  std::vector<AuditRow> rows;
  auto stored = store_->audit_log(before_number, count);
  if (!stored) return rows;
  for (StoredAudit& row : *stored) {
    rows.push_back({.number = row.number,
                    .at = row.at,
                    .author = std::move(row.author),
                    .action = std::move(row.action),
                    .kind = std::move(row.kind),
                    .id = std::move(row.id),
                    .name = std::move(row.name)});
  }
  return rows;
}

Saved<void> SqliteSettings::write(const StoredChange& change) {
  const Result<void> written = store_->apply(change);
  if (!written) return refuse_failed(written.error());
  return {};
}

}  // namespace eilpost::settings
