// Sources, the environments they belong to, and API keys.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/ascii.h"
#include "base/iso_time.h"
#include "base/utf8.h"
#include "crypto/token.h"
#include "model/limits.h"
#include "settings/merge_patch.h"
#include "settings/object_reader.h"
#include "settings/sqlite_settings.h"
#include "settings/stored.h"

namespace eilpost::settings {
namespace {

constexpr std::uint32_t kFirstEnvironmentNumber = 100;
constexpr std::size_t kHintBytes = 4;
constexpr std::size_t kOriginsMax = 100;

std::string hint_of(std::string_view secret) {
  return std::string(secret.substr(secret.size() - std::min(secret.size(), kHintBytes)));
}

bool is_word(std::string_view name) {
  return !name.empty() && is_valid_utf8(name) &&
         count_code_points(name) <= limits::kEnvironmentNameMax &&
         name.size() <= limits::kEnvironmentNameMax && std::ranges::none_of(name, [](char c) {
           return is_ascii_space(c) || static_cast<unsigned char>(c) < ' ' || c == '\x7f';
         });
}

bool is_origin(std::string_view text) {
  if (text == "*" || text == "null") return true;
  const std::size_t scheme = text.find("://");
  if (scheme == std::string_view::npos || scheme == 0) return false;
  const std::string_view host = text.substr(scheme + 3);
  return !host.empty() && std::ranges::none_of(host, [](char c) {
    return is_ascii_space(c) || c == '/' || c == '?' || c == '#' || c == '@';
  });
}

void read_origins(ObjectReader& reader, Source& source, Problems& problems) {
  source.allowed_origins.reset();
  const Json* list = reader.array("allowed_origins");
  if (list == nullptr) return;
  source.allowed_origins.emplace();
  if (list->size() > kOriginsMax) {
    reader.error("too_many", fmt::format("At most {} origins are possible.", kOriginsMax),
                 "allowed_origins");
    return;
  }
  source.allowed_origins->reserve(list->size());
  for (std::size_t i = 0; i < list->size(); ++i) {
    const Json& origin = (*list)[i];
    if (origin.is_string() && is_origin(origin.get<std::string>())) {
      source.allowed_origins->push_back(origin.get<std::string>());
    } else {
      problems.error("bad_origin",
                     "An origin is a scheme and a host, such as https://app.example.com or "
                     "https://*.example.com: without a path.",
                     fmt::format("{}/{}", reader.pointer("allowed_origins"), i));
    }
  }
}

}  // namespace

// ---- Environments

const Environment* SqliteSettings::find_environment(std::string_view name) const {
  for (const auto& [id, environment] : environments_) {
    if (environment.name == name) return &environment;
  }
  return nullptr;
}

std::vector<Environment> SqliteSettings::environments() {
  std::vector<Environment> all;
  all.reserve(environments_.size());
  for (const auto& [id, environment] : environments_) all.push_back(environment);
  return all;
}

Saved<Environment> SqliteSettings::create_environment(std::string name, const Author& author) {
  if (!is_word(name)) {
    Problems problems;
    problems.error("invalid_environment",
                   fmt::format("An environment's name is one word of at most {} characters.",
                               limits::kEnvironmentNameMax),
                   "/name");
    return refuse_invalid(std::move(problems));
  }
  for (const auto& [id, environment] : environments_) {
    if (iequals(environment.name, name)) {
      return refuse(409, "exists",
                    fmt::format("There is an environment \"{}\" already.", environment.name));
    }
  }
  // Numbers are never used again: events of a deleted environment keep theirs.
  const auto highest = store_->highest_number(kinds::kEnvironment);
  if (!highest) return refuse_failed(highest.error());
  const auto number =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(kFirstEnvironmentNumber, *highest + 1));
  Environment environment{
      .id = EnvironmentId{number}, .name = std::move(name), .created_at = now()};
  const Saved<void> written = write({.kind = kinds::kEnvironment,
                                     .id = std::to_string(number),
                                     .name = environment.name,
                                     .json = to_text(to_json(environment)),
                                     .action = "created",
                                     .author = author.name,
                                     .at = environment.created_at});
  if (!written) return std::unexpected(written.error());
  environments_[environment.id] = environment;
  return environment;
}

