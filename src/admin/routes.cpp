#include "admin/api.h"

namespace eilpost::admin {

using http::Method;

namespace {

// ---- parameters

constexpr std::string_view kStates[] = {"pending", "retrying", "held", "delivered", "failed"};

constexpr QueryParameter kPage[] = {
    {.name = "limit",
     .type = ParameterType::integer,
     .description = "Entries of a page: 1 to 200; 50 if it is left out."},
    {.name = "cursor", .description = "`next_cursor` of the page before."},
};
constexpr QueryParameter kEventFilter[] = {
    {.name = "event_type", .description = "Code of the event type."},
    {.name = "event_id", .description = "Id of the event, as its sender gave it."},
    {.name = "user", .description = "Id of the end user."},
    {.name = "from", .type = ParameterType::time, .description = "Accepted at or after."},
    {.name = "until", .type = ParameterType::time, .description = "Accepted before."},
};
constexpr QueryParameter kDeliveryFilter[] = {
    {.name = "webhook", .description = "Id of the webhook."},
    {.name = "destination", .description = "Id of the destination."},
    {.name = "event_type", .description = "Code of the event type."},
    {.name = "event_id", .description = "Id of the event, as its sender gave it."},
    {.name = "user", .description = "Id of the end user."},
    {.name = "state", .description = "State of the delivery.", .values = kStates},
    {.name = "from", .type = ParameterType::time, .description = "Accepted at or after."},
    {.name = "until", .type = ParameterType::time, .description = "Accepted before."},
};
constexpr QueryParameter kValues[] = {
    {.name = "property", .description = "Path of the property.", .is_required = true},
};
constexpr QueryParameter kItems[] = {
    {.name = "type", .description = "Type of the items, such as survey."},
    {.name = "search", .description = "Part of the name or id."},
};
constexpr QueryParameter kOwed[] = {
    {.name = "owed",
     .type = ParameterType::integer,
     .description = "Confirms that so many deliveries that are still owed may end failed."},
};
constexpr QueryParameter kSince[] = {
    {.name = "from",
     .type = ParameterType::time,
     .description = "Since when; a day ago if it is left out."},
};

// ---- bodies

constexpr std::span<const BodyField> kNothing = {};
constexpr BodyField kEnvironment[] = {
    {.name = "name", .type = "string", .description = "One word.", .is_required = true},
};
constexpr BodyField kItem[] = {
    {.name = "type",
     .type = "string",
     .description = "Group of its events, such as survey.",
     .is_required = true},
    {.name = "id", .description = "Text or a whole number.", .is_required = true},
    {.name = "name", .type = "string", .description = "For people.", .is_required = true},
    {.name = "parent", .description = "Id of the item that it belongs to."},
};
constexpr BodyField kSample[] = {
    {.name = "event", .description = "An event, or the id of one."},
    {.name = "sample", .type = "boolean", .description = "Takes the catalog's sample."},
};
constexpr BodyField kDraft[] = {
    {.name = "webhook", .description = "A webhook, or the id of one."},
    {.name = "destination", .description = "A destination, or the id of one."},
    {.name = "event", .description = "An event, or the id of one."},
    {.name = "sample", .type = "boolean", .description = "Takes the catalog's sample."},
};
constexpr BodyField kDestinationTest[] = {
    {.name = "event_type", .type = "string", .description = "Type of the event to send."},
    {.name = "event", .description = "An event, or the id of one."},
    {.name = "sample", .type = "boolean", .description = "Takes the catalog's sample."},
};
constexpr BodyField kRotation[] = {
    {.name = "overlap_ms",
     .type = "integer",
     .description = "How long the old secret signs too; a day if it is left out."},
};
constexpr BodyField kInboxAnswer[] = {
    {.name = "status", .type = "integer", .description = "200 to 599.", .is_required = true},
    {.name = "body", .type = "string", .description = "Text of the answer."},
};
constexpr BodyField kReplay[] = {
    {.name = "as_new", .type = "boolean", .description = "Sends a webhook-id of its own."},
};
constexpr BodyField kReplayMany[] = {
    {.name = "filter",
     .type = "object",
     .description = "The parameters of a search for deliveries.",
     .is_required = true},
    {.name = "expected_count",
     .type = "integer",
     .description = "How many match; without it they are only counted."},
    {.name = "as_new", .type = "boolean", .description = "Sends webhook-ids of their own."},
};

constexpr BodyField kBackfill[] = {
    {.name = "from", .type = "string", .description = "Received since.", .is_required = true},
    {.name = "until", .type = "string", .description = "Received before; now if left out."},
    {.name = "expected_count",
     .type = "integer",
     .description = "How many are wanted; without it they are only counted."},
};

// What most routes take.
constexpr Takes kList = {.is_paged = true};
constexpr Takes kObject = {.has_etag = true};
constexpr Takes kAction = {.has_etag = true, .body = kNothing};

// The API, whole. The OpenAPI document is made from this table.
constexpr Route kRoutes[] = {
    {Method::get, "event-types", "List event types", Role::viewer, &Api::list_event_types, kList},
    {Method::post, "event-types", "Add a custom event type", Role::editor, &Api::create_event_type,
     kObject},
    {Method::get, "event-types/{code}", "Show an event type", Role::viewer, &Api::show_event_type,
     kObject},
    {Method::patch, "event-types/{code}", "Change a custom event type", Role::editor,
     &Api::change_event_type, kObject},
    {Method::delete_, "event-types/{code}", "Delete a custom event type", Role::editor,
     &Api::delete_event_type, kObject},
    {Method::get, "event-types/{code}/properties", "List properties seen in events", Role::viewer,
     &Api::list_seen_properties, kList},
    {Method::get,
     "event-types/{code}/values",
     "List values seen of a property",
     Role::viewer,
     &Api::list_seen_values,
     {.query = kValues, .is_paged = true}},
    {Method::get,
     "items",
     "List guidance items",
     Role::viewer,
     &Api::list_items,
     {.query = kItems, .is_paged = true}},
    {Method::post,
     "items",
     "Declare a guidance item",
     Role::editor,
     &Api::create_item,
     {.body = kItem}},
    {Method::get, "environments", "List environments", Role::viewer, &Api::list_environments,
     kList},
    {Method::post,
     "environments",
     "Add an environment",
     Role::admin,
     &Api::create_environment,
     {.has_etag = true, .body = kEnvironment}},
    {Method::get, "environments/{name}", "Show an environment", Role::viewer,
     &Api::show_environment, kObject},
    {Method::delete_, "environments/{name}", "Delete an environment", Role::admin,
     &Api::delete_environment, kObject},
    {Method::get, "sources", "List sources", Role::viewer, &Api::list_sources, kList},
    {Method::post, "sources", "Create a source", Role::editor, &Api::create_source, kObject},
    {Method::get, "sources/{id}", "Show a source", Role::viewer, &Api::show_source, kObject},
    {Method::patch, "sources/{id}", "Change a source", Role::editor, &Api::change_source, kObject},
    {Method::delete_, "sources/{id}", "Delete a source", Role::editor, &Api::delete_source,
     kObject},
    {Method::post, "sources/{id}/rotate-key", "Give a source a new key", Role::editor,
     &Api::rotate_source_key, kAction},
    {Method::get, "webhooks", "List webhooks", Role::viewer, &Api::list_webhooks, kList},
    {Method::post, "webhooks", "Create a webhook", Role::editor, &Api::create_webhook, kObject},
    {Method::post,
     "webhooks/preview",
     "Show what a draft would send",
     Role::viewer,
     &Api::preview,
     {.body = kDraft}},
    {Method::post,
     "webhooks/test",
     "Send a draft once",
     Role::editor,
     &Api::test,
     {.body = kDraft}},
    {Method::get, "webhooks/{id}", "Show a webhook", Role::viewer, &Api::show_webhook, kObject},
    {Method::put, "webhooks/{id}", "Replace a webhook", Role::editor, &Api::replace_webhook,
     kObject},
    {Method::patch, "webhooks/{id}", "Change a webhook", Role::editor, &Api::change_webhook,
     kObject},
    {Method::delete_,
     "webhooks/{id}",
     "Delete a webhook",
     Role::editor,
     &Api::delete_webhook,
     {.query = kOwed, .has_etag = true}},
    {Method::get, "webhooks/{id}/versions", "List versions of a webhook", Role::viewer,
     &Api::list_webhook_versions, kList},
    {Method::post,
     "webhooks/{id}/preview",
     "Show what a saved webhook would send",
     Role::viewer,
     &Api::preview_saved,
     {.body = kSample}},
    {Method::post,
     "webhooks/{id}/test",
     "Send a saved webhook once",
     Role::editor,
     &Api::test_saved,
     {.body = kSample}},
    {Method::post,
     "webhooks/{id}/backfill",
     "Send stored events to a webhook",
     Role::editor,
     &Api::backfill,
     {.body = kBackfill}},
    {Method::get, "platforms", "List platforms and what they need", Role::viewer,
     &Api::list_platforms, kList},
    {Method::get, "destinations", "List destinations", Role::viewer, &Api::list_destinations,
     kList},
    {Method::post, "destinations", "Create a destination", Role::editor, &Api::create_destination,
     kObject},
    {Method::get, "destinations/{id}", "Show a destination", Role::viewer, &Api::show_destination,
     kObject},
    {Method::patch, "destinations/{id}", "Change a destination", Role::editor,
     &Api::change_destination, kObject},
    {Method::delete_, "destinations/{id}", "Delete a destination", Role::editor,
     &Api::delete_destination, kObject},
    {Method::get, "destinations/{id}/versions", "List versions of a destination", Role::viewer,
     &Api::list_destination_versions, kList},
    {Method::post,
     "destinations/{id}/test",
     "Send a test to a destination",
     Role::editor,
     &Api::test_destination,
     {.body = kDestinationTest}},
    {Method::post, "destinations/{id}/resume", "Make a destination active again", Role::editor,
     &Api::resume_destination, kAction},
    {Method::post, "destinations/{id}/disable", "Disable a destination", Role::editor,
     &Api::disable_destination, kAction},
    {Method::post,
     "destinations/{id}/authorize",
     "Connect a destination by OAuth 2.0",
     Role::editor,
     &Api::authorize_destination,
     {.body = kNothing}},
    {Method::post,
     "destinations/{id}/rotate-secret",
     "Make a new signing secret",
     Role::editor,
     &Api::rotate_secret,
     {.has_etag = true, .body = kRotation}},
    {Method::get, "destinations/{id}/inbox", "List what an inbox received", Role::viewer,
     &Api::show_inbox, kList},
    {Method::delete_, "destinations/{id}/inbox", "Empty an inbox", Role::editor, &Api::clear_inbox},
    {Method::put,
     "destinations/{id}/inbox-answer",
     "Choose what an inbox answers",
     Role::editor,
     &Api::set_inbox_answer,
     {.body = kInboxAnswer}},
    {Method::get,
     "events",
     "Search events",
     Role::viewer,
     &Api::list_events,
     {.query = kEventFilter, .is_paged = true}},
    {Method::get, "events/{sequence}", "Show an event", Role::viewer, &Api::show_event},
    {Method::get,
     "deliveries",
     "Search deliveries",
     Role::viewer,
     &Api::list_deliveries,
     {.query = kDeliveryFilter, .is_paged = true}},
    {Method::post,
     "deliveries/replay",
     "Send deliveries again, by filter",
     Role::editor,
     &Api::replay_many,
     {.body = kReplayMany}},
    {Method::get, "deliveries/{id}", "Show a delivery", Role::viewer, &Api::show_delivery},
    {Method::get, "deliveries/{id}/attempts", "List attempts of a delivery", Role::viewer,
     &Api::list_attempts, kList},
    {Method::post,
     "deliveries/{id}/replay",
     "Send a delivery again",
     Role::editor,
     &Api::replay_one,
     {.body = kReplay}},
    {Method::get, "tests", "List the last tests", Role::viewer, &Api::list_tests, kList},
    {Method::get, "api-keys", "List API keys", Role::admin, &Api::list_api_keys, kList},
    {Method::post, "api-keys", "Create an API key", Role::admin, &Api::create_api_key},
    {Method::delete_, "api-keys/{id}", "Delete an API key", Role::admin, &Api::delete_api_key},
    {Method::get, "audit-log", "List changes", Role::admin, &Api::list_audit_log, kList},
    {Method::get, "stats", "Show figures", Role::viewer, &Api::show_stats, {.query = kSince}},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

std::vector<QueryParameter> query_parameters(const Takes& takes) {
  std::vector<QueryParameter> all(takes.query.begin(), takes.query.end());
  if (takes.is_paged) all.insert(all.end(), std::begin(kPage), std::end(kPage));
  return all;
}

}  // namespace eilpost::admin
