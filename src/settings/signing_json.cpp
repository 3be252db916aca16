#include "settings/signing_json.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "base/iso_time.h"
#include "crypto/ed25519.h"
#include "crypto/token.h"
#include "model/limits.h"
#include "settings/object_reader.h"
#include "settings/secret_json.h"

namespace eilpost::settings {
namespace {

using Scheme = Signing::Scheme;

template <class Value>
using Names = std::pair<std::string_view, Value>;

constexpr std::array kSchemes =
    std::to_array<Names<Scheme>>({{"standard-webhooks", Scheme::standard_webhooks},
                                  {"standard-webhooks-ed25519", Scheme::standard_webhooks_ed25519},
                                  {"github", Scheme::github},
                                  {"hmac", Scheme::hmac},
                                  {"secret", Scheme::secret},
                                  {"none", Scheme::none}});
constexpr std::array kDigests =
    std::to_array<Names<Signing::Digest>>({{"sha256", Signing::Digest::sha256},
                                           {"sha512", Signing::Digest::sha512},
                                           {"sha1", Signing::Digest::sha1}});
constexpr std::array kEncodings = std::to_array<Names<Signing::Encoding>>(
    {{"hex", Signing::Encoding::hex}, {"base64", Signing::Encoding::base64}});
constexpr std::array kContents = std::to_array<Names<Signing::Content>>(
    {{"body", Signing::Content::body},
     {"timestamp.body", Signing::Content::timestamp_body},
     {"id.timestamp.body", Signing::Content::id_timestamp_body}});

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [name, each] : table) {
    if (each == value) return name;
  }
  assert_failed("a value without a name");
}

// The value that a field names; nothing if it is absent or names none, which is reported.
template <class Table>
auto read_name(ObjectReader& reader, std::string_view key, const Table& table)
    -> std::optional<decltype(table.front().second)> {
  const auto text = reader.text(key);
  if (!text) return std::nullopt;
  std::string names;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table[i].first == *text) return table[i].second;
    names += i == 0 ? "" : i + 1 == table.size() ? " or " : ", ";
    names += table[i].first;
  }
  reader.error("unknown_value", fmt::format("The {} is {}.", key, names), key);
  return std::nullopt;
}

void check_secret(ObjectReader& reader, Scheme scheme, const std::string& secret) {
  if (secret.empty()) return;  // One is made.
  if (scheme == Scheme::standard_webhooks && !crypto::decode_webhook_secret(secret)) {
    reader.error(
        "bad_secret",
        fmt::format("A signing secret is \"whsec_\" and {} to {} bytes in base64. Leave it "
                    "out to have one made.",
                    crypto::kWebhookSecretBytesMin, crypto::kWebhookSecretBytesMax),
        "secret");
  } else if (scheme == Scheme::standard_webhooks_ed25519 &&
             !crypto::decode_webhook_private_key(secret)) {
    reader.error("bad_secret",
                 "A private key is \"whsk_\" and 32 or 64 bytes in base64, of Ed25519. Leave it "
                 "out to have one made.",
                 "secret");
  } else if (secret.size() > limits::kSigningSecretBytesMax) {
    reader.error("bad_secret",
                 fmt::format("A secret has at most {} bytes.", limits::kSigningSecretBytesMax),
                 "secret");
  }
}

void read_header(ObjectReader& reader, Signing& signing) {
  signing.header = reader.text("header").value_or("");
  if (signing.header.empty() && reader.is_object() && reader.given("header") == nullptr) {
    reader.error("missing", "Give the name of the header, such as X-Signature.", "header");
  }
  signing.prefix = reader.text("prefix").value_or("");
  for (const auto& [key, text] :
       {std::pair("header", &signing.header), std::pair("prefix", &signing.prefix)}) {
    if (text->size() <= limits::kNameBytesMax) continue;
    reader.error("too_long",
                 fmt::format("\"{}\" has at most {} bytes.", key, limits::kNameBytesMax), key);
  }
}

void show_public_keys(const Signing& signing, Json& json) {
  const auto show = [&json](const char* name, const std::string& secret) {
    if (const auto pair = crypto::decode_webhook_private_key(secret)) {
      json[name] = crypto::webhook_public_key(*pair);
    }
  };
  show("public_key", signing.secret);
  show("previous_public_key", signing.previous_secret);
}

}  // namespace

Json signing_to_json(const Signing& signing, bool show_secrets) {
  Json json = {{"scheme", name_in(kSchemes, signing.scheme)}};
  if (signing.scheme == Scheme::none) return json;
  json["secret"] = secret_to_json(signing.secret, show_secrets);
  if (signing.scheme == Scheme::standard_webhooks_ed25519) show_public_keys(signing, json);
  if (signing.scheme == Scheme::hmac || signing.scheme == Scheme::secret) {
    json["header"] = signing.header;
    json["prefix"] = signing.prefix;
  }
  if (signing.scheme == Scheme::hmac) {
    json["algorithm"] = name_in(kDigests, signing.digest);
    json["encoding"] = name_in(kEncodings, signing.encoding);
    json["content"] = name_in(kContents, signing.content);
  }
  if (!signing.previous_secret.empty()) {
    json["previous_until"] = format_iso_time(signing.previous_until);
  }
  return json;
}

Signing signing_from_json(const Json* json, const Signing* kept, Problems& problems) {
  static const Json kDefault = Json::object();
  const Signing nothing{.secret = {}};
  ObjectReader reader(json == nullptr ? kDefault : *json, "/signing", problems);
  reader.ignore({"previous_until", "public_key", "previous_public_key"});
  Signing signing;
  signing.scheme = read_name(reader, "scheme", kSchemes).value_or(Scheme::standard_webhooks);
  const Signing& before = kept == nullptr || kept->scheme != signing.scheme ? nothing : *kept;
  std::string secret = read_secret(reader, "secret", before.secret);
  if (signing.scheme == Scheme::hmac || signing.scheme == Scheme::secret) {
    read_header(reader, signing);
  }
  if (signing.scheme == Scheme::hmac) {
    signing.digest = read_name(reader, "algorithm", kDigests).value_or(signing.digest);
    signing.encoding = read_name(reader, "encoding", kEncodings).value_or(signing.encoding);
    signing.content = read_name(reader, "content", kContents).value_or(signing.content);
  }
  reader.finish();
  if (signing.scheme == Scheme::none) return signing;
  check_secret(reader, signing.scheme, secret);
  signing.secret = std::move(secret);
  if (signing.secret == before.secret) {
    signing.previous_secret = before.previous_secret;
    signing.previous_until = before.previous_until;
  }
  return signing;
}

std::string make_signing_secret(Scheme scheme, env::Entropy& entropy) {
  switch (scheme) {
    case Scheme::none:
      return {};
    case Scheme::standard_webhooks:
      return crypto::make_webhook_secret(entropy);
    case Scheme::standard_webhooks_ed25519:
      return crypto::make_webhook_private_key(entropy);
    case Scheme::github:
    case Scheme::hmac:
    case Scheme::secret:
      return crypto::make_token("", entropy);
  }
  assert_failed("Signing::Scheme");
}

bool is_secret_shared(Scheme scheme) {
  return scheme != Scheme::none && scheme != Scheme::standard_webhooks_ed25519;
}

}  // namespace eilpost::settings
