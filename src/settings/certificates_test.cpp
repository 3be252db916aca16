// Goal:   a destination's certificates are held to the full-chain rule when they are saved, and
// only
//         then; the key stays secret; what is unchanged keeps its connections.
// Method: Settings on a simulated machine, with chains made on the spot.

#include "settings/certificates.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "env/sim/sim_env.h"
#include "settings/settings_fixture_for_test.h"
#include "support/certificates.h"

namespace eilpost::settings {
namespace {

using std::chrono::days;
using support::Authority;
using support::Identity;

class DestinationCertificates : public testing::Test {
 protected:
  [[nodiscard]] const crypto::Certificate leaf() const {
    return crypto::read_certificates(identity_.certificate_pem).front();
  }
  [[nodiscard]] Json input(Json tls) const {
    Json json = {{"name", "Bank"},
                 {"platform", "custom"},
                 {"request", {{"url", "https://api.bank.example/v1"}}}};
    json["tls"] = std::move(tls);
    return json;
  }
  [[nodiscard]] Json full() const {
    return {{"client_certificate", identity_.chain_pem + root_.certificate_pem()},
            {"client_key", identity_.key_pem}};
  }
  std::vector<std::string> errors_of_create(Json tls) {
    const auto made = desk_.settings->create_destination(input(std::move(tls)), kAuthor);
    return made ? std::vector<std::string>() : errors_of(made.error().errors);
  }
  std::shared_ptr<const pipeline::LiveDestination> live(DestinationId id) {
    return desk_.settings->snapshot()->destinations.at(id);
  }

