#include "render/mask.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "render/headers.h"

namespace eilpost::render {
namespace {

// Whole names and words within names that mark a secret.
constexpr std::array<std::string_view, 7> kSecretNames = {"key",    "sig",  "auth", "code",
                                                          "cookie", "pass", "pwd"};
constexpr std::array<std::string_view, 9> kSecretWords = {"token",  "secret",    "password",
                                                          "passwd", "api-key",   "api_key",
                                                          "apikey", "signature", "authorization"};

bool names_a_secret(std::string_view name) {
  const std::string lower = to_ascii_lower(name);
  if (lower == "idempotency-key") return false;
  return std::ranges::find(kSecretNames, lower) != kSecretNames.end() || lower.ends_with("-key") ||
         lower.ends_with("_key") || std::ranges::any_of(kSecretWords, [&](std::string_view word) {
           return lower.contains(word);
         });
}

// Hosts whose incoming webhooks are addressed by a secret path, and where that begins.
struct SecretPath {
  std::string_view host;  // its end
  std::string_view path;  // its beginning
};
constexpr std::array kSecretPaths = std::to_array<SecretPath>({
    {"hooks.slack.com", "/services/"},
    {"hooks.slack.com", "/workflows/"},
    {"hooks.slack.com", "/triggers/"},
    {"webhook.office.com", "/webhookb2/"},
    {"outlook.office.com", "/webhook/"},
    {"discord.com", "/api/webhooks/"},
    {"discordapp.com", "/api/webhooks/"},
    {"hooks.zapier.com", "/hooks/catch/"},
    {"maker.ifttt.com", "/trigger/"},
});

std::string mask_path(std::string_view host, std::string_view path) {
  for (const SecretPath& secret : kSecretPaths) {
    const bool is_host = host == secret.host || host.ends_with("." + std::string(secret.host));
    if (is_host && path.starts_with(secret.path)) return std::string(secret.path).append(kMask);
  }
  return std::string(path);
}

std::string mask_query(std::string_view query) {
  std::string masked;
  while (true) {
    const std::string_view pair = query.substr(0, query.find('&'));
    const std::string_view name = pair.substr(0, pair.find('='));
    masked += name;
    if (name.size() < pair.size()) {
      masked += '=';
      masked += names_a_secret(name) ? kMask : pair.substr(name.size() + 1);
    }
    if (pair.size() == query.size()) return masked;
    masked += '&';
    query.remove_prefix(pair.size() + 1);
  }
}

// The scheme of an Authorization header may be shown.
std::string mask_authorization(std::string_view value) {
  const std::size_t blank = value.find(' ');
  if (blank == std::string_view::npos) return std::string(kMask);
  return std::string(value.substr(0, blank + 1)).append(kMask);
}

}  // namespace

std::string mask_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const std::size_t authority = scheme + 3;
  const std::size_t path = std::min(url.find_first_of("/?", authority), url.size());
  const std::size_t query = std::min(url.find('?', path), url.size());
  const std::string authority_text = to_ascii_lower(url.substr(authority, path - authority));
  const std::string host = authority_text.substr(0, authority_text.find(':'));
  std::string masked(url.substr(0, path));
  masked += mask_path(host, url.substr(path, query - path));
  if (query < url.size()) masked += "?" + mask_query(url.substr(query + 1));
  return masked;
}

void mask_secrets(OutboundRequest& request) {
  request.url = mask_url(request.url);
  for (OutboundHeader& header : request.headers) {
    if (iequals(header.name, "authorization")) {
      header.value = mask_authorization(header.value);
    } else if (iequals(header.name, "webhook-signature")) {
      header.value = header.value.substr(0, header.value.find(',') + 1).append(kMask);
    } else if (names_a_secret(header.name)) {
      header.value = kMask;
    }
  }
}

}  // namespace eilpost::render
