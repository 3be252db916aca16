// The tokens of destinations, sealed.

#include <fmt/format.h>
#include <string>

#include "settings/oauth_json.h"
#include "settings/sqlite_settings.h"

namespace eilpost::settings {
namespace {

std::string context_of(std::string_view id) {
  return fmt::format("destination/{}/tokens", id);
}

}  // namespace

Result<std::optional<KeptTokens>> SqliteSettings::kept_tokens(DestinationId id) {
  const std::string name = to_string(id);
  EILPOST_ASSIGN_OR_RETURN(const std::optional<std::string> sealed, store_->tokens(name));
  if (!sealed) return std::optional<KeptTokens>();
  EILPOST_ASSIGN_OR_RETURN(const std::string text, secrets_.open(*sealed, context_of(name)));
  EILPOST_ASSIGN_OR_RETURN(KeptTokens tokens, kept_tokens_of(text));
  return std::optional(std::move(tokens));
}

Result<void> SqliteSettings::keep_tokens(DestinationId id, const KeptTokens& tokens) {
  if (!destinations_.contains(id)) return {};
  const std::string name = to_string(id);
  const std::string text = kept_tokens_text(tokens);
  return store_->put_tokens(name, secrets_.seal(text, context_of(name), env_.entropy()));
}

Result<void> SqliteSettings::seal_tokens_again() {
  EILPOST_ASSIGN_OR_RETURN(const auto all, store_->all_tokens());
  for (const StoredTokens& one : all) {
    if (!secrets_.needs_sealing_again(one.sealed)) continue;
    const std::string context = context_of(one.id);
    EILPOST_ASSIGN_OR_RETURN(const std::string text, secrets_.open(one.sealed, context));
    EILPOST_RETURN_IF_ERROR(
        store_->put_tokens(one.id, secrets_.seal(text, context, env_.entropy())));
  }
  return {};
}

}  // namespace eilpost::settings
