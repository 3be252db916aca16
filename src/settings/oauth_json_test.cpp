// Goal: authentication oauth2 is read, shown, kept and refused as the user expects.

#include "settings/oauth_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "env/sim/sim_env.h"
#include "oauth/keys_for_test.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

Json plain() {
  return json_of(R"({"type":"oauth2","grant":"client_credentials",
    "token_url":"https://id.example/token","client_id":"shop","client_secret":"cl1ent-s3cret"})");
}

Json with(const Json& changes) {
  Json json = plain();
  for (const auto& [key, value] : changes.items()) {
    if (value.is_null()) {
      json.erase(key);
    } else {
      json[key] = value;
    }
  }
  return json;
}

std::vector<std::string> errors_in(const Json& authentication) {
  const Json json = {{"name", "Shop"},
                     {"platform", "custom"},
                     {"request", {{"url", "https://api.example.com/v1"}}},
                     {"authentication", authentication}};
  Problems problems;
  (void)destination_from_json(json, /*kept=*/nullptr, problems);
  return errors_of(problems.errors);
}

Json key_json(const char* key, const char* algorithm) {
  return {{"client_authentication", "private_key_jwt"},
          {"client_secret", nullptr},
          {"private_key", key},
          {"algorithm", algorithm}};
}

class OAuthJsonTest : public testing::Test {
 protected:
  Saved<Destination> create(const Json& authentication) {
    const Json input = {{"name", "Shop"},
                        {"platform", "custom"},
                        {"request", {{"url", "https://api.example.com/v1"}}},
                        {"authentication", authentication}};
    return desk_.settings->create_destination(input, kAuthor);
  }
  OAuth saved(DestinationId id) {
    const auto destination = desk_.settings->destination(id);
    EILPOST_ASSERT(destination && destination->authentication.oauth != nullptr);
    return *destination->authentication.oauth;
  }

  env::SimEnv env_{/*seed=*/1, {}};
  Desk desk_{env_};
};

TEST(OAuthJson, EveryGrantAndClientAuthenticationIsTaken) {
  EXPECT_THAT(errors_in(plain()), ElementsAre());
  EXPECT_THAT(errors_in(with({{"client_authentication", "client_secret_post"},
                              {"scope", "a b:c"},
                              {"audience", "https://api.example"},
                              {"parameters", {{"resource", "r"}}}})),
              ElementsAre());
  EXPECT_THAT(errors_in(with({{"grant", "refresh_token"}, {"refresh_token", "r"}})), ElementsAre());
  EXPECT_THAT(errors_in(with({{"grant", "authorization_code"},
                              {"authorize_url", "https://id.example/authorize"}})),
              ElementsAre());
  EXPECT_THAT(errors_in(with(key_json(oauth::kRfc7515RsaKey, "RS256"))), ElementsAre());
  EXPECT_THAT(errors_in(with(key_json(oauth::kRfc7515EcKey, "ES256"))), ElementsAre());
}

TEST(OAuthJson, WhatIsWrongIsSaidAtItsPlace) {
  const struct {
    Json change;
    std::vector<std::string> errors;
  } kCases[] = {
      {{{"grant", nullptr}}, {"/authentication/grant missing"}},
      {{{"grant", "password"}}, {"/authentication/grant unknown_value"}},
      {{{"token_url", nullptr}}, {"/authentication/token_url missing"}},
      {{{"token_url", "ftp://id.example"}}, {"/authentication/token_url bad_url"}},
      {{{"token_url", "https://id.example/#a"}}, {"/authentication/token_url bad_url"}},
      {{{"token_url", 7}}, {"/authentication/token_url wrong_type"}},
      {{{"client_id", nullptr}}, {"/authentication/client_id missing"}},
      {{{"client_id", "a\nb"}}, {"/authentication/client_id bad_text"}},
      {{{"client_secret", nullptr}}, {"/authentication/client_secret missing"}},
      {{{"client_secret", {{"set", true}}}}, {"/authentication/client_secret secret_missing"}},
      {{{"client_authentication", "tls_client_auth"}},
       {"/authentication/client_authentication unknown_value"}},
      {{{"private_key", "x"}}, {"/authentication/private_key not_used"}},
      {{{"key_id", "x"}}, {"/authentication/key_id not_used"}},
      {{{"refresh_token", "x"}}, {"/authentication/refresh_token not_used"}},
      {{{"authorize_url", "https://id.example"}}, {"/authentication/authorize_url not_used"}},
      {{{"grant", "refresh_token"}}, {"/authentication/refresh_token missing"}},
      {{{"grant", "authorization_code"}}, {"/authentication/authorize_url missing"}},
      {{{"scope", "a\"b"}}, {"/authentication/scope bad_scope"}},
      {{{"parameters", {{"grant_type", "x"}}}},
       {"/authentication/parameters/grant_type reserved_name"}},
      {{{"parameters", {{"a", 7}}}}, {"/authentication/parameters/a wrong_type"}},
      {{{"parameters", "a"}}, {"/authentication/parameters wrong_type"}},
      {{{"token", "x"}}, {"/authentication/token not_used"}},
      {{{"tokn_url", "x"}}, {"/authentication/tokn_url unknown_field"}},
      {{{"tls", {{"trust", "all"}}}}, {"/authentication/tls/trust unknown_value"}},
      {{{"scope", std::string(5000, 'a')}}, {"/authentication/scope too_long"}},
      {key_json("no key", "RS256"), {"/authentication/private_key bad_private_key"}},
      {key_json(oauth::kRfc7515EcKey, "RS256"), {"/authentication/algorithm wrong_algorithm"}},
      {key_json(oauth::kRfc7515EcKey, "HS256"), {"/authentication/algorithm unknown_value"}},
  };
  for (const auto& one : kCases) {
    EXPECT_EQ(errors_in(with(one.change)), one.errors) << one.change.dump();
  }
}

