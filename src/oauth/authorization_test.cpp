#include "oauth/authorization.h"

#include <gtest/gtest.h>

#include "env/sim/sim_env.h"

namespace eilpost::oauth {
namespace {

// RFC 7636, appendix B.
TEST(Authorization, TheChallengeIsTheExampleOfRfc7636) {
  EXPECT_EQ(code_challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

TEST(Authorization, EachVerifierIsAnotherOneOfFortyThreeCharacters) {
  env::SimEnv env(/*seed=*/1, {});
  const std::string first = make_code_verifier(env.entropy());
  EXPECT_EQ(first.size(), 43U);
  EXPECT_EQ(first.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                    "0123456789-_"),
            std::string::npos);
  EXPECT_NE(first, make_code_verifier(env.entropy()));
}

TEST(Authorization, TheUrlKeepsItsQueryAndEncodesWhatIsAdded) {
  const OAuth settings{.authorize_url = "https://id.example/authorize?tenant=a%20b",
                       .client_id = "shop & co",
                       .scope = "read write",
                       .audience = "https://api.example/",
                       .parameters = {{"prompt", "consent"}}};
  EXPECT_EQ(
      authorization_url(settings, {.redirect_uri = "https://hooks.example/oauth/callback",
                                   .state = "st",
                                   .code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}),
      "https://id.example/authorize?tenant=a%20b&response_type=code"
      "&client_id=shop%20%26%20co"
      "&redirect_uri=https%3A%2F%2Fhooks.example%2Foauth%2Fcallback&scope=read%20write"
      "&audience=https%3A%2F%2Fapi.example%2F&state=st"
      "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
      "&code_challenge_method=S256&prompt=consent");
}

TEST(Authorization, AUrlWithoutAQueryGetsOne) {
  const OAuth settings{.authorize_url = "https://id.example/authorize", .client_id = "shop"};
  const std::string url = authorization_url(settings, {.state = "st"});
  EXPECT_TRUE(url.starts_with("https://id.example/authorize?response_type=code&client_id=shop&"))
      << url;
  EXPECT_FALSE(url.contains("scope=")) << url;
}

}  // namespace
}  // namespace eilpost::oauth
