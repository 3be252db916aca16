// Webhooks: saved, changed, deleted, and compiled.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "model/limits.h"
#include "presets/preset.h"
#include "settings/merge_patch.h"
#include "settings/object_reader.h"
#include "settings/sqlite_settings.h"
#include "settings/stored.h"

namespace eilpost::settings {

std::vector<Webhook> SqliteSettings::webhooks() {
  std::vector<Webhook> all;
  all.reserve(webhooks_.size());
  for (const auto& [id, entry] : webhooks_) all.push_back(entry.live->webhook);
  return all;
}

std::optional<Webhook> SqliteSettings::webhook(WebhookId id) {
  const auto found = webhooks_.find(id);
  if (found == webhooks_.end()) return std::nullopt;
  return found->second.live->webhook;
}

// ---- Compiling

void SqliteSettings::check_references(const Webhook& webhook, Problems& problems) const {
  if (!destinations_.contains(webhook.destination)) {
    problems.error("unknown_destination",
                   fmt::format("There is no destination {}.", to_string(webhook.destination)),
                   "/destination");
  }
  for (std::size_t i = 0; i < webhook.environments.size(); ++i) {
    if (find_environment(webhook.environments[i]) != nullptr) continue;
    std::vector<std::string_view> names;
    names.reserve(environments_.size());
    for (const auto& [id, environment] : environments_) names.push_back(environment.name);
    problems.error("unknown_environment",
                   fmt::format("There is no environment \"{}\". There are {}.",
                               webhook.environments[i], fmt::join(names, ", ")),
                   fmt::format("/environments/{}", i));
  }
}

void SqliteSettings::check_secrets(const render::CompiledWebhook& webhook,
                                   const Destination& destination, Problems& problems) {
  for (const std::string& name : render::secrets_of(webhook)) {
    if (std::ranges::find(destination.secrets, name, &Secret::name) != destination.secrets.end()) {
      continue;
    }
    problems.error("unknown_secret",
                   fmt::format("Its texts use {{{{secret.{}}}}}, but the destination \"{}\" has no "
                               "such secret.",
                               name, destination.name),
                   "/body");
  }
}

void SqliteSettings::check_platform(const Webhook& webhook, const Destination& destination,
                                    Problems& problems) {
  const presets::Preset* preset = presets::find(destination.platform);
  if (preset != nullptr) presets::check_webhook(*preset, webhook, problems);
}

match::Candidate SqliteSettings::candidate_of(const Webhook& webhook,
                                              const Catalog& catalog) const {
  match::Candidate candidate{.webhook = webhook.id,
                             .webhook_version = webhook.version,
                             .destination = webhook.destination};
  for (const std::string& name : webhook.environments) {
    const EnvironmentId id = find_environment(name)->id;
    if (std::ranges::find(candidate.environments, id) == candidate.environments.end()) {
      candidate.environments.push_back(id);
    }
  }
  for (const std::string& pattern : webhook.events) {
    for (const EventType* type : catalog.select(pattern)) {
      if (std::ranges::find(candidate.types, type->code) == candidate.types.end()) {
        candidate.types.push_back(type->code);
      }
    }
  }
  return candidate;
}

std::optional<SqliteSettings::WebhookEntry> SqliteSettings::compile_webhook(const Webhook& webhook,
                                                                            const Catalog& catalog,
                                                                            render::Rules rules,
                                                                            Problems& problems) {
  Problems found;
  check_references(webhook, found);
  Problems compiling;
  WebhookEntry entry;
  entry.conditions = match::compile(webhook, catalog, compiling);
  auto compiled = render::compile(webhook, catalog, zones_, compiling, rules);
  // Not independent of each other: an environment that is no word is not known either.
  add_independent(std::move(compiling), found);
  add_independent(std::move(found), problems);
  // What was saved works on: a secret that is missing is said when the request is made.
  const auto destination = destinations_.find(webhook.destination);
  if (compiled != nullptr && rules == render::Rules::newest && destination != destinations_.end()) {
    check_secrets(*compiled, destination->second->destination, problems);
    check_platform(webhook, destination->second->destination, problems);
  }
  if (!problems.ok() || entry.conditions == nullptr || compiled == nullptr) return std::nullopt;
  entry.live = std::make_shared<const pipeline::LiveWebhook>(
      pipeline::LiveWebhook{.webhook = webhook, .compiled = std::move(compiled)});
  match::Candidate candidate = candidate_of(webhook, catalog);
  candidate.conditions = entry.conditions;
  entry.candidate = std::make_shared<const match::Candidate>(std::move(candidate));
  return entry;
}

// ---- Saving

Saved<WebhookView> SqliteSettings::save_webhook(const Json& json, const Webhook* current,
                                                render::Rules rules, const Author& author) {
  Problems problems;
  Webhook webhook = webhook_from_json(json, problems);
  webhook.id = current == nullptr ? new_id<WebhookId>(webhooks_) : current->id;
  webhook.version = current == nullptr ? 1 : current->version + 1;
  webhook.updated_at = now();
  webhook.created_at = current == nullptr ? webhook.updated_at : current->created_at;
  std::optional<WebhookEntry> entry = compile_webhook(webhook, *catalog_, rules, problems);
  if (!entry) return refuse_invalid(std::move(problems));
  const Saved<void> written = write({.kind = kinds::kWebhook,
                                     .id = to_string(webhook.id),
                                     .name = webhook.name,
                                     .json = to_text(to_json(webhook)),
                                     .version = webhook.version,
                                     .action = current == nullptr ? "created" : "changed",
                                     .author = author.name,
                                     .at = webhook.updated_at});
  if (!written) return std::unexpected(written.error());
  webhooks_[webhook.id] = std::move(*entry);
  return WebhookView{.webhook = std::move(webhook), .warnings = std::move(problems.warnings)};
}

Saved<WebhookView> SqliteSettings::create_webhook(const Json& input, const Author& author) {
  if (webhooks_.size() >= limits::kWebhooksMax) {
    return refuse(409, "too_many",
                  fmt::format("At most {} webhooks are possible.", limits::kWebhooksMax));
  }
  return save_webhook(input, /*current=*/nullptr, render::Rules::newest, author);
}

Saved<WebhookView> SqliteSettings::change_webhook(WebhookId id, const Json& merge_patch,
                                                  IfVersion if_version, const Author& author) {
  const std::optional<Webhook> current = webhook(id);
  if (!current) return refuse_absent("webhook");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  // Who renames or disables an old one must not have to mend it first.
  const bool has_texts = merge_patch.contains("body") || merge_patch.contains("static_properties");
  return save_webhook(patched_webhook(to_json(*current), merge_patch), &*current,
                      has_texts ? render::Rules::newest : render::Rules::earlier, author);
}

Saved<WebhookView> SqliteSettings::replace_webhook(WebhookId id, const Json& input,
                                                   IfVersion if_version, const Author& author) {
  const std::optional<Webhook> current = webhook(id);
  if (!current) return refuse_absent("webhook");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  return save_webhook(input, &*current, render::Rules::newest, author);
}

Saved<void> SqliteSettings::delete_webhook(WebhookId id, IfVersion if_version,
                                           const Author& author) {
  const std::optional<Webhook> current = webhook(id);
  if (!current) return refuse_absent("webhook");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  const Saved<void> written = write({.kind = kinds::kWebhook,
                                     .id = to_string(id),
                                     .name = current->name,
                                     .action = "deleted",
                                     .author = author.name,
                                     .at = now()});
  if (written) webhooks_.erase(id);
  return written;
}

// ---- Versions

std::vector<VersionRow> SqliteSettings::webhook_versions(WebhookId id) {
  std::vector<VersionRow> rows;
  auto versions = store_->versions(kinds::kWebhook, to_string(id));
  if (!versions) return rows;
  for (StoredVersion& version : *versions) {
    rows.push_back({.version = version.version,
                    .author = std::move(version.author),
                    .at = version.at,
                    .object = parse_json(version.json, /*depth_max=*/128).value_or(Json())});
  }
  return rows;
}

std::shared_ptr<const pipeline::LiveWebhook> SqliteSettings::webhook_at(WebhookId id,
                                                                        std::uint32_t version) {
  const auto found = webhooks_.find(id);
  if (found != webhooks_.end() && found->second.live->webhook.version == version) {
    return found->second.live;
  }
  const auto stored = store_->version(kinds::kWebhook, to_string(id), version);
  if (!stored || !*stored) return nullptr;
  Result<Webhook> webhook =
      webhook_of({.id = (*stored)->id, .version = version, .json = (*stored)->json});
  if (!webhook) return nullptr;
  Problems problems;
  auto compiled = render::compile(*webhook, *catalog_, zones_, problems, render::Rules::earlier);
  if (compiled == nullptr) return nullptr;
  return std::make_shared<const pipeline::LiveWebhook>(
      pipeline::LiveWebhook{.webhook = std::move(*webhook), .compiled = std::move(compiled)});
}

}  // namespace eilpost::settings