Saved<void> SqliteSettings::delete_environment(std::string_view name, IfVersion if_version,
                                               const Author& author) {
  const Environment* found = find_environment(name);
  if (found == nullptr) return refuse_absent("environment");
  const Environment environment = *found;
  if (auto stale = check_version(if_version, static_cast<std::uint32_t>(environment.id))) {
    return std::unexpected(std::move(*stale));
  }
  if (environment.is_built_in) {
    return refuse(409, "built_in",
                  fmt::format("The environment \"{}\" is built in.", environment.name));
  }
  for (const auto& [id, source] : sources_) {
    if (source.environment != environment.id) continue;
    return refuse(409, "in_use",
                  fmt::format("The environment \"{}\" is used by the source \"{}\" ({}).",
                              environment.name, source.name, to_string(id)));
  }
  Users users;
  for (const auto& [id, entry] : webhooks_) {
    const std::vector<std::string>& names = entry.live->webhook.environments;
    if (std::ranges::find(names, environment.name) != names.end()) {
      users.push_back(&entry.live->webhook);
    }
  }
  if (!users.empty()) {
    return refuse_in_use(fmt::format("The environment \"{}\"", environment.name), users);
  }
  const Saved<void> written =
      write({.kind = kinds::kEnvironment,
             .id = std::to_string(static_cast<std::uint32_t>(environment.id)),
             .name = environment.name,
             .action = "deleted",
             .author = author.name,
             .at = now()});
  if (written) environments_.erase(environment.id);
  return written;
}

// ---- Sources

std::vector<Source> SqliteSettings::sources() {
  std::vector<Source> all;
  all.reserve(sources_.size());
  for (const auto& [id, source] : sources_) all.push_back(source);
  return all;
}

void SqliteSettings::read_source(const Json& input, Source& source, Problems& problems) const {
  ObjectReader reader(input, "", problems);
  source.name = reader.name("name");
  source.environment_name = reader.text("environment").value_or("production");
  const Environment* environment = find_environment(source.environment_name);
  if (environment == nullptr) {
    reader.error("unknown_environment",
                 fmt::format("There is no environment \"{}\".", source.environment_name),
                 "environment");
  } else {
    source.environment = environment->id;
  }
  read_origins(reader, source, problems);
  source.enabled = reader.boolean("enabled").value_or(true);
  reader.ignore({"id", "key_hint", "version", "created_at", "updated_at"});
  reader.finish();
}

void SqliteSettings::publish_sources() {
  live_sources_ = std::make_shared<const ingest::Sources>(sources());
}

Saved<void> SqliteSettings::save_source(const Source& source, std::string_view action,
                                        const Author& author) {
  const Saved<void> written = write({.kind = kinds::kSource,
                                     .id = to_string(source.id),
                                     .name = source.name,
                                     .json = settings::stored_json(source),
                                     .version = source.version,
                                     .action = action,
                                     .author = author.name,
                                     .at = source.updated_at});
  if (!written) return written;
  sources_[source.id] = source;
  publish_sources();
  return {};
}

Saved<NewSource> SqliteSettings::create_source(const Json& input, const Author& author) {
  NewSource made;
  Problems problems;
  read_source(input, made.source, problems);
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  made.key = crypto::make_token("src_", env_.entropy());
  made.source.id = new_id<SourceId>(sources_);
  made.source.key_hash = crypto::hash_token(made.key);
  made.source.key_hint = hint_of(made.key);
  made.source.created_at = now();
  made.source.updated_at = made.source.created_at;
  const Saved<void> saved = save_source(made.source, "created", author);
  if (!saved) return std::unexpected(saved.error());
  return made;
}

Saved<Source> SqliteSettings::change_source(SourceId id, const Json& merge_patch,
                                            IfVersion if_version, const Author& author) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return refuse_absent("source");
  Source source = found->second;
  if (auto stale = check_version(if_version, source.version)) {
    return std::unexpected(std::move(*stale));
  }
  Json json = to_json(source);
  settings::merge_patch(json, merge_patch);
  Problems problems;
  read_source(json, source, problems);
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  ++source.version;
  source.updated_at = now();
  const Saved<void> saved = save_source(source, "changed", author);
  if (!saved) return std::unexpected(saved.error());
  return source;
}

