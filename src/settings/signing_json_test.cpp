#include "settings/signing_json.h"

#include <gtest/gtest.h>

#include "crypto/ed25519.h"
#include "env/sim/sim_env.h"
#include "settings/settings_fixture_for_test.h"

namespace eilpost::settings {
namespace {

using Errors = std::vector<std::string>;

Errors errors_reading(std::string_view signing) {
  Problems problems;
  (void)signing_from_json(&static_cast<const Json&>(json_of(signing)), nullptr, problems);
  return errors_of(problems.errors);
}

TEST(SigningJson, EverySchemeIsTakenBackAsItIsShown) {
  for (const char* text :
       {R"({"scheme":"none"})", R"({"scheme":"standard-webhooks","secret":""})",
        R"({"scheme":"github","secret":"It's a Secret to Everybody"})",
        R"({"scheme":"hmac","secret":"s","header":"X-Sign","prefix":"v0=","algorithm":"sha512",
            "encoding":"base64","content":"timestamp.body"})",
        R"({"scheme":"secret","secret":"s","header":"X-Token","prefix":""})"}) {
    Problems problems;
    const Json json = json_of(text);
    EXPECT_EQ(signing_to_json(signing_from_json(&json, nullptr, problems), true), json);
    EXPECT_TRUE(problems.ok()) << text;
  }
}

TEST(SigningJson, DefaultsAreTheCommonForm) {
  Problems problems;
  const Json json = json_of(R"({"scheme":"hmac","header":"X-Signature"})");
  const Json shown = signing_to_json(signing_from_json(&json, nullptr, problems), true);
  EXPECT_EQ(shown["algorithm"], "sha256");
  EXPECT_EQ(shown["encoding"], "hex");
  EXPECT_EQ(shown["content"], "body");
  EXPECT_EQ(shown["prefix"], "");
}

TEST(SigningJson, WhatIsWrongIsSaidAtItsPlace) {
  EXPECT_EQ(errors_reading(R"({"scheme":"md5"})"), Errors{"/signing/scheme unknown_value"});
  EXPECT_EQ(errors_reading(R"({"scheme":"hmac"})"), Errors{"/signing/header missing"});
  EXPECT_EQ(errors_reading(R"({"scheme":"hmac","header":"X","algorithm":"md5"})"),
            Errors{"/signing/algorithm unknown_value"});
  EXPECT_EQ(errors_reading(R"({"scheme":"github","header":"X"})"),
            Errors{"/signing/header unknown_field"});
  EXPECT_EQ(errors_reading(R"({"scheme":"standard-webhooks-ed25519","secret":"whsk_AAAA"})"),
            Errors{"/signing/secret bad_secret"});
  const std::string long_secret =
      R"({"scheme":"github","secret":")" + std::string(257, 'x') + R"("})";
  EXPECT_EQ(errors_reading(long_secret), Errors{"/signing/secret bad_secret"});
}

TEST(SigningJson, Ed25519ShowsItsPublicKeysAndRotatesWithOverlap) {
  env::SimEnv env(/*seed=*/1);
  Desk desk(env);
  Json input = {
      {"name", "A"}, {"platform", "custom"}, {"request", {{"url", "https://example.com"}}}};
  input["signing"] = {{"scheme", "standard-webhooks-ed25519"}};
  const auto made = desk.settings->create_destination(input, kAuthor);
  ASSERT_TRUE(made.has_value());
  ASSERT_TRUE(made->signing.secret.starts_with("whsk_"));
  const Json before = to_json(*made, /*show_secrets=*/false)["signing"];
  EXPECT_TRUE(before["public_key"].get<std::string>().starts_with("whpk_"));
  const auto rotated =
      desk.settings->rotate_signing_secret(made->id, std::chrono::hours(1), kAuthor);
  const Json after = to_json(*rotated, /*show_secrets=*/false)["signing"];
  EXPECT_EQ(after["previous_public_key"], before["public_key"]);
  EXPECT_NE(after["public_key"], before["public_key"]);
  desk.reopen();
  EXPECT_EQ(to_json(*desk.settings->destination(made->id), false)["signing"], after);
  EXPECT_FALSE(desk.is_on_disk(made->signing.secret.substr(5)));
}

TEST(SigningJson, AnotherSchemeBeginsWithASecretOfItsOwn) {
  env::SimEnv env(/*seed=*/1);
  Desk desk(env);
  const Destination destination = desk.make_destination();
  const auto change = [&](const Json& signing) {
    return desk.settings->change_destination(destination.id, {{"signing", signing}}, kAny, kAuthor);
  };
  const auto github = change({{"scheme", "github"}});
  ASSERT_TRUE(github.has_value());
  EXPECT_FALSE(github->signing.secret.empty());
  EXPECT_NE(github->signing.secret, destination.signing.secret);
  EXPECT_TRUE(github->signing.previous_secret.empty());
  const auto mine = change({{"secret", "chosen by the receiver"}});
  EXPECT_EQ(mine->signing.scheme, Signing::Scheme::github);
  EXPECT_EQ(mine->signing.secret, "chosen by the receiver");
  EXPECT_EQ(change({{"scheme", "none"}})->signing.secret, "");
}

}  // namespace
}  // namespace eilpost::settings
