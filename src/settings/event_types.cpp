// Custom event types: a change of one is a change of the catalog that webhooks stand on.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "settings/merge_patch.h"
#include "settings/sqlite_settings.h"
#include "settings/stored.h"

namespace eilpost::settings {
namespace {

constexpr std::string_view kCustomGroup = "custom.";

Json sample_value(PropertyType type) {
  switch (type) {
    case PropertyType::string:
    case PropertyType::scalar:
    case PropertyType::any:
      return "example";
    case PropertyType::integer:
    case PropertyType::id:
      return 7;
    case PropertyType::number:
      return 0.5;
    case PropertyType::boolean:
      return true;
    case PropertyType::array:
      return Json::array({"example"});
    case PropertyType::object:
      return Json::object();
  }
  assert_failed("PropertyType");
}

// For a type whose author gave none: every property that it declares, with a value of its type.
std::string sample_of(const EventType& type) {
  Json data = Json::object();
  for (const PropertyDeclaration& property : type.properties) {
    std::string path = property.path;
    if (path.ends_with(".*")) path.replace(path.size() - 1, 1, "example");
    data[path] = sample_value(property.type);
  }
  if (!data.contains("wm.euId")) data["wm.euId"] = "jane";
  Json sample = {{"specversion", "1.0"}, {"type", type.code}};
  sample["data"] = std::move(data);
  return to_text(sample);
}

bool is_custom(const Webhook& webhook) {
  return std::ranges::any_of(
      webhook.events, [](const std::string& event) { return event.starts_with(kCustomGroup); });
}

// The first property whose declaration is gone or names another type; empty if there is none.
std::string_view redeclared(const EventType& before, const EventType& after) {
  for (const PropertyDeclaration& old : before.properties) {
    const auto found = std::ranges::find(after.properties, old.path, &PropertyDeclaration::path);
    if (found == after.properties.end() || found->type != old.type) return old.path;
  }
  return {};
}

}  // namespace

SqliteSettings::Users SqliteSettings::users_of_type(std::string_view code,
                                                    bool also_by_group) const {
  Users users;
  for (const auto& [id, entry] : webhooks_) {
    const std::vector<std::string>& events = entry.live->webhook.events;
    if (std::ranges::find(events, code) != events.end() ||
        (also_by_group && std::ranges::find(events, "custom.*") != events.end())) {
      users.push_back(&entry.live->webhook);
    }
  }
  return users;
}

std::vector<EventType> SqliteSettings::custom_types_without(std::string_view code) const {
  std::vector<EventType> types;
  for (const EventType& type : catalog_->types()) {
    if (type.is_custom && type.code != code) types.push_back(type);
  }
  return types;
}

Saved<void> SqliteSettings::replace_custom_types(std::vector<EventType> types,
                                                 const StoredChange& change) {
  std::ranges::sort(types, {}, &EventType::code);
  auto catalog = std::make_shared<const Catalog>(std::move(types));
  std::map<WebhookId, WebhookEntry> compiled;
  for (const auto& [id, entry] : webhooks_) {
    if (!is_custom(entry.live->webhook)) continue;
    Problems problems;
    std::optional<WebhookEntry> again =
        compile_webhook(entry.live->webhook, *catalog, render::Rules::earlier, problems);
    if (!again) {
      Refusal refusal =
          refuse_in_use(fmt::format("The event type {}", change.id), {&entry.live->webhook});
      refusal.error().detail += " With this change: " + problems.errors.front().detail;
      return refusal;
    }
    compiled.emplace(id, std::move(*again));
  }
  Saved<void> written = write(change);
  if (!written) return written;
  catalog_ = std::move(catalog);
  for (auto& [id, entry] : compiled) webhooks_[id] = std::move(entry);
  return {};
}

Saved<EventType> SqliteSettings::create_event_type(const Json& input, const Author& author) {
  Problems problems;
  EventType type = event_type_from_json(input, problems);
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  if (catalog_->find(type.code) != nullptr) {
    return refuse(409, "exists", fmt::format("There is an event type {} already.", type.code));
  }
  if (type.sample.empty()) type.sample = sample_of(type);
  // One that was deleted before left its versions; an old ETag must not fit the new one.
  const auto versions = store_->versions(kinds::kEventType, type.code);
  if (!versions) return refuse_failed(versions.error());
  if (!versions->empty()) type.version = versions->front().version + 1;
  std::vector<EventType> types = custom_types_without(type.code);
  types.push_back(type);
  const Saved<void> saved = replace_custom_types(std::move(types), {.kind = kinds::kEventType,
                                                                    .id = type.code,
                                                                    .name = type.label.en,
                                                                    .json = to_text(to_json(type)),
                                                                    .version = type.version,
                                                                    .action = "created",
                                                                    .author = author.name,
                                                                    .at = now()});
  if (!saved) return std::unexpected(saved.error());
  return type;
}

Saved<EventType> SqliteSettings::change_event_type(std::string_view code, const Json& merge_patch,
                                                   IfVersion if_version, const Author& author) {
  const EventType* current = catalog_->find(code);
  if (current == nullptr) return refuse_absent("event type");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  if (!current->is_custom) {
    return refuse(409, "built_in", fmt::format("The event type {} is built in.", code));
  }
  Json json = to_json(*current);
  // A sample that was made from the properties is made from the new ones.
  if (current->sample == sample_of(*current)) json.erase("sample");
  Problems problems;
  EventType type = event_type_from_json(patched_event_type(std::move(json), merge_patch), problems);
  if (problems.ok() && type.code != current->code) {
    problems.error("code_fixed", "The code of an event type never changes: make another one.",
                   "/code");
  }
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  type.version = current->version + 1;
  if (type.sample.empty()) type.sample = sample_of(type);
  if (const std::string_view path = redeclared(*current, type); !path.empty()) {
    Users users = users_of_type(code, /*also_by_group=*/true);
    if (!users.empty()) {
      return refuse_in_use(
          fmt::format("The declaration of \"{}\" cannot change or go: {}", path, code), users);
    }
  }
  std::vector<EventType> types = custom_types_without(code);
  types.push_back(type);
  const Saved<void> saved = replace_custom_types(std::move(types), {.kind = kinds::kEventType,
                                                                    .id = type.code,
                                                                    .name = type.label.en,
                                                                    .json = to_text(to_json(type)),
                                                                    .version = type.version,
                                                                    .action = "changed",
                                                                    .author = author.name,
                                                                    .at = now()});
  if (!saved) return std::unexpected(saved.error());
  return type;
}

Saved<void> SqliteSettings::delete_event_type(std::string_view code, IfVersion if_version,
                                              const Author& author) {
  const EventType* current = catalog_->find(code);
  if (current == nullptr) return refuse_absent("event type");
  if (auto stale = check_version(if_version, current->version)) {
    return std::unexpected(std::move(*stale));
  }
  if (!current->is_custom) {
    return refuse(409, "built_in", fmt::format("The event type {} is built in.", code));
  }
  std::vector<EventType> types = custom_types_without(code);
  // A group stays one as long as there is another type in it.
  Users users = users_of_type(code, /*also_by_group=*/types.empty());
  if (!users.empty()) {
    return refuse_in_use(fmt::format("The event type {}", code), users);
  }
  return replace_custom_types(std::move(types), {.kind = kinds::kEventType,
                                                 .id = std::string(code),
                                                 .name = current->label.en,
                                                 .action = "deleted",
                                                 .author = author.name,
                                                 .at = now()});
}

}  // namespace eilpost::settings
