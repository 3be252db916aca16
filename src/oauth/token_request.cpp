#include "oauth/token_request.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/encoding.h"
#include "oauth/form.h"
#include "oauth/jwt.h"

namespace eilpost::oauth {
namespace {

constexpr std::string_view kAssertionType =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

constexpr std::array<std::string_view, 17> kProtocolParameters = {"grant_type",
                                                                  "client_id",
                                                                  "client_secret",
                                                                  "client_assertion",
                                                                  "client_assertion_type",
                                                                  "scope",
                                                                  "audience",
                                                                  "refresh_token",
                                                                  "code",
                                                                  "code_verifier",
                                                                  "code_challenge",
                                                                  "code_challenge_method",
                                                                  "redirect_uri",
                                                                  "response_type",
                                                                  "response_mode",
                                                                  "state",
                                                                  "request"};

void append_grant(std::string& form, const OAuth& settings, const Proof& proof) {
  if (!proof.code.empty()) {
    append_field(form, "grant_type", "authorization_code");
    append_field(form, "code", proof.code);
    append_field(form, "redirect_uri", proof.redirect_uri);
    append_field(form, "code_verifier", proof.code_verifier);
    return;
  }
  const bool is_renewal = !proof.refresh_token.empty();
  append_field(form, "grant_type", is_renewal ? "refresh_token" : "client_credentials");
  if (is_renewal) append_field(form, "refresh_token", proof.refresh_token);
  // A person may have granted less than was asked for; to ask for it again would be refused.
  if (settings.grant == OAuthGrant::authorization_code) return;
  if (!settings.scope.empty()) append_field(form, "scope", settings.scope);
  if (!settings.audience.empty()) append_field(form, "audience", settings.audience);
}

Result<void> append_client(TokenRequest& made, const OAuth& settings, WallTime now,
                           std::string_view assertion_id) {
  std::string& form = made.request.body;
  switch (settings.client_authentication) {
    case ClientAuthentication::client_secret_basic: {
      // RFC 6749 section 2.3.1: both are form-encoded first.
      const std::string pair =
          encode_form_value(settings.client_id) + ":" + encode_form_value(settings.client_secret);
      const std::string encoded = encode_base64(as_bytes(pair));
      made.request.headers.push_back({"Authorization", "Basic " + encoded});
      made.secrets.push_back(encoded);
      made.secrets.push_back(settings.client_secret);
      return {};
    }
    case ClientAuthentication::client_secret_post:
      append_field(form, "client_id", settings.client_id);
      append_field(form, "client_secret", settings.client_secret);
      made.secrets.push_back(settings.client_secret);
      return {};
    case ClientAuthentication::private_key_jwt:
      break;
  }
  EILPOST_ASSIGN_OR_RETURN(std::string assertion,
                           make_client_assertion(settings, now, assertion_id));
  append_field(form, "client_id", settings.client_id);
  append_field(form, "client_assertion_type", kAssertionType);
  append_field(form, "client_assertion", assertion);
  made.secrets.push_back(std::move(assertion));
  return {};
}

}  // namespace

Result<TokenRequest> make_token_request(const OAuth& settings, const Proof& proof, WallTime now,
                                        std::string_view assertion_id) {
  TokenRequest made;
  made.request.url = settings.token_url;
  made.request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                          {"Accept", "application/json"},
                          {"User-Agent", "Eilpost"}};
  append_grant(made.request.body, settings, proof);
  EILPOST_RETURN_IF_ERROR(append_client(made, settings, now, assertion_id));
  for (const OAuthParameter& parameter : settings.parameters) {
    append_field(made.request.body, parameter.name, parameter.value);
  }
  for (const std::string* secret : {&proof.refresh_token, &proof.code, &proof.code_verifier}) {
    if (!secret->empty()) made.secrets.push_back(*secret);
  }
  // What is contained in another one must not be replaced first.
  std::ranges::sort(made.secrets, std::ranges::greater{}, &std::string::size);
  return made;
}

bool is_protocol_parameter(std::string_view name) {
  return std::ranges::find(kProtocolParameters, name) != kProtocolParameters.end();
}

}  // namespace eilpost::oauth
