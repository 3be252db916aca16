#include "admin/api.h"

namespace eilpost::admin {

using http::Method;

namespace {

// The API, whole. The OpenAPI document is made from this table.
constexpr Route kRoutes[] = {
    {Method::get, "event-types", "List event types", Role::viewer, &Api::list_event_types},
    {Method::post, "event-types", "Add a custom event type", Role::editor, &Api::create_event_type},
    {Method::get, "event-types/{code}", "Show an event type", Role::viewer, &Api::show_event_type},
    {Method::patch, "event-types/{code}", "Change a custom event type", Role::editor,
     &Api::change_event_type},
    {Method::delete_, "event-types/{code}", "Delete a custom event type", Role::editor,
     &Api::delete_event_type},
    {Method::get, "event-types/{code}/properties", "List properties seen in events", Role::viewer,
     &Api::list_seen_properties},
    {Method::get, "event-types/{code}/values", "List values seen of a property", Role::viewer,
     &Api::list_seen_values},
    {Method::get, "items", "List guidance items", Role::viewer, &Api::list_items},
    {Method::post, "items", "Declare a guidance item", Role::editor, &Api::create_item},
    {Method::get, "environments", "List environments", Role::viewer, &Api::list_environments},
    {Method::post, "environments", "Add an environment", Role::admin, &Api::create_environment},
    {Method::delete_, "environments/{name}", "Delete an environment", Role::admin,
     &Api::delete_environment},
    {Method::get, "sources", "List sources", Role::viewer, &Api::list_sources},
    {Method::post, "sources", "Create a source", Role::editor, &Api::create_source},
    {Method::get, "sources/{id}", "Show a source", Role::viewer, &Api::show_source},
    {Method::patch, "sources/{id}", "Change a source", Role::editor, &Api::change_source},
    {Method::delete_, "sources/{id}", "Delete a source", Role::editor, &Api::delete_source},
    {Method::post, "sources/{id}/rotate-key", "Give a source a new key", Role::editor,
     &Api::rotate_source_key},
    {Method::get, "webhooks", "List webhooks", Role::viewer, &Api::list_webhooks},
    {Method::post, "webhooks", "Create a webhook", Role::editor, &Api::create_webhook},
    {Method::post, "webhooks/preview", "Show what a draft would send", Role::viewer, &Api::preview},
    {Method::post, "webhooks/test", "Send a draft once", Role::editor, &Api::test},
    {Method::get, "webhooks/{id}", "Show a webhook", Role::viewer, &Api::show_webhook},
    {Method::put, "webhooks/{id}", "Replace a webhook", Role::editor, &Api::replace_webhook},
    {Method::patch, "webhooks/{id}", "Change a webhook", Role::editor, &Api::change_webhook},
    {Method::delete_, "webhooks/{id}", "Delete a webhook", Role::editor, &Api::delete_webhook},
    {Method::get, "webhooks/{id}/versions", "List versions of a webhook", Role::viewer,
     &Api::list_webhook_versions},
    {Method::post, "webhooks/{id}/preview", "Show what a saved webhook would send", Role::viewer,
     &Api::preview_saved},
    {Method::post, "webhooks/{id}/test", "Send a saved webhook once", Role::editor,
     &Api::test_saved},
    {Method::get, "destinations", "List destinations", Role::viewer, &Api::list_destinations},
    {Method::post, "destinations", "Create a destination", Role::editor, &Api::create_destination},
    {Method::get, "destinations/{id}", "Show a destination", Role::viewer, &Api::show_destination},
    {Method::patch, "destinations/{id}", "Change a destination", Role::editor,
     &Api::change_destination},
    {Method::delete_, "destinations/{id}", "Delete a destination", Role::editor,
     &Api::delete_destination},
    {Method::get, "destinations/{id}/versions", "List versions of a destination", Role::viewer,
     &Api::list_destination_versions},
    {Method::post, "destinations/{id}/test", "Send a test to a destination", Role::editor,
     &Api::test_destination},
    {Method::post, "destinations/{id}/resume", "Make a destination active again", Role::editor,
     &Api::resume_destination},
    {Method::post, "destinations/{id}/disable", "Disable a destination", Role::editor,
     &Api::disable_destination},
    {Method::post, "destinations/{id}/rotate-secret", "Make a new signing secret", Role::editor,
     &Api::rotate_secret},
    {Method::get, "destinations/{id}/inbox", "List what an inbox received", Role::viewer,
     &Api::show_inbox},
    {Method::delete_, "destinations/{id}/inbox", "Empty an inbox", Role::editor, &Api::clear_inbox},
    {Method::put, "destinations/{id}/inbox-answer", "Choose what an inbox answers", Role::editor,
     &Api::set_inbox_answer},
    {Method::get, "events", "Search events", Role::viewer, &Api::list_events},
    {Method::get, "events/{sequence}", "Show an event", Role::viewer, &Api::show_event},
    {Method::get, "deliveries", "Search deliveries", Role::viewer, &Api::list_deliveries},
    {Method::post, "deliveries/replay", "Send deliveries again, by filter", Role::editor,
     &Api::replay_many},
    {Method::get, "deliveries/{id}", "Show a delivery", Role::viewer, &Api::show_delivery},
    {Method::get, "deliveries/{id}/attempts", "List attempts of a delivery", Role::viewer,
     &Api::list_attempts},
    {Method::post, "deliveries/{id}/replay", "Send a delivery again", Role::editor,
     &Api::replay_one},
    {Method::get, "tests", "List the last tests", Role::viewer, &Api::list_tests},
    {Method::get, "api-keys", "List API keys", Role::admin, &Api::list_api_keys},
    {Method::post, "api-keys", "Create an API key", Role::admin, &Api::create_api_key},
    {Method::delete_, "api-keys/{id}", "Delete an API key", Role::admin, &Api::delete_api_key},
    {Method::get, "audit-log", "List changes", Role::admin, &Api::list_audit_log},
    {Method::get, "stats", "Show figures", Role::viewer, &Api::show_stats},
};

}  // namespace

std::span<const Route> routes() {
  return kRoutes;
}

}  // namespace eilpost::admin
