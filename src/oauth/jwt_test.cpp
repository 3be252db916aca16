#include "oauth/jwt.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "base/encoding.h"
#include "model/json.h"
#include "oauth/keys_for_test.h"

namespace eilpost::oauth {
namespace {

std::vector<std::string> parts_of(const std::string& token) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t dot = token.find('.', begin);
    parts.push_back(token.substr(begin, dot - begin));
    if (dot == std::string::npos) return parts;
    begin = dot + 1;
  }
}

Json json_of(const std::string& part) {
  const auto bytes = decode_base64url(part);
  return parse_json(as_text(bytes.value())).value();
}

OAuth settings_of(const char* key, std::string algorithm) {
  return {.token_url = "https://id.example/token",
          .client_id = "shop",
          .client_authentication = ClientAuthentication::private_key_jwt,
          .private_key = key,
          .key_id = "k1",
          .algorithm = std::move(algorithm)};
}

TEST(Jwt, Rs256IsTheExampleOfRfc7515) {
  const auto key = crypto::PrivateKey::parse(kRfc7515RsaKey);
  ASSERT_TRUE(key.has_value());
  const auto token = sign_jws(*key, crypto::JwtAlgorithm::rs256, R"({"alg":"RS256"})",
                              "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n "
                              "\"http://example.com/is_root\":true}");
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(*token,
            "eyJhbGciOiJSUzI1NiJ9"
            ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
            "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
            ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7"
            "AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4"
            "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K"
            "0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv"
            "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB"
            "p0igcN_IoypGlUPQGe77Rw");
}

TEST(Jwt, AnAssertionSaysWhoForWhomAndHowLong) {
  const WallTime now(std::chrono::milliseconds(1'700'000'000'900));
  const auto assertion = make_client_assertion(settings_of(kRfc7515EcKey, "ES256"), now, "once");
  ASSERT_TRUE(assertion.has_value());
  const std::vector<std::string> parts = parts_of(*assertion);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(to_text(json_of(parts[0])), R"({"alg":"ES256","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(to_text(json_of(parts[1])),
            R"({"iss":"shop","sub":"shop","aud":"https://id.example/token","jti":"once",)"
            R"("iat":1700000000,"exp":1700000300})");
  EXPECT_EQ(decode_base64url(parts[2]).value().size(), 64U);
}

TEST(Jwt, AKeyOfAnotherKindSignsNothing) {
  for (const auto& settings :
       {settings_of(kRfc7515EcKey, "RS256"), settings_of(kRfc7515RsaKey, "ES256"),
        settings_of(kRfc7515RsaKey, "HS256"), settings_of("no key", "RS256")}) {
    const auto assertion = make_client_assertion(settings, {}, "once");
    ASSERT_FALSE(assertion.has_value());
    EXPECT_EQ(assertion.error().code, ErrorCode::bad_input);
  }
}

}  // namespace
}  // namespace eilpost::oauth