TEST_F(OAuthJsonTest, SecretsAreMaskedSealedAndKeptByPatches) {
  const auto made = create(with({{"grant", "refresh_token"}, {"refresh_token", "refr3sh-s3cret"}}));
  ASSERT_TRUE(made.has_value());
  const Json shown = to_json(*made, /*show_secrets=*/false).at("authentication");
  EXPECT_EQ(shown, json_of(R"({"type":"oauth2","grant":"refresh_token",
    "token_url":"https://id.example/token","client_id":"shop",
    "client_authentication":"client_secret_basic","client_secret":{"set":true},"scope":null,
    "audience":null,"parameters":{},"refresh_token":{"set":true},"tls":null})"));
  EXPECT_FALSE(desk_.is_on_disk("cl1ent-s3cret"));
  EXPECT_FALSE(desk_.is_on_disk("refr3sh-s3cret"));
  const auto versions = desk_.settings->destination_versions(made->id);
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].object.at("authentication").at("client_secret"),
            json_of(R"({"set":true})"));

  desk_.reopen();
  EXPECT_EQ(saved(made->id).client_secret, "cl1ent-s3cret");
  EXPECT_EQ(saved(made->id).refresh_token, "refr3sh-s3cret");
  const auto patch = [&](const char* text) {
    return desk_.settings->change_destination(made->id, json_of(text), kAny, kAuthor);
  };
  ASSERT_TRUE(patch(R"({"authentication":{"scope":"write","client_secret":{"set":true}}})"));
  EXPECT_EQ(saved(made->id).client_secret, "cl1ent-s3cret");
  EXPECT_EQ(saved(made->id).scope, "write");
  ASSERT_TRUE(patch(R"({"authentication":{"client_secret":"new"}})"));
  EXPECT_EQ(saved(made->id).client_secret, "new");
  EXPECT_EQ(saved(made->id).refresh_token, "refr3sh-s3cret");
  const auto refused = patch(R"({"authentication":{"client_secret":null}})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(errors_of(refused.error().errors),
              ElementsAre("/authentication/client_secret missing"));
  const auto other = patch(R"({"authentication":{"type":"bearer","token":"t"}})");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(other->authentication.oauth, nullptr);
}

TEST_F(OAuthJsonTest, TokensAreSealedKeptAndGoWithTheirDestination) {
  const auto made = create(plain());
  ASSERT_TRUE(made.has_value());
  const auto none = desk_.settings->kept_tokens(made->id);
  ASSERT_TRUE(none.has_value());
  EXPECT_FALSE(none->has_value());
  const KeptTokens tokens{.settings_digest = "d1gest",
                          .access_token = "acc3ss-t0ken",
                          .refresh_token = "refr3sh-t0ken",
                          .obtained_at = WallTime(std::chrono::milliseconds(1234)),
                          .life = std::chrono::seconds(3600)};
  ASSERT_TRUE(desk_.settings->keep_tokens(made->id, tokens).has_value());
  EXPECT_FALSE(desk_.is_on_disk("acc3ss-t0ken"));
  EXPECT_FALSE(desk_.is_on_disk("refr3sh-t0ken"));
  // Under another key, too, once it was rotated.
  desk_.box = std::make_unique<crypto::SecretBox>(std::vector{box_key(2), box_key(1)});
  desk_.reopen();
  desk_.box = std::make_unique<crypto::SecretBox>(std::vector{box_key(2)});
  desk_.reopen();
  const auto kept = desk_.settings->kept_tokens(made->id);
  ASSERT_TRUE(kept.has_value() && kept->has_value());
  EXPECT_EQ((*kept)->settings_digest, "d1gest");
  EXPECT_EQ((*kept)->access_token, "acc3ss-t0ken");
  EXPECT_EQ((*kept)->refresh_token, "refr3sh-t0ken");
  EXPECT_EQ((*kept)->obtained_at, tokens.obtained_at);
  EXPECT_EQ((*kept)->life, tokens.life);

  ASSERT_TRUE(desk_.settings->delete_destination(made->id, kAny, kAuthor).has_value());
  ASSERT_TRUE(desk_.settings->keep_tokens(made->id, tokens).has_value());
  const auto gone = desk_.settings->kept_tokens(made->id);
  ASSERT_TRUE(gone.has_value());
  EXPECT_FALSE(gone->has_value());
}

}  // namespace
}  // namespace eilpost::settings
