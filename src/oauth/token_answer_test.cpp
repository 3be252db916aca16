#include "oauth/token_answer.h"

#include <gtest/gtest.h>

#include "model/limits.h"
#include "oauth/redact.h"

namespace eilpost::oauth {
namespace {

using namespace std::chrono_literals;

std::expected<Tokens, TokenFailure> read(int status, std::string_view body,
                                         std::string_view type = "application/json") {
  return read_token_answer({.status = status, .content_type = type, .body = body},
                           {"s3cret", "refr3sh"});
}

std::string detail_of(int status, std::string_view body,
                      std::string_view type = "application/json") {
  const auto tokens = read(status, body, type);
  return tokens ? "a token" : tokens.error().detail;
}

TEST(TokenAnswer, GivesTokensAndTheirLife) {
  const auto tokens = read(
      200, R"({"access_token":"abc","token_type":"Bearer","expires_in":3600,"refresh_token":"r"})");
  ASSERT_TRUE(tokens.has_value());
  EXPECT_EQ(tokens->access_token, "abc");
  EXPECT_EQ(tokens->refresh_token, "r");
  EXPECT_EQ(tokens->life, Duration(1h));
}

TEST(TokenAnswer, TheLifeMayBeUnknownInDigitsOrVeryLong) {
  const auto life = [](std::string_view value) {
    const std::string body =
        R"({"access_token":"abc","token_type":"bearer","expires_in":)" + std::string(value) + "}";
    const auto tokens = read(200, body);
    EXPECT_TRUE(tokens.has_value()) << value;
    return tokens ? tokens->life : Duration(-1h);
  };
  EXPECT_EQ(life("null"), std::nullopt);
  EXPECT_EQ(life("\"3599\""), Duration(3599s));
  EXPECT_EQ(life("59.9"), Duration(59s));
  EXPECT_EQ(life("1e300"), limits::kTokenLifeMax);
  EXPECT_EQ(read(200, R"({"access_token":"a","token_type":"BEARER"})")->life, std::nullopt);
}

TEST(TokenAnswer, SaysWhatWasAnsweredInsteadOfAToken) {
  EXPECT_EQ(detail_of(400, R"({"error":"invalid_client","error_description":"Who?"})"),
            "The token end point answered 400: invalid_client \"Who?\".");
  EXPECT_EQ(detail_of(200, R"({"error":"bad_code"})"),
            "The token end point answered 200: bad_code.");
  EXPECT_EQ(detail_of(503, "<h1>Busy</h1>\r\n", "text/html"),
            "The token end point answered 503: \"<h1>Busy</h1>\".");
  EXPECT_EQ(detail_of(500, ""), "The token end point answered 500.");
  EXPECT_EQ(detail_of(302, ""),
            "The token end point answered 302; it is not followed elsewhere: give the URL that it "
            "leads to.");
  EXPECT_EQ(detail_of(200, "access_token=abc&token_type=bearer", "text/plain"),
            "The token end point answered 200, but no JSON object (Content-Type text/plain).");
  EXPECT_EQ(detail_of(200, "[1]"),
            "The token end point answered 200, but no JSON object (Content-Type "
            "application/json).");
  EXPECT_EQ(detail_of(200, R"({"token_type":"bearer"})"),
            "The token end point answered 200, but no access_token.");
  EXPECT_EQ(detail_of(200, R"({"access_token":7,"token_type":"bearer"})"),
            "The token end point answered 200, but no access_token.");
  EXPECT_EQ(detail_of(200, R"({"access_token":"a","token_type":"mac"})"),
            "The token end point answered 200 with token_type \"mac\"; only Bearer can be sent.");
  EXPECT_EQ(detail_of(200, R"({"access_token":"a","token_type":"bearer","expires_in":-1})"),
            "The token end point answered 200 with expires_in -1; that must be a number of seconds "
            "above 0.");
  for (const char* life : {"0", "\"soon\"", "\"-5\"", "true", "[]"}) {
    const std::string body =
        std::string(R"({"access_token":"a","token_type":"bearer","expires_in":)") + life + "}";
    EXPECT_TRUE(detail_of(200, body).contains("expires_in")) << life;
  }
}

TEST(TokenAnswer, RefusesATokenThatCouldNotStandInAHeader) {
  const std::string huge(limits::kAccessTokenBytesMax + 1, 'a');
  for (const std::string& token : {std::string("a b"), std::string("a\\r\\nX: y"), huge}) {
    const std::string body = R"({"token_type":"bearer","access_token":")" + token + "\"}";
    EXPECT_TRUE(detail_of(200, body).contains("cannot be sent")) << token.substr(0, 20);
  }
}

TEST(TokenAnswer, NeverRepeatsASecret) {
  EXPECT_EQ(detail_of(400, R"({"error":"x","error_description":"s3cret for refr3sh"})"),
            "The token end point answered 400: x \"•••• for ••••\".");
  EXPECT_EQ(detail_of(400, "you sent s3cret"),
            "The token end point answered 400: \"you sent ••••\".");
}

TEST(Redact, HidesEncodedFormsControlsAndLength) {
  EXPECT_EQ(redact("a%26b YSZi a&b", {"a&b"}, 100), "•••• •••• ••••");
  EXPECT_EQ(redact("a\r\nb\x01", {}, 100), "a  b ");
  EXPECT_EQ(redact("\xff ok", {}, 100), "? ok");
  EXPECT_EQ(redact("abcdef", {}, 3), "abc…");
  EXPECT_EQ(redact("", {""}, 3), "");
}

}  // namespace
}  // namespace eilpost::oauth
