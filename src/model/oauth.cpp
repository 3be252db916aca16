#include "model/oauth.h"

#include <array>
#include <cstddef>

namespace eilpost {
namespace {

// In the order of the enumerators.
constexpr auto kGrants =
    std::to_array<std::string_view>({"client_credentials", "refresh_token", "authorization_code"});
constexpr auto kClientAuthentications = std::to_array<std::string_view>(
    {"client_secret_basic", "client_secret_post", "private_key_jwt"});

template <class Enum, std::size_t Count>
std::optional<Enum> parse(const std::array<std::string_view, Count>& names, std::string_view text) {
  for (std::size_t i = 0; i < Count; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_string(OAuthGrant grant) {
  return kGrants.at(static_cast<std::size_t>(grant));
}

std::optional<OAuthGrant> parse_oauth_grant(std::string_view text) {
  return parse<OAuthGrant>(kGrants, text);
}

std::string_view to_string(ClientAuthentication authentication) {
  return kClientAuthentications.at(static_cast<std::size_t>(authentication));
}

std::optional<ClientAuthentication> parse_client_authentication(std::string_view text) {
  return parse<ClientAuthentication>(kClientAuthentications, text);
}

}  // namespace eilpost
