// Webhooks: what is sent when.

#include <fmt/format.h>
#include <utility>

#include "admin/api.h"
#include "base/iso_time.h"
#include "base/parse.h"

namespace eilpost::admin {
namespace {

http::Response view_response(int status, const settings::WebhookView& view) {
  Json json = settings::to_json(view.webhook);
  json["warnings"] = to_json(view.warnings);
  return object_response(status, json, view.webhook.version);
}

}  // namespace

Task<http::Response> Api::list_webhooks(Call& call) {
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<Webhook> all =
      co_await on_settings(call, [this] { return parts_.settings.webhooks(); });
  co_return json_response(
      200, page_of(
               all, *asked, [](const Webhook& webhook) { return to_string(webhook.id); },
               [](const Webhook& webhook) { return settings::to_json(webhook); }));
}

Task<http::Response> Api::show_webhook(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return not_found("webhook");
  const std::optional<Webhook> webhook =
      co_await on_settings(call, [this, id = *id] { return parts_.settings.webhook(id); });
  if (!webhook) co_return not_found("webhook");
  co_return object_response(200, settings::to_json(*webhook), webhook->version);
}

Task<http::Response> Api::create_webhook(Call& call) {
  auto saved = co_await save<settings::WebhookView>(
      call.lane, [body = call.body, author = call.author()](settings::Settings& settings) {
        return settings.create_webhook(body, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return view_response(201, *saved);
}

Task<http::Response> Api::change_webhook(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return not_found("webhook");
  auto saved = co_await save<settings::WebhookView>(
      call.lane, [id = *id, body = call.body, version = if_match(*call.request),
                  author = call.author()](settings::Settings& settings) {
        return settings.change_webhook(id, body, version, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return view_response(200, *saved);
}

Task<http::Response> Api::replace_webhook(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return not_found("webhook");
  auto saved = co_await save<settings::WebhookView>(
      call.lane, [id = *id, body = call.body, version = if_match(*call.request),
                  author = call.author()](settings::Settings& settings) {
        return settings.replace_webhook(id, body, version, author);
      });
  if (!saved) co_return problem(saved.error());
  co_return view_response(200, *saved);
}

// What is still owed ends failed, so the caller says how many that are: ?owed=N confirms up to N.
Task<http::Response> Api::delete_webhook(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return not_found("webhook");
  co_await make_attempts_durable(call.lane);
  history::Filter filter{.webhook = *id,
                         .states = {DeliveryState::pending, DeliveryState::retrying}};
  const auto owed = co_await on_history<Result<std::uint64_t>>(
      call.lane, [filter](history::Reader& reader) { return reader.count_deliveries(filter); });
  if (!owed) co_return problem(owed.error());
  const auto confirmed =  // Checked: a whole number.
      parse_integer<std::uint64_t>(call.parameter("owed").value_or("0")).value_or(0);
  if (*owed > confirmed) {
    co_return problem(409, "deliveries_owed",
                      fmt::format("{} deliveries are still owed and would end failed. Confirm with "
                                  "?owed={}.",
                                  *owed, *owed));
  }
  auto saved =
      co_await save<void>(call.lane, [id = *id, version = if_match(*call.request),
                                      author = call.author()](settings::Settings& settings) {
        return settings.delete_webhook(id, version, author);
      });
  co_return saved ? no_content() : problem(saved.error());
}

Task<http::Response> Api::list_webhook_versions(Call& call) {
  const auto id = id_argument<WebhookId>(call);
  if (!id) co_return not_found("webhook");
  const auto asked = page_asked(call);
  if (!asked) co_return asked.error();
  const std::vector<settings::VersionRow> rows =
      co_await on_settings(call, [this, id = *id] { return parts_.settings.webhook_versions(id); });
  if (rows.empty()) co_return not_found("webhook");
  co_return json_response(200, versions_page(rows, *asked, "webhook"));
}

}  // namespace eilpost::admin
