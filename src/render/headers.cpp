#include "render/headers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/ascii.h"
#include "base/encoding.h"
#include "http/message.h"
#include "model/limits.h"
#include "render/other_signing.h"

namespace eilpost::render {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kSecretBytesMin = 24;  // as Standard Webhooks asks
constexpr std::size_t kSecretBytesMax = 64;

// Set by the connection, by signing, or harmful.
constexpr std::array<std::string_view, 13> kForbiddenNames = {"host",
                                                              "content-length",
                                                              "transfer-encoding",
                                                              "connection",
                                                              "keep-alive",
                                                              "te",
                                                              "trailer",
                                                              "upgrade",
                                                              "expect",
                                                              "proxy-connection",
                                                              "http2-settings",
                                                              "content-encoding",
                                                              "proxy-authorization"};

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

void check_name(std::string_view name, const std::string& pointer, Problems& problems) {
  if (!http::is_token(name)) {
    problems.error("bad_header",
                   "A header's name is made of letters, digits and hyphens, such as X-Team.",
                   pointer);
  } else if (is_forbidden_header(name)) {
    problems.error(
        "forbidden_header",
        fmt::format("The header \"{}\" is set by Eilpost and cannot be given here.", name),
        pointer);
  }
}

}  // namespace

bool is_forbidden_header(std::string_view name) {
  const std::string lower = to_ascii_lower(name);
  return lower.starts_with("webhook-") ||
         std::ranges::find(kForbiddenNames, lower) != kForbiddenNames.end();
}

void compile_headers(const Destination& destination, const TemplateScope& scope,
                     CompiledDestination& compiled, Problems& problems) {
  const std::vector<OutboundHeader>& headers = destination.request.headers;
  if (headers.size() > limits::kOutboundHeadersMax - kOwnHeaders) {
    problems.error("too_many",
                   fmt::format("A destination has at most {} headers.",
                               limits::kOutboundHeadersMax - kOwnHeaders),
                   "/request/headers");
    return;
  }
  std::set<std::string> seen;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string pointer = fmt::format("/request/headers/{}", i);
    const std::string name = to_ascii_lower(headers[i].name);
    check_name(headers[i].name, pointer + "/name", problems);
    if (!seen.insert(name).second) {
      problems.error("duplicate_header",
                     fmt::format("The header \"{}\" is given twice.", headers[i].name),
                     pointer + "/name");
    }
    if (name == "authorization" && destination.authentication.type != Authentication::Type::none) {
      problems.error("duplicate_header",
                     "The header \"Authorization\" comes from `authentication` already.",
                     pointer + "/name");
    }
    compiled.has_content_type = compiled.has_content_type || name == "content-type";
    compiled.has_user_agent = compiled.has_user_agent || name == "user-agent";
    auto value = parse_template(headers[i].value, scope);
    if (!value) {
      problems.error("bad_placeholder", to_string(value.error()), pointer + "/value");
      continue;
    }
    if (std::ranges::any_of(headers[i].value, is_control)) {
      problems.error("bad_header", "A header's value holds no line breaks or control characters.",
                     pointer + "/value");
    }
    compiled.headers.push_back({.name = headers[i].name, .value = *std::move(value)});
  }
}

void compile_authentication(const Authentication& authentication, CompiledDestination& compiled,
                            Problems& problems) {
  switch (authentication.type) {
    case Authentication::Type::none:
      return;
    case Authentication::Type::bearer:
      if (authentication.token.empty() || !http::is_header_value(authentication.token)) {
        problems.error("bad_credentials",
                       "A bearer token is needed, without blanks around it or line breaks.",
                       "/authentication/token");
        return;
      }
      compiled.authorization_scheme = "Bearer";
      compiled.authorization = "Bearer " + authentication.token;
      return;
    case Authentication::Type::oauth2:
      // Whoever sends it appends the access token of that moment.
      compiled.authorization_scheme = "Bearer";
      compiled.authorization = "Bearer ";
      return;
    case Authentication::Type::basic:
      break;
  }
  if (authentication.username.contains(':') ||
      std::ranges::any_of(authentication.username, is_control)) {
    problems.error("bad_credentials",
                   "The user name of basic authentication holds no colon and no control "
                   "characters.",
                   "/authentication/username");
    return;
  }
  if (authentication.username.empty() && authentication.password.empty()) {
    problems.error("bad_credentials",
                   "Basic authentication needs a user name, a password, or both.",
                   "/authentication/username");
    return;
  }
  if (std::ranges::any_of(authentication.password, is_control)) {
    problems.error("bad_credentials",
                   "The password of basic authentication holds no control characters.",
                   "/authentication/password");
    return;
  }
  compiled.authorization_scheme = "Basic";
  compiled.authorization =
      "Basic " + encode_base64(as_bytes(authentication.username + ":" + authentication.password));
}

