#include "render/other_signing.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/assert.h"
#include "base/encoding.h"
#include "http/message.h"
#include "model/limits.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kGithubHeader = "X-Hub-Signature-256";
constexpr std::string_view kGithubPrefix = "sha256=";

crypto::HmacDigest to_crypto(Signing::Digest digest) {
  switch (digest) {
    case Signing::Digest::sha1:
      return crypto::HmacDigest::sha1;
    case Signing::Digest::sha256:
      return crypto::HmacDigest::sha256;
    case Signing::Digest::sha512:
      return crypto::HmacDigest::sha512;
  }
  assert_failed("Signing::Digest");
}

void check_header(const Destination& destination, const OtherSigning& signing, Problems& problems) {
  const auto clashes = [&signing](const OutboundHeader& own) {
    return iequals(own.name, signing.header) || iequals(own.name, signing.previous_header);
  };
  const bool has_authentication = destination.authentication.type != Authentication::Type::none &&
                                  iequals(signing.header, "authorization");
  const std::string pointer = "/signing/header";
  if (!http::is_token(signing.header)) {
    problems.error("bad_header",
                   "Give the header's name, made of letters, digits and hyphens, such as "
                   "X-Signature.",
                   pointer);
  } else if (is_forbidden_header(signing.header) || iequals(signing.header, "content-type") ||
             iequals(signing.header, "user-agent")) {
    problems.error("forbidden_header",
                   fmt::format("The header \"{}\" cannot hold a signature.", signing.header),
                   pointer);
  } else if (has_authentication || std::ranges::any_of(destination.request.headers, clashes)) {
    problems.error("duplicate_header",
                   fmt::format("The destination sends the header \"{}\" already.", signing.header),
                   pointer);
  }
  if (!std::ranges::all_of(signing.prefix, [](char c) { return c >= ' ' && c < 0x7F; })) {
    problems.error("bad_prefix", "The prefix is made of printable ASCII characters.",
                   "/signing/prefix");
  }
}

std::optional<crypto::Ed25519KeyPair> read_pair(const std::string& secret, std::string_view key,
                                                Problems& problems) {
  if (secret.empty()) return std::nullopt;
  auto pair = crypto::decode_webhook_private_key(secret);
  if (!pair) {
    problems.error("bad_signing_secret",
                   "A private key is \"whsk_\" and 32 or 64 bytes in base64, of Ed25519.",
                   fmt::format("/signing/{}", key));
  }
  return pair;
}

void check_sent_secret(const OtherSigning& signing, const std::string& secret, Problems& problems) {
  if (secret.empty() || http::is_header_value(signing.prefix + secret)) return;
  problems.error("bad_signing_secret",
                 "A secret that is sent as a header has no line breaks, control characters or "
                 "blanks around it.",
                 "/signing/secret");
}

void append_message(const Evaluation& evaluation, Signing::Content content,
                    std::string_view timestamp, std::string_view body, std::string& message) {
  if (content == Signing::Content::id_timestamp_body) {
    message.append(evaluation.input.delivery_id).append(".");
  }
  if (content != Signing::Content::body) message.append(timestamp).append(".");
  message.append(body);
}

std::string hmac_text(const OtherSigning& signing, const std::string& secret,
                      std::string_view message) {
  const Bytes code = crypto::hmac(to_crypto(signing.digest), as_bytes(secret), as_bytes(message));
  return signing.encoding == Signing::Encoding::hex ? encode_hex(code) : encode_base64(code);
}

}  // namespace

void compile_other_signing(const Destination& destination, CompiledDestination& compiled,
                           Problems& problems) {
  const Signing& given = destination.signing;
  auto signing = std::make_shared<OtherSigning>();
  signing->header = given.header;
  signing->prefix = given.prefix;
  signing->digest = given.digest;
  signing->encoding = given.encoding;
  signing->content = given.content;
  signing->secret = given.secret;
  signing->previous_secret = given.previous_secret;
  if (given.scheme == Signing::Scheme::standard_webhooks_ed25519) {
    signing->pair = read_pair(given.secret, "secret", problems);
    signing->previous_pair = read_pair(given.previous_secret, "previous_secret", problems);
  } else {
    if (given.scheme == Signing::Scheme::github) {
      signing->header = kGithubHeader;
      signing->prefix = kGithubPrefix;
    }
    signing->previous_header = signing->header + std::string(kPreviousSuffix);
    check_header(destination, *signing, problems);
  }
  if (given.scheme == Signing::Scheme::secret) check_sent_secret(*signing, given.secret, problems);
  compiled.other_signing = std::move(signing);
}

namespace {

Rendered<void> write_ed25519(const Evaluation& evaluation, bool has_previous,
                             std::string_view timestamp, std::string_view body,
                             HeaderWriter& writer) {
  const OtherSigning& signing = *evaluation.input.destination.other_signing;
  std::string message;
  append_message(evaluation, Signing::Content::id_timestamp_body, timestamp, body, message);
  std::string& value = writer.add("webhook-signature");
  for (const auto* pair : {&signing.pair, &signing.previous_pair}) {
    if (!*pair || (pair == &signing.previous_pair && !has_previous)) continue;
    if (!value.empty()) value += ' ';
    value += "v1a,";
    value += encode_base64(crypto::ed25519_sign(as_bytes(message), (*pair)->secret_key));
  }
  return {};
}

}  // namespace

Rendered<void> write_other_signature(Evaluation& evaluation, std::string_view timestamp,
                                     std::string_view body, HeaderWriter& writer) {
  const CompiledDestination& destination = evaluation.input.destination;
  const OtherSigning& signing = *destination.other_signing;
  const bool is_ed25519 = destination.signing == Signing::Scheme::standard_webhooks_ed25519;
  if (evaluation.options.mask_secrets) {
    std::string& value = writer.add(is_ed25519 ? "webhook-signature" : signing.header);
    value.append(is_ed25519 ? "v1a," : signing.prefix).append(kMask);
    return {};
  }
  if (signing.secret.empty()) {
    return cannot_render("The destination has no signing secret yet, so nothing was sent.");
  }
  const bool has_previous =
      !signing.previous_secret.empty() && evaluation.input.attempt_at < destination.previous_until;
  if (is_ed25519) return write_ed25519(evaluation, has_previous, timestamp, body, writer);
  std::string message;
  append_message(evaluation, signing.content, timestamp, body, message);
  const bool is_sent = destination.signing == Signing::Scheme::secret;
  const auto write = [&](const std::string& header, const std::string& secret) {
    const std::string text = is_sent ? secret : hmac_text(signing, secret, message);
    writer.add(header).append(signing.prefix).append(text);
  };
  write(signing.header, signing.secret);
  if (has_previous) write(signing.previous_header, signing.previous_secret);
  return {};
}

}  // namespace eilpost::render
