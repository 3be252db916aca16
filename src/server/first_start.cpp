#include "server/first_start.h"

#include <fmt/format.h>
#include <utility>

namespace eilpost::server {
namespace {

template <class T>
Result<T> checked(settings::Saved<T> saved) {
  if (!saved) return fail(ErrorCode::database_failed, "First start: " + saved.error().detail);
  return std::move(*saved);
}

}  // namespace

Result<FirstStart> make_first_objects(settings::Settings& settings, bool has_bootstrap_key) {
  const settings::Author author{.name = "first start"};
  EILPOST_ASSIGN_OR_RETURN(
      const Destination inbox,
      checked(settings.create_destination({{"name", "Inbox"}, {"platform", "inbox"}}, author)));
  const Json webhook = {{"name", "Survey submitted to the inbox"},
                        {"event", "survey.submitted"},
                        {"environments", {"production"}},
                        {"destination", to_string(inbox.id)}};
  EILPOST_RETURN_IF_ERROR(checked(settings.create_webhook(webhook, author)));
  std::string api_key;
  if (!has_bootstrap_key) {
    EILPOST_ASSIGN_OR_RETURN(
        settings::NewKey key,
        checked(settings.create_api_key({{"name", "First start"}, {"role", "admin"}}, author)));
    api_key = std::move(key.secret);
  }
  // Last: the first start is over once there is a source.
  EILPOST_ASSIGN_OR_RETURN(
      const settings::NewSource source,
      checked(settings.create_source({{"name", "My application"}, {"environment", "production"}},
                                     author)));
  return FirstStart{
      .source_key = source.key, .inbox_token = inbox.inbox_token, .api_key = std::move(api_key)};
}

std::string welcome(const FirstStart& first, std::string_view public_url) {
  constexpr std::string_view kEvent =
      R"({"type":"survey.submitted","data":{"oName":"NPS","nps":9,"wm":{"euId":"jane"}}})";
  return fmt::format(
      "Send an event:     curl -d '{}' -H 'Content-Type: application/json' "
      "'{}/v1/events?key={}'\n"
      "See it arrive:     {}/inbox/{}\n"
      "Stop:              press Ctrl+C (or send SIGTERM); what is owed goes on at the next start\n"
      "Management API:    curl -H \"Authorization: Bearer {}\" {}/api/v1/webhooks\n",
      kEvent, public_url, first.source_key, public_url, first.inbox_token,
      // A key that was chosen beforehand is a secret that need not be shown again.
      first.api_key.empty() ? "$EILPOST_BOOTSTRAP_API_KEY" : first.api_key, public_url);
}

}  // namespace eilpost::server
