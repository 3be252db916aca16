#pragma once
// A destination as the user sees it (SPEC "Destinations"): where and how webhooks are sent.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/answer_rules.h"
#include "model/ids.h"
#include "model/json.h"
#include "model/limits.h"
#include "model/oauth.h"
#include "model/outbound.h"
#include "model/tls_settings.h"
#include "model/webhook.h"

namespace eilpost {

// A value that people fill in, for {{field.name}}: text, number, boolean, or a list of these.
struct Field {
  std::string name;
  Json value;
};

// For {{secret.name}}.
struct Secret {
  std::string name;
  std::string value;  // secret
};

struct RequestSettings {
  HttpMethod method = HttpMethod::post;
  std::string url;                      // may hold placeholders in path segments and query values
  std::vector<OutboundHeader> headers;  // values may hold placeholders
  std::chrono::milliseconds timeout = limits::kTimeoutDefault;
};

struct Authentication {
  enum class Type : std::uint8_t { none, bearer, basic, oauth2 };

  Type type = Type::none;
  std::string token;                   // bearer; secret
  std::string username;                // basic
  std::string password;                // basic; secret
  std::shared_ptr<const OAuth> oauth;  // of oauth2, and only then
};

// How receivers are shown that a request is ours (docs/SIGNING.md).
struct Signing {
  enum class Scheme : std::uint8_t {
    none,
    standard_webhooks,          // HMAC-SHA256, "v1"
    standard_webhooks_ed25519,  // "v1a"
    github,                     // X-Hub-Signature-256
    hmac,                       // in a header of the receiver's
    secret,                     // the secret itself, in a header of the receiver's
  };
  enum class Digest : std::uint8_t { sha1, sha256, sha512 };
  enum class Encoding : std::uint8_t { hex, base64 };
  enum class Content : std::uint8_t { body, timestamp_body, id_timestamp_body };

  Scheme scheme = Scheme::standard_webhooks;
  // "whsec_…", of Ed25519 the private key "whsk_…", else any text; secret
  std::string secret;
  std::string previous_secret;  // empty, or still signed with until `previous_until`
  WallTime previous_until;

  // Of hmac, and header and prefix of secret, too.
  std::string header;
  std::string prefix;
  Digest digest = Digest::sha256;
  Encoding encoding = Encoding::hex;
  Content content = Content::body;
};

struct RetrySettings {
  std::vector<std::chrono::milliseconds> delays = {
      std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30),
      std::chrono::hours(2),   std::chrono::hours(5),   std::chrono::hours(10),
      std::chrono::hours(14),  std::chrono::hours(20),  std::chrono::hours(24)};
  double jitter = 0.2;  // 0 to 1
};

struct RateLimit {
  std::uint32_t requests = 1;
  std::chrono::milliseconds per{1000};
};

struct BatchSettings {
  std::uint32_t events_max = 1;
  std::optional<std::uint64_t> bytes_max;
  std::chrono::milliseconds wait{0};
  Json template_json;  // with "{{events}}"; null: a JSON array, or `join`
  // JSON Pointer to the array in a body whose elements come together; what is around it is equal.
  std::optional<std::string> join;
};

enum class Ordering : std::uint8_t {
  none,
  per_user,  // a user's deliveries in accept order, one at a time
};

struct DeliverySettings {
  std::uint32_t concurrency = limits::kConcurrencyDefault;
  std::optional<RateLimit> rate_limit;
  Ordering ordering = Ordering::none;
  BatchSettings batch;
  std::uint64_t backlog_max = limits::kBacklogMaxDefault;
  RetrySettings retry;
};

enum class DestinationState : std::uint8_t { active, paused, disabled };

[[nodiscard]] std::string_view to_string(DestinationState state);

struct Destination {
  DestinationId id{};
  std::uint32_t version = 1;
  std::string name;
  std::string platform = "custom";  // custom, inbox, or a preset's (presets/preset.h)
  std::vector<Field> fields;
  std::vector<Secret> secrets;
  RequestSettings request;
  std::optional<Body> body;  // of webhooks whose format is `destination`; nothing: flat
  SuccessRule success;
  std::vector<StatusRange> final_statuses;
  Authentication authentication;
  TlsSettings tls;
  Signing signing;
  DeliverySettings delivery;
  std::string inbox_token;  // of platform inbox: the {token} of /inbox/{token}
  DestinationState state = DestinationState::active;
  std::string state_reason;  // such as answered_410, person
  WallTime state_since;
  WallTime created_at;
  WallTime updated_at;
};

}  // namespace eilpost
