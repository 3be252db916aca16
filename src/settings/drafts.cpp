// Drafts: what would be saved, compiled and not saved.

#include <fmt/format.h>
#include <utility>

#include "presets/preset.h"
#include "settings/object_reader.h"
#include "settings/sqlite_settings.h"

namespace eilpost::settings {
namespace {

// The id that a draft names: itself a text, or an object's "id".
std::string id_in(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_object()) return {};
  const auto found = json.find("id");
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// `saved` with the fields of `draft` in the place of its own.
Json laid_over(Json saved, const Json& draft) {
  if (!draft.is_object()) return saved;
  for (const auto& [key, value] : draft.items()) saved[key] = value;
  return saved;
}

void name_draft(Json& json) {
  if (!json.is_object()) return;
  const auto found = json.find("name");
  if (found == json.end() || found->is_null() ||
      (found->is_string() && found->get_ref<const std::string&>().empty()))
    json["name"] = "Draft";
}

void add_below(std::string_view place, Problems found, Problems& problems) {
  for (Problem& problem : found.errors) {
    problem.pointer.insert(0, place);
    problems.errors.push_back(std::move(problem));
  }
  for (Problem& problem : found.warnings) {
    problem.pointer.insert(0, place);
    problems.warnings.push_back(std::move(problem));
  }
}

}  // namespace

const Webhook* SqliteSettings::saved_webhook(const Json& id) const {
  const auto parsed = parse_id<WebhookId>(id_in(id));
  if (!parsed) return nullptr;
  const auto found = webhooks_.find(*parsed);
  return found == webhooks_.end() ? nullptr : &found->second.live->webhook;
}

const Destination* SqliteSettings::saved_destination(const Json& id) const {
  const auto parsed = parse_id<DestinationId>(id_in(id));
  if (!parsed) return nullptr;
  const auto found = destinations_.find(*parsed);
  return found == destinations_.end() ? nullptr : &found->second->destination;
}

SqliteSettings::LiveDestinationPointer SqliteSettings::draft_destination(const Json& input,
                                                                         Problems& problems) {
  const Destination* saved = saved_destination(input);
  if (input.is_string()) {
    if (saved != nullptr) return destinations_.at(saved->id);
    problems.error("unknown_destination",
                   fmt::format("There is no destination {}.", input.get<std::string>()), "");
    return nullptr;
  }
  Json json = saved == nullptr ? input : laid_over(to_json(*saved, /*show_secrets=*/false), input);
  name_draft(json);
  Destination destination = read_destination(std::move(json), saved, problems);
  if (saved != nullptr) {
    destination.id = saved->id;
    destination.version = saved->version;
    destination.inbox_token = saved->inbox_token;
  }
  if (!problems.ok() && presets::find(destination.platform) != nullptr) return nullptr;
  complete(destination);
  return compile_destination(destination, render::Rules::newest, problems);
}

SqliteSettings::LiveDestinationPointer SqliteSettings::for_test(
    const LiveDestinationPointer& live) {
  if (live == nullptr) return live;
  const presets::Preset* preset = presets::find(live->destination.platform);
  if (preset == nullptr || !preset->test_url) return live;
  // Whoever gave it another URL meant that one.
  const std::string& own = live->destination.request.url;
  if (preset->destination.at("request").at("url") != own) return live;
  Destination tested = live->destination;
  tested.request.url = *preset->test_url;
  tested.success = *preset->test_success;
  Problems problems;
  return compile_destination(tested, render::Rules::newest, problems);
}

Saved<Settings::Draft> SqliteSettings::compile_draft(const Json& webhook, const Json& destination,
                                                     Purpose purpose) {
  const Webhook* saved = saved_webhook(webhook);
  Problems problems;
  if (webhook.is_string() && saved == nullptr) return refuse_absent("webhook");
  if (!webhook.is_string() && !webhook.is_object()) {
    problems.error("required", "Give the `webhook`: an object, or the id of a saved one.",
                   "/webhook");
    return refuse_invalid(std::move(problems));
  }
  Json json = saved == nullptr ? webhook : laid_over(to_json(*saved), webhook);
  name_draft(json);

  Draft draft;
  Problems found;
  if (!destination.is_null()) {
    draft.destination = draft_destination(destination, found);
  } else if (json.is_object() && json.contains("destination") && json["destination"].is_string()) {
    // What is wrong with this id is said of the webhook.
    if (const Destination* named = saved_destination(json["destination"])) {
      draft.destination = destinations_.at(named->id);
    }
  }
  add_below("/destination", std::move(found), problems);

  found = {};
  // A destination that is not saved has no id yet that the webhook could name.
  const bool is_given = !destination.is_null();
  if (is_given && json.is_object()) json["destination"] = to_string(DestinationId{1});
  Webhook wanted = webhook_from_json(json, found);
  if (is_given) {
    wanted.destination =
        draft.destination == nullptr ? DestinationId{} : draft.destination->destination.id;
  }
  wanted.id = saved == nullptr ? WebhookId{} : saved->id;
  wanted.version = saved == nullptr ? 1 : saved->version;
  Problems compiling;
  check_references(wanted, compiling);
  if (is_given) {
    std::erase_if(compiling.errors,
                  [](const Problem& problem) { return problem.pointer == "/destination"; });
  }
  Problems of_webhook;
  draft.conditions = match::compile(wanted, *catalog_, of_webhook);
  auto compiled =
      render::compile(wanted, *catalog_, zones_, of_webhook,
                      webhook.is_string() ? render::Rules::earlier : render::Rules::newest);
  if (compiled != nullptr && draft.destination != nullptr) {
    check_secrets(*compiled, draft.destination->destination, of_webhook);
    check_platform(wanted, draft.destination->destination, of_webhook);
  }
  add_independent(std::move(of_webhook), compiling);
  add_independent(std::move(compiling), found);
  add_below("/webhook", std::move(found), problems);
  if (!problems.ok()) return refuse_invalid(std::move(problems));
  draft.webhook = std::make_shared<const pipeline::LiveWebhook>(
      pipeline::LiveWebhook{.webhook = std::move(wanted), .compiled = std::move(compiled)});
  draft.warnings = std::move(problems.warnings);
  if (purpose == Purpose::test) draft.destination = for_test(draft.destination);
  return draft;
}

}  // namespace eilpost::settings
