// Goal:   each scheme signs what it says, as published examples have it.
// Method: GitHub's own example; Ed25519 verified with the public key that receivers are given.

#include "render/other_signing.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "env/sim/sim_entropy.h"
#include "render/render_fixture.h"

namespace eilpost::render {
namespace {

using Scheme = Signing::Scheme;

std::string header_of(const OutboundRequest& request, std::string_view name) {
  for (const OutboundHeader& header : request.headers) {
    if (header.name == name) return header.value;
  }
  return "(none)";
}

RenderFixture signed_by(Signing signing) {
  RenderFixture fixture;
  fixture.choose("nps");
  fixture.destination.signing = std::move(signing);
  return fixture;
}

// docs.github.com, "Validating webhook deliveries".
TEST(OtherSigning, GithubsExampleHasItsSignature) {
  const Bytes code = crypto::hmac(crypto::HmacDigest::sha256,
                                  as_bytes(std::string_view("It's a Secret to Everybody")),
                                  as_bytes(std::string_view("Hello, World!")));
  EXPECT_EQ(encode_hex(code), "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
}

TEST(OtherSigning, GithubSignsTheBody) {
  RenderFixture fixture = signed_by({.scheme = Scheme::github, .secret = "key"});
  const OutboundRequest request = fixture.render().value();
  const Bytes code = crypto::hmac(crypto::HmacDigest::sha256, as_bytes(std::string_view("key")),
                                  as_bytes(request.body));
  EXPECT_EQ(header_of(request, "X-Hub-Signature-256"), "sha256=" + encode_hex(code));
  EXPECT_EQ(header_of(request, "webhook-id"), "dlv_0000000000001-0");
  EXPECT_EQ(header_of(request, "webhook-signature"), "(none)");
}

TEST(OtherSigning, AnHmacHasTheFormThatTheReceiverWants) {
  RenderFixture fixture = signed_by({.scheme = Scheme::hmac,
                                     .secret = "key",
                                     .previous_secret = {},
                                     .header = "X-Signature",
                                     .prefix = "v0=",
                                     .digest = Signing::Digest::sha512,
                                     .encoding = Signing::Encoding::base64,
                                     .content = Signing::Content::timestamp_body});
  const auto sign = [](crypto::HmacDigest digest, std::string_view message) {
    return crypto::hmac(digest, as_bytes(std::string_view("key")), as_bytes(message));
  };
  EXPECT_EQ(header_of(fixture.render().value(), "X-Signature"),
            "v0=" + encode_base64(sign(crypto::HmacDigest::sha512, R"(1795510801.{"nps":9})")));
  Signing& signing = fixture.destination.signing;
  signing.content = Signing::Content::id_timestamp_body;
  signing.digest = Signing::Digest::sha1;
  signing.encoding = Signing::Encoding::hex;
  EXPECT_EQ(header_of(fixture.render().value(), "X-Signature"),
            "v0=" + encode_hex(sign(crypto::HmacDigest::sha1,
                                    R"(dlv_0000000000001-0.1795510801.{"nps":9})")));
}

TEST(OtherSigning, ASecretIsSentAsItIs) {
  RenderFixture fixture = signed_by({.scheme = Scheme::secret,
                                     .secret = "hunter2",
                                     .previous_secret = {},
                                     .header = "X-Team",
                                     .prefix = "Token "});
  EXPECT_EQ(header_of(fixture.render().value(), "X-Team"), "Token hunter2");
  fixture.options.mask_secrets = true;
  EXPECT_EQ(header_of(fixture.render().value(), "X-Team"), "Token ••••");
}

TEST(OtherSigning, Ed25519IsVerifiedWithThePublicKey) {
  env::SimEntropy entropy(1);
  const std::string secret = crypto::make_webhook_private_key(entropy);
  const std::string previous = crypto::make_webhook_private_key(entropy);
  RenderFixture fixture = signed_by(
      {.scheme = Scheme::standard_webhooks_ed25519, .secret = secret, .previous_secret = previous});
  fixture.destination.signing.previous_until = fixture.attempt_at + std::chrono::milliseconds(1);
  const std::string both = header_of(fixture.render().value(), "webhook-signature");
  const std::string message = R"(dlv_0000000000001-0.1795510801.{"nps":9})";
  const auto verifies = [&](std::string_view text, const std::string& key) {
    EXPECT_TRUE(text.starts_with("v1a,"));
    const auto bytes = decode_base64(text.substr(4));
    crypto::Ed25519Signature signature{};
    EXPECT_EQ(bytes->size(), signature.size());
    std::ranges::copy(*bytes, signature.begin());
    return crypto::ed25519_verify(as_bytes(message), signature,
                                  crypto::decode_webhook_private_key(key)->public_key);
  };
  const std::size_t blank = both.find(' ');
  ASSERT_NE(blank, std::string::npos);
  EXPECT_TRUE(verifies(both.substr(0, blank), secret));
  EXPECT_TRUE(verifies(both.substr(blank + 1), previous));
  fixture.destination.signing.previous_until = fixture.attempt_at;
  EXPECT_EQ(header_of(fixture.render().value(), "webhook-signature"), both.substr(0, blank));
  fixture.options.mask_secrets = true;
  EXPECT_EQ(header_of(fixture.render().value(), "webhook-signature"), "v1a,••••");
}

TEST(OtherSigning, WhileBothSecretsAreValidASecondHeaderHasTheOldOne) {
  RenderFixture fixture =
      signed_by({.scheme = Scheme::github, .secret = "new", .previous_secret = "old"});
  fixture.destination.signing.previous_until = fixture.attempt_at + std::chrono::milliseconds(1);
  RenderFixture with_old = signed_by({.scheme = Scheme::github, .secret = "old"});
  EXPECT_EQ(header_of(fixture.render().value(), "X-Hub-Signature-256-Previous"),
            header_of(with_old.render().value(), "X-Hub-Signature-256"));
  fixture.destination.signing.previous_until = fixture.attempt_at;
  EXPECT_EQ(header_of(fixture.render().value(), "X-Hub-Signature-256-Previous"), "(none)");
}

TEST(OtherSigning, NothingIsSentUnsignedForWantOfASecret) {
  RenderFixture fixture = signed_by({.scheme = Scheme::github, .secret = {}});
  EXPECT_TRUE(fixture.render().error().detail.contains("no signing secret yet"));
}

TEST(OtherSigning, AHeaderThatCannotHoldItIsRefused) {
  const auto code_of = [](const std::string& header) {
    RenderFixture fixture = signed_by(
        {.scheme = Scheme::secret, .secret = "s", .previous_secret = {}, .header = header});
    fixture.destination.request.headers = {{.name = "X-Own", .value = "1"}};
    fixture.destination.authentication = {.type = Authentication::Type::bearer, .token = "t"};
    const auto errors = fixture.errors();
    return errors.empty() ? "" : errors.front().substr(0, errors.front().find(':'));
  };
  EXPECT_EQ(code_of("X-Signature"), "");
  EXPECT_EQ(code_of("X Signature"), "bad_header /signing/header");
  EXPECT_EQ(code_of("Host"), "forbidden_header /signing/header");
  EXPECT_EQ(code_of("webhook-signature"), "forbidden_header /signing/header");
  EXPECT_EQ(code_of("Content-Type"), "forbidden_header /signing/header");
  EXPECT_EQ(code_of("x-own"), "duplicate_header /signing/header");
  EXPECT_EQ(code_of("Authorization"), "duplicate_header /signing/header");
  RenderFixture broken = signed_by(
      {.scheme = Scheme::secret, .secret = "a\nb", .previous_secret = {}, .header = "X-Token"});
  EXPECT_EQ(broken.errors().size(), 1U);
}

}  // namespace
}  // namespace eilpost::render
