#include "oauth/token_request.h"

#include <gtest/gtest.h>

#include "http/message.h"
#include "http/percent.h"
#include "oauth/keys_for_test.h"
#include "oauth/settings_digest.h"

namespace eilpost::oauth {
namespace {

OAuth plain() {
  return {.token_url = "https://id.example/token",
          .client_id = "shop:1",
          .client_secret = "p&ss w%rd",
          .scope = "events write",
          .audience = "api",
          .parameters = {{"resource", "https://r.example"}}};
}

TokenRequest made(const OAuth& settings, const Proof& proof = {}) {
  auto request = make_token_request(settings, proof, {}, "once");
  EXPECT_TRUE(request.has_value());
  return request.value_or(TokenRequest{});
}

std::string header(const TokenRequest& request, std::string_view name) {
  return std::string(http::find_header(request.request.headers, name).value_or("none"));
}

TEST(TokenRequest, AsksAsTheClientItself) {
  const TokenRequest request = made(plain());
  EXPECT_EQ(request.request.method, HttpMethod::post);
  EXPECT_EQ(request.request.url, "https://id.example/token");
  EXPECT_EQ(request.request.body,
            "grant_type=client_credentials&scope=events%20write&audience=api"
            "&resource=https%3A%2F%2Fr.example");
  EXPECT_EQ(header(request, "Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(header(request, "Accept"), "application/json");
  // RFC 6749, section 2.3.1: base64 of "shop%3A1:p%26ss%20w%25rd".
  EXPECT_EQ(header(request, "Authorization"), "Basic c2hvcCUzQTE6cCUyNnNzJTIwdyUyNXJk");
}

TEST(TokenRequest, ASecretMayStandInTheForm) {
  OAuth settings = plain();
  settings.client_authentication = ClientAuthentication::client_secret_post;
  const TokenRequest request = made(settings);
  EXPECT_TRUE(request.request.body.contains("&client_id=shop%3A1&client_secret=p%26ss%20w%25rd&"))
      << request.request.body;
  EXPECT_EQ(header(request, "Authorization"), "none");
}

TEST(TokenRequest, AKeyMaySignInstead) {
  OAuth settings = plain();
  settings.client_authentication = ClientAuthentication::private_key_jwt;
  settings.private_key = kRfc7515RsaKey;
  const TokenRequest request = made(settings);
  EXPECT_TRUE(request.request.body.contains(
      "&client_id=shop%3A1&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"
      "client-assertion-type%3Ajwt-bearer&client_assertion=eyJ"))
      << request.request.body;
  EXPECT_FALSE(request.request.body.contains("client_secret="));
  settings.private_key = "none";
  EXPECT_FALSE(make_token_request(settings, {}, {}, "once").has_value());
}

TEST(TokenRequest, ARefreshTokenRenews) {
  OAuth settings = plain();
  settings.grant = OAuthGrant::refresh_token;
  EXPECT_EQ(made(settings, {.refresh_token = "r/1"}).request.body,
            "grant_type=refresh_token&refresh_token=r%2F1&scope=events%20write&audience=api"
            "&resource=https%3A%2F%2Fr.example");
  settings.grant = OAuthGrant::authorization_code;
  EXPECT_EQ(made(settings, {.refresh_token = "r/1"}).request.body,
            "grant_type=refresh_token&refresh_token=r%2F1&resource=https%3A%2F%2Fr.example");
}

TEST(TokenRequest, ACodeIsExchangedWithItsVerifier) {
  OAuth settings = plain();
  settings.grant = OAuthGrant::authorization_code;
  settings.parameters.clear();
  EXPECT_EQ(made(settings, {.code = "c", .code_verifier = "v", .redirect_uri = "https://h/cb"})
                .request.body,
            "grant_type=authorization_code&code=c&redirect_uri=https%3A%2F%2Fh%2Fcb"
            "&code_verifier=v");
}

TEST(TokenRequest, NamesEverySecretThatItHolds) {
  OAuth settings = plain();
  const TokenRequest request =
      made(settings, {.refresh_token = "refresh", .code = "", .code_verifier = ""});
  EXPECT_EQ(request.secrets,
            (std::vector<std::string>{"c2hvcCUzQTE6cCUyNnNzJTIwdyUyNXJk", "p&ss w%rd", "refresh"}));
}

TEST(SettingsDigest, DiffersWhereATokenWouldBeAnother) {
  const std::string digest = settings_digest(plain());
  OAuth other = plain();
  other.client_secret = "another";
  other.private_key = "another";
  EXPECT_EQ(settings_digest(other), digest);
  const auto differs = [&](auto change) {
    OAuth changed = plain();
    change(changed);
    return settings_digest(changed) != digest;
  };
  EXPECT_TRUE(differs([](OAuth& o) { o.grant = OAuthGrant::refresh_token; }));
  EXPECT_TRUE(differs([](OAuth& o) { o.token_url += "2"; }));
  EXPECT_TRUE(differs([](OAuth& o) { o.client_id += "2"; }));
  EXPECT_TRUE(differs([](OAuth& o) { o.scope.clear(); }));
  EXPECT_TRUE(differs([](OAuth& o) { o.audience.clear(); }));
  EXPECT_TRUE(differs([](OAuth& o) { o.refresh_token = "r"; }));
  EXPECT_TRUE(differs([](OAuth& o) { o.parameters[0].value = "r"; }));
}

}  // namespace
}  // namespace eilpost::oauth