  const Authority root_ = support::make_ca("Bank root");
  const Authority middle_ = root_.make_intermediate("Bank middle");
  const Identity identity_ = middle_.issue({.common_name = "client.example"});
  env::SimEnv env_{/*seed=*/1, {.wall_start = leaf().not_before + days(2)}};
  Desk desk_{env_};
};

TEST_F(DestinationCertificates, AFullChainIsSavedAndDescribedAndItsKeyIsSecret) {
  const auto made = desk_.settings->create_destination(input(full()), kAuthor);
  ASSERT_TRUE(made.has_value()) << made.error().errors.front().detail;
  const Json shown = to_json(*made, /*show_secrets=*/false);
  EXPECT_EQ(shown["tls"]["client_key"], Json({{"set", true}}));
  EXPECT_EQ(shown["tls"]["certificates"].size(), 3U);
  EXPECT_EQ(shown["tls"]["certificates"][0]["subject"], "CN=client.example");
  EXPECT_EQ(shown["tls"]["expires_at"], shown["tls"]["certificates"][0]["not_after"]);
  const std::string key_line = identity_.key_pem.substr(40, 40);
  EXPECT_FALSE(desk_.is_on_disk(key_line));
  desk_.reopen();
  EXPECT_EQ(desk_.settings->destination(made->id)->tls, made->tls);
  EXPECT_NE(live(made->id)->tls_context, nullptr);
  for (const VersionRow& row : desk_.settings->destination_versions(made->id)) {
    EXPECT_FALSE(to_text(row.object).contains(key_line));
  }
}

TEST_F(DestinationCertificates, WhatIsWrongIsSaidAtItsField) {
  using Errors = std::vector<std::string>;
  Json tls = full();
  tls["client_certificate"] = identity_.chain_pem;
  EXPECT_EQ(errors_of_create(tls), Errors{"/tls/client_certificate issuer_missing"});
  tls = full();
  tls["client_key"] = middle_.issue({}).key_pem;
  EXPECT_EQ(errors_of_create(tls), Errors{"/tls/client_key key_mismatch"});
  tls.erase("client_key");
  EXPECT_EQ(errors_of_create(tls), Errors{"/tls/client_key key_missing"});
  EXPECT_EQ(errors_of_create({{"client_key", identity_.key_pem}}),
            Errors{"/tls/client_certificate certificate_missing"});
  EXPECT_EQ(errors_of_create({{"ca_certificates", middle_.certificate_pem()}}),
            Errors{"/tls/ca_certificates issuer_missing"});
  EXPECT_EQ(errors_of_create({{"ca_certificates", std::string(300'000, 'x')}}),
            Errors{"/tls/ca_certificates too_long"});
  EXPECT_EQ(errors_of_create({{"trust", "all"}}), Errors{"/tls/trust unknown_value"});
  EXPECT_EQ(errors_of_create({{"client_pkcs12", "?"}}), Errors{"/tls/client_pkcs12 bad_pkcs12"});
  EXPECT_EQ(errors_of_create({{"client_pkcs12", "AAAA"}}), Errors{"/tls/client_pkcs12 bad_pkcs12"});
  EXPECT_TRUE(desk_.settings->destinations().empty());
}

TEST_F(DestinationCertificates, Pkcs12BecomesPem) {
  Identity whole = identity_;
  whole.chain_pem += root_.certificate_pem();
  const std::string file = support::make_pkcs12(whole, "geheim");
  const auto made =
      desk_.settings->create_destination(input({{"client_pkcs12", encode_base64(as_bytes(file))},
                                                {"client_pkcs12_password", "geheim"}}),
                                         kAuthor);
  ASSERT_TRUE(made.has_value()) << made.error().errors.front().detail;
  EXPECT_EQ(made->tls.client_certificate, whole.chain_pem);
  EXPECT_FALSE(to_text(to_json(*made, /*show_secrets=*/true)).contains("geheim"));
}

TEST_F(DestinationCertificates, OnlyAnotherCertificateMakesAnotherContext) {
  const auto made = desk_.settings->create_destination(input(full()), kAuthor);
  ASSERT_TRUE(made.has_value());
  const auto before = live(made->id);
  const auto renamed = desk_.settings->change_destination(made->id, {{"name", "B"}}, kAny, kAuthor);
  ASSERT_TRUE(renamed.has_value());
  EXPECT_EQ(live(made->id)->tls_context, before->tls_context);

  const Identity next = middle_.issue({.common_name = "client.example"});
  const std::string next_chain = next.chain_pem + root_.certificate_pem();
  const Json tls = {{"client_certificate", next_chain}, {"client_key", next.key_pem}};
  ASSERT_TRUE(desk_.settings->change_destination(made->id, {{"tls", tls}}, kAny, kAuthor));
  EXPECT_NE(live(made->id)->tls_context, before->tls_context);
  // The certificate alone does not fit the key that is kept.
  const Json half = {{"client_certificate", identity_.chain_pem + root_.certificate_pem()}};
  const auto refused = desk_.settings->change_destination(made->id, {{"tls", half}}, kAny, kAuthor);
  EXPECT_EQ(errors_of(refused.error().errors),
            std::vector<std::string>{"/tls/client_key key_mismatch"});

  const Json none = {{"client_certificate", nullptr}};
  const auto removed = desk_.settings->change_destination(made->id, {{"tls", none}}, kAny, kAuthor);
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(removed->tls.client_key.empty());
  EXPECT_EQ(live(made->id)->tls_context, nullptr);
}

TEST_F(DestinationCertificates, WhatExpiresLaterIsWarnedOfAndStandsInNoOtherChangesWay) {
  const auto made = desk_.settings->create_destination(input(full()), kAuthor);
  ASSERT_TRUE(made.has_value());
  const WallTime end = leaf().not_after;
  const auto codes_at = [&](WallTime now) {
    std::vector<std::string> codes;
    for (const Problem& each : certificate_warnings(made->tls, now)) codes.push_back(each.code);
    return codes;
  };
  using Codes = std::vector<std::string>;
  EXPECT_EQ(codes_at(end - days(31)), Codes{});
  EXPECT_EQ(codes_at(end - days(30)), Codes{"certificate_expiring"});
  EXPECT_EQ(codes_at(end), Codes{"certificate_expired"});
  EXPECT_TRUE(certificate_warnings(made->tls, end - days(1)).front().detail.contains("in 1 day:"));

  env_.advance(days(40));
  desk_.reopen();
  EXPECT_TRUE(desk_.settings->change_destination(made->id, {{"name", "B"}}, kAny, kAuthor));
  const auto again = desk_.settings->create_destination(input(full()), kAuthor);
  EXPECT_EQ(errors_of(again.error().errors),
            std::vector<std::string>{"/tls/client_certificate expired"});
}

TEST_F(DestinationCertificates, DraftsAreCheckedToo) {
  Json tls = full();
  tls["client_certificate"] = identity_.chain_pem;
  const Json webhook = {{"name", "Hook"}, {"event", "survey.submitted"}};
  const auto draft = desk_.settings->compile_draft(webhook, input(tls));
  ASSERT_FALSE(draft.has_value());
  EXPECT_EQ(errors_of(draft.error().errors),
            std::vector<std::string>{"/destination/tls/client_certificate issuer_missing"});
  EXPECT_NE(desk_.settings->compile_draft(webhook, input(full()))->destination->tls_context,
            nullptr);
}

}  // namespace
}  // namespace eilpost::settings