Saved<NewSource> SqliteSettings::rotate_source_key(SourceId id, IfVersion if_version,
                                                   const Author& author) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return refuse_absent("source");
  if (auto stale = check_version(if_version, found->second.version)) {
    return std::unexpected(std::move(*stale));
  }
  NewSource made{.source = found->second, .key = crypto::make_token("src_", env_.entropy())};
  made.source.key_hash = crypto::hash_token(made.key);
  made.source.key_hint = hint_of(made.key);
  ++made.source.version;
  made.source.updated_at = now();
  const Saved<void> saved = save_source(made.source, "rotated", author);
  if (!saved) return std::unexpected(saved.error());
  return made;
}

Saved<void> SqliteSettings::delete_source(SourceId id, IfVersion if_version, const Author& author) {
  const auto found = sources_.find(id);
  if (found == sources_.end()) return refuse_absent("source");
  if (auto stale = check_version(if_version, found->second.version)) {
    return std::unexpected(std::move(*stale));
  }
  Saved<void> written = write({.kind = kinds::kSource,
                               .id = to_string(id),
                               .name = found->second.name,
                               .action = "deleted",
                               .author = author.name,
                               .at = now()});
  if (!written) return written;
  sources_.erase(found);
  publish_sources();
  return {};
}

// ---- API keys

std::vector<ApiKey> SqliteSettings::api_keys() {
  std::vector<ApiKey> all;
  all.reserve(api_keys_.size());
  for (const auto& [id, key] : api_keys_) all.push_back(key);
  return all;
}

std::optional<ApiKey> SqliteSettings::find_api_key(std::string_view key_hash) {
  for (const auto& [id, key] : api_keys_) {
    if (key.key_hash != key_hash) continue;
    if (key.expires_at && *key.expires_at <= now()) return std::nullopt;
    return key;
  }
  return std::nullopt;
}

Saved<void> SqliteSettings::save_api_key(const ApiKey& key, const Author& author) {
  const Saved<void> written = write({.kind = kinds::kApiKey,
                                     .id = to_string(key.id),
                                     .name = key.name,
                                     .json = settings::stored_json(key),
                                     .action = "created",
                                     .author = author.name,
                                     .at = key.created_at});
  if (written) api_keys_[key.id] = key;
  return written;
}

Saved<NewKey> SqliteSettings::create_api_key(const Json& input, const Author& author) {
  NewKey made;
  Problems problems;
  ObjectReader reader(input, "", problems);
  made.key.name = reader.name("name");
  made.key.role = reader.text("role").value_or("");
  if (made.key.role != "admin" && made.key.role != "editor" && made.key.role != "viewer") {
    reader.error("unknown_value", "The role is admin, editor or viewer.", "role");
  }
  if (const auto text = reader.text("expires_at")) {
    made.key.expires_at = parse_iso_time(*text);
    if (!made.key.expires_at || *made.key.expires_at <= now()) {
      reader.error("bad_time", "\"expires_at\" is a time to come, such as 2030-01-01T00:00:00Z.",
                   "expires_at");
    }
  }
  reader.ignore({"id", "key_hint", "created_at"});
  reader.finish();
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  made.secret = crypto::make_token("eil_", env_.entropy());
  made.key.id = new_id<ApiKeyId>(api_keys_);
  made.key.key_hash = crypto::hash_token(made.secret);
  made.key.key_hint = hint_of(made.secret);
  made.key.created_at = now();
  const Saved<void> saved = save_api_key(made.key, author);
  if (!saved) return std::unexpected(saved.error());
  return made;
}

Saved<void> SqliteSettings::ensure_bootstrap_key(std::string_view secret) {
  if (secret.empty()) return refuse(422, "bad_key", "The bootstrap API key is empty.");
  const std::string hash = crypto::hash_token(secret);
  for (const auto& [id, key] : api_keys_) {
    if (key.key_hash == hash) return {};
  }
  return save_api_key({.id = new_id<ApiKeyId>(api_keys_),
                       .name = "Bootstrap",
                       .key_hash = hash,
                       .key_hint = hint_of(secret),
                       .role = "admin",
                       .created_at = now()},
                      {.name = "EILPOST_BOOTSTRAP_API_KEY"});
}

Saved<void> SqliteSettings::delete_api_key(ApiKeyId id, const Author& author) {
  const auto found = api_keys_.find(id);
  if (found == api_keys_.end()) return refuse_absent("API key");
  Saved<void> written = write({.kind = kinds::kApiKey,
                               .id = to_string(id),
                               .name = found->second.name,
                               .action = "deleted",
                               .author = author.name,
                               .at = now()});
  if (written) api_keys_.erase(found);
  return written;
}

}  // namespace eilpost::settings