namespace {

std::shared_ptr<const SigningKey> read_key(std::string_view secret, const std::string& pointer,
                                           Problems& problems) {
  if (secret.empty()) return nullptr;
  const bool has_prefix = secret.starts_with(kSecretPrefix);
  const auto bytes = has_prefix ? decode_base64(secret.substr(kSecretPrefix.size())) : std::nullopt;
  if (!bytes || bytes->size() < kSecretBytesMin || bytes->size() > kSecretBytesMax) {
    problems.error("bad_signing_secret",
                   fmt::format("A signing secret is \"whsec_\" and {} to {} bytes in base64.",
                               kSecretBytesMin, kSecretBytesMax),
                   pointer);
    return nullptr;
  }
  return std::make_shared<const SigningKey>(SigningKey{.hmac = crypto::HmacSha256(*bytes)});
}

}  // namespace

void compile_signing(const Destination& destination, CompiledDestination& compiled,
                     Problems& problems) {
  const Signing& signing = destination.signing;
  compiled.signing = signing.scheme;
  compiled.previous_until = signing.previous_until;
  if (signing.scheme == Signing::Scheme::none) return;
  if (signing.scheme != Signing::Scheme::standard_webhooks) {
    compile_other_signing(destination, compiled, problems);
    return;
  }
  compiled.key = read_key(signing.secret, "/signing/secret", problems);
  compiled.previous_key = read_key(signing.previous_secret, "/signing/previous_secret", problems);
}

std::string& HeaderWriter::add(std::string_view name) {
  if (count_ == headers_.size()) headers_.emplace_back();
  OutboundHeader& header = headers_[count_++];
  header.name.assign(name);
  header.value.clear();
  return header.value;
}

Rendered<void> HeaderWriter::finish() {
  headers_.resize(count_);
  std::size_t bytes = 0;
  for (const OutboundHeader& header : headers_) bytes += header.name.size() + header.value.size();
  if (bytes > limits::kOutboundHeaderBytesMax) {
    return cannot_render(fmt::format("The headers have {} bytes; at most {} are sent.", bytes,
                                     limits::kOutboundHeaderBytesMax));
  }
  return {};
}

Rendered<void> write_own_headers(Evaluation& evaluation, HeaderWriter& writer) {
  for (const CompiledHeader& header : evaluation.input.destination.headers) {
    std::string& value = writer.add(header.name);
    auto appended = append_text(header.value, evaluation, value);
    if (!appended) return appended;
    std::ranges::replace_if(value, is_control, ' ');
    const std::string_view trimmed = trim_ascii(value);
    if (trimmed.size() != value.size()) value = std::string(trimmed);
    if (value.empty() && !header.value.is_literal()) writer.drop_last();
  }
  return {};
}

Rendered<void> write_signing_headers(Evaluation& evaluation, std::string_view body,
                                     HeaderWriter& writer) {
  const CompiledDestination& destination = evaluation.input.destination;
  const auto seconds =
      std::chrono::floor<std::chrono::seconds>(evaluation.input.attempt_at.time_since_epoch());
  const fmt::format_int timestamp(seconds.count());
  const std::string_view timestamp_text(timestamp.data(), timestamp.size());
  writer.add("webhook-id", evaluation.input.delivery_id);
  writer.add("webhook-timestamp", timestamp_text);
  if (destination.signing == Signing::Scheme::none) return {};
  if (destination.signing != Signing::Scheme::standard_webhooks) {
    return write_other_signature(evaluation, timestamp_text, body, writer);
  }
  std::string& signature = writer.add("webhook-signature");
  if (evaluation.options.mask_secrets) {
    signature.append("v1,").append(kMask);
    return {};
  }
  if (destination.key == nullptr) {
    return cannot_render("The destination has no signing secret yet, so nothing was sent.");
  }
  const bool has_previous = destination.previous_key != nullptr &&
                            evaluation.input.attempt_at < destination.previous_until;
  for (const auto& key : {destination.key, destination.previous_key}) {
    if (key == destination.previous_key && !has_previous) break;
    crypto::HmacSha256& hmac = evaluation.scratch.signing_keys.copy_of(key);
    hmac.add(as_bytes(evaluation.input.delivery_id));
    hmac.add(as_bytes("."));
    hmac.add(as_bytes(timestamp_text));
    hmac.add(as_bytes("."));
    hmac.add(as_bytes(body));
    if (!signature.empty()) signature += ' ';
    signature += "v1,";
    signature += encode_base64(hmac.finish());
  }
  return {};
}

}  // namespace eilpost::render
