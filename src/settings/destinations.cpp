// Destinations: saved, changed, deleted, and compiled.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "crypto/token.h"
#include "model/limits.h"
#include "presets/preset.h"
#include "settings/certificates.h"
#include "settings/merge_patch.h"
#include "settings/oauth_json.h"
#include "settings/object_reader.h"
#include "settings/prescription_json.h"
#include "settings/sealing.h"
#include "settings/signing_json.h"
#include "settings/sqlite_settings.h"
#include "settings/stored.h"

namespace eilpost::settings {
namespace {

// What says whether, and how, events are put together.
constexpr std::array kOfBatches = {"body", "delivery", "fields", "secrets"};

std::string_view action_of(DestinationState state) {
  switch (state) {
    case DestinationState::active:
      return "resumed";
    case DestinationState::paused:
      return "paused";
    case DestinationState::disabled:
      return "disabled";
  }
  assert_failed("DestinationState");
}

}  // namespace

std::vector<Destination> SqliteSettings::destinations() {
  std::vector<Destination> all;
  all.reserve(destinations_.size());
  for (const auto& [id, live] : destinations_) all.push_back(live->destination);
  return all;
}

std::optional<Destination> SqliteSettings::destination(DestinationId id) {
  const auto found = destinations_.find(id);
  if (found == destinations_.end()) return std::nullopt;
  return found->second->destination;
}

SqliteSettings::LiveDestinationPointer SqliteSettings::compile_destination(
    const Destination& destination, render::Rules rules, Problems& problems) {
  Problems found;
  auto compiled = render::compile(destination, zones_, found, rules);
  add_independent(std::move(found), problems);
  if (!problems.ok() || compiled == nullptr) return nullptr;
  pipeline::LiveDestination live{.destination = destination, .compiled = std::move(compiled)};
  give_tls_context(live);
  give_token_tls_context(live);
  return std::make_shared<const pipeline::LiveDestination>(std::move(live));
}

// Unchanged certificates keep their context, and so their connections and TLS sessions.
void SqliteSettings::give_tls_context(pipeline::LiveDestination& live) {
  const TlsSettings& tls = live.destination.tls;
  if (tls.is_plain()) return;
  const auto current = destinations_.find(live.destination.id);
  if (current != destinations_.end() && current->second->destination.tls == tls) {
    live.tls_context = current->second->tls_context;
    live.tls_problem = current->second->tls_problem;
    return;
  }
  auto made = env_.lane(0).network().make_tls_context(pipeline::tls_options_of(tls));
  if (made) {
    live.tls_context = std::move(*made);
  } else {
    live.tls_problem =
        fmt::format("The destination's certificates cannot be used: {}.", made.error().detail);
  }
}

void SqliteSettings::check_certificates(TlsSettings& tls, const TlsSettings* current,
                                        Problems& problems) {
  // What was saved once may expire, and is no reason to refuse another change.
  if (current != nullptr && tls == *current) return;
  check_tls(
      tls, [this](ByteView subject) { return env_.trusted_certificates(subject); }, now(),
      problems);
}

void SqliteSettings::give_token_tls_context(pipeline::LiveDestination& live) {
  const std::shared_ptr<const OAuth> oauth = live.destination.authentication.oauth;
  if (oauth == nullptr || oauth->tls.is_plain()) return;
  const auto current = destinations_.find(live.destination.id);
  if (current != destinations_.end()) {
    const std::shared_ptr<const OAuth> before = current->second->destination.authentication.oauth;
    if (before != nullptr && before->tls == oauth->tls) {
      live.token_tls = current->second->token_tls;
      return;
    }
  }
  auto made = env_.lane(0).network().make_tls_context(pipeline::tls_options_of(oauth->tls));
  if (made) {
    live.token_tls.context = std::move(*made);
  } else {
    live.token_tls.problem = fmt::format(
        "The certificates for the token end point cannot be used: {}.", made.error().detail);
  }
}

void SqliteSettings::check_token_certificates(Authentication& authentication,
                                              const Destination* current, Problems& problems) {
  if (authentication.oauth == nullptr) return;
  const OAuth* before = current == nullptr ? nullptr : current->authentication.oauth.get();
  OAuth checked = *authentication.oauth;
  Problems found;
  check_certificates(checked.tls, before == nullptr ? nullptr : &before->tls, found);
  add_below_authentication(std::move(found), problems);
  authentication.oauth = std::make_shared<const OAuth>(std::move(checked));
}

Destination SqliteSettings::read_destination(Json input, const Destination* kept,
                                             Problems& problems) {
  const Json platform = input.is_object() ? input.value("platform", Json()) : Json();
  const presets::Preset* preset =
      platform.is_string() ? presets::find(platform.get<std::string>()) : nullptr;
  if (preset != nullptr) presets::fill(*preset, input);
  Destination destination = destination_from_json(input, kept, problems);
  check_certificates(destination.tls, kept == nullptr ? nullptr : &kept->tls, problems);
  check_token_certificates(destination.authentication, kept, problems);
  if (preset == nullptr) return destination;
  Problems found;
  presets::check_form(*preset, destination, found);
  add_independent(std::move(found), problems);
  return destination;
}

void SqliteSettings::complete(Destination& destination) {
  Signing& signing = destination.signing;
  if (signing.secret.empty()) {
    signing.secret = make_signing_secret(signing.scheme, env_.entropy());
  }
  if (destination.platform != "inbox") {
    destination.inbox_token.clear();
  } else if (destination.inbox_token.empty()) {
    destination.inbox_token = crypto::make_token("", env_.entropy());
  }
}

std::string SqliteSettings::stored_json(const Destination& destination) {
  Json json = to_json(destination, /*show_secrets=*/true);
  if (!destination.signing.previous_secret.empty()) {
    json["signing"]["previous_secret"] = destination.signing.previous_secret;
  }
  seal_secrets(json, to_string(destination.id), secrets_, env_.entropy());
  return to_text(json);
}

Saved<Destination> SqliteSettings::save_destination(Destination destination, render::Rules rules,
                                                    Problems problems, std::string_view action,
                                                    const Author& author) {
  // What a preset writes refers to what is missing: to say so twice helps nobody.
  if (!problems.ok() && presets::find(destination.platform) != nullptr) {
    return refuse_invalid(std::move(problems));
  }
  complete(destination);
  LiveDestinationPointer live = compile_destination(destination, rules, problems);
  if (live == nullptr) return refuse_invalid(std::move(problems));
  const Saved<void> written = write({.kind = kinds::kDestination,
                                     .id = to_string(destination.id),
                                     .name = destination.name,
                                     .json = stored_json(destination),
                                     .version = destination.version,
                                     .action = action,
                                     .author = author.name,
                                     .at = destination.updated_at});
  if (!written) return std::unexpected(written.error());
  destinations_[destination.id] = std::move(live);
  return destination;
}

Saved<Destination> SqliteSettings::create_destination(const Json& input, const Author& author) {
  if (destinations_.size() >= limits::kDestinationsMax) {
    return refuse(409, "too_many",
                  fmt::format("At most {} destinations are possible.", limits::kDestinationsMax));
  }
  Problems problems;
  Destination destination = read_destination(input, /*kept=*/nullptr, problems);
  destination.id = new_id<DestinationId>(destinations_);
  destination.created_at = now();
  destination.updated_at = destination.created_at;
  destination.state_since = destination.created_at;
  return save_destination(std::move(destination), render::Rules::newest, std::move(problems),
                          "created", author);
}

Saved<Destination> SqliteSettings::change_destination(DestinationId id, const Json& merge_patch,
                                                      IfVersion if_version, const Author& author) {
  const std::optional<Destination> current = destination(id);
  if (!current) return refuse_absent("destination");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  Problems problems;
  Destination changed =
      read_destination(patched_destination(to_json(*current, /*show_secrets=*/false), merge_patch),
                       &*current, problems);
  changed.id = id;
  changed.version = current->version + 1;
  changed.inbox_token = current->inbox_token;
  changed.state = current->state;
  changed.state_reason = current->state_reason;
  changed.state_since = current->state_since;
  changed.created_at = current->created_at;
  changed.updated_at = now();
  const auto rules =
      merge_patch.contains("request") ? render::Rules::newest : render::Rules::earlier;
  const bool concerns_batches = std::ranges::any_of(
      kOfBatches, [&](const char* member) { return merge_patch.contains(member); });
  if (rules == render::Rules::earlier && concerns_batches) render::check_batch(changed, problems);
  return save_destination(std::move(changed), rules, std::move(problems), "changed", author);
}

Saved<void> SqliteSettings::delete_destination(DestinationId id, IfVersion if_version,
                                               const Author& author) {
  const std::optional<Destination> current = destination(id);
  if (!current) return refuse_absent("destination");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  Users users;
  for (const auto& [webhook_id, entry] : webhooks_) {
    if (entry.live->webhook.destination == id) users.push_back(&entry.live->webhook);
  }
  if (!users.empty()) {
    return refuse_in_use(fmt::format("The destination \"{}\"", current->name), users);
  }
  const Saved<void> written = write({.kind = kinds::kDestination,
                                     .id = to_string(id),
                                     .name = current->name,
                                     .action = "deleted",
                                     .author = author.name,
                                     .at = now()});
  if (!written) return written;
  destinations_.erase(id);
  // What is left is sealed, or a time; both of no destination.
  (void)store_->remove_tokens(to_string(id));
  (void)store_->remove_failing(to_string(id));
  return written;
}

Saved<Destination> SqliteSettings::set_destination_state(DestinationId id, DestinationState state,
                                                         std::string reason, const Author& author) {
  std::optional<Destination> changed = destination(id);
  if (!changed) return refuse_absent("destination");
  if (changed->state == state) return *changed;
  changed->state = state;
  changed->state_reason = state == DestinationState::active ? std::string() : std::move(reason);
  changed->updated_at = now();
  changed->state_since = changed->updated_at;
  ++changed->version;
  return save_destination(std::move(*changed), render::Rules::earlier, {}, action_of(state),
                          author);
}

Saved<Destination> SqliteSettings::rotate_signing_secret(DestinationId id, Duration overlap,
                                                         const Author& author) {
  std::optional<Destination> changed = destination(id);
  if (!changed) return refuse_absent("destination");
  Signing& signing = changed->signing;
  if (signing.scheme == Signing::Scheme::none) {
    return refuse(409, "not_signed", "This destination's requests are not signed.");
  }
  changed->updated_at = now();
  signing.previous_secret.clear();
  if (overlap > Duration::zero()) {
    signing.previous_secret = std::exchange(signing.secret, {});
    signing.previous_until =
        changed->updated_at + std::chrono::duration_cast<std::chrono::milliseconds>(overlap);
  }
  signing.secret = make_signing_secret(signing.scheme, env_.entropy());
  ++changed->version;
  return save_destination(std::move(*changed), render::Rules::earlier, {}, "rotated", author);
}

std::vector<VersionRow> SqliteSettings::destination_versions(DestinationId id) {
  std::vector<VersionRow> rows;
  auto versions = store_->versions(kinds::kDestination, to_string(id));
  if (!versions) return rows;
  for (StoredVersion& version : *versions) {
    Json json = parse_json(version.json).value_or(Json());
    mask_sealed(json);
    rows.push_back({.version = version.version,
                    .author = std::move(version.author),
                    .at = version.at,
                    .object = std::move(json)});
  }
  return rows;
}

std::shared_ptr<const pipeline::LiveDestination> SqliteSettings::destination_at(
    DestinationId id, std::uint32_t version) {
  const auto found = destinations_.find(id);
  if (found != destinations_.end() && found->second->destination.version == version) {
    return found->second;
  }
  const auto stored = store_->version(kinds::kDestination, to_string(id), version);
  if (!stored || !*stored) return nullptr;
  const Result<Destination> destination =
      destination_of({.id = (*stored)->id, .version = version, .json = (*stored)->json}, secrets_);
  if (!destination) return nullptr;
  Problems problems;
  return compile_destination(*destination, render::Rules::earlier, problems);
}

}  // namespace eilpost::settings
