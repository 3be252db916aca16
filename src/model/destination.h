#pragma once
// A destination as the user sees it (SPEC "Destinations"): where and how webhooks are sent.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/ids.h"
#include "model/limits.h"
#include "model/outbound.h"

namespace eilpost {

struct RequestSettings {
  HttpMethod method = HttpMethod::post;
  std::string url;                      // may hold placeholders in path segments and query values
  std::vector<OutboundHeader> headers;  // values may hold placeholders
  std::chrono::milliseconds timeout = limits::kTimeoutDefault;
};

struct Authentication {
  enum class Type : std::uint8_t { none, bearer, basic };

  Type type = Type::none;
  std::string token;     // bearer; secret
  std::string username;  // basic
  std::string password;  // basic; secret
};

// A certificate of a destination, as people are told of it.
struct CertificateNote {
  std::string field;  // ca_certificates or client_certificate
  std::string subject;
  std::string issuer;
  WallTime not_before;
  WallTime not_after;

  friend bool operator==(const CertificateNote&, const CertificateNote&) = default;
};

struct TlsSettings {
  std::string ca_certificates;                // PEM; empty: what the machine trusts
  bool trusts_system_too = false;             // beside `ca_certificates`
  std::string client_certificate;             // PEM: the leaf, then its issuers
  std::string client_key;                     // PEM; secret
  std::vector<CertificateNote> certificates;  // what the fields hold

  // Whether a connection needs anything but the machine's trust.
  [[nodiscard]] bool is_plain() const {
    return ca_certificates.empty() && client_certificate.empty();
  }
  friend bool operator==(const TlsSettings&, const TlsSettings&) = default;
};

struct Signing {
  enum class Scheme : std::uint8_t { none, standard_webhooks };

  Scheme scheme = Scheme::standard_webhooks;
  std::string secret;           // "whsec_…"; secret
  std::string previous_secret;  // empty, or still signed with until `previous_until`
  WallTime previous_until;
};

struct RetrySettings {
  std::vector<std::chrono::milliseconds> delays = {
      std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30),
      std::chrono::hours(2),   std::chrono::hours(5),   std::chrono::hours(10),
      std::chrono::hours(14),  std::chrono::hours(20),  std::chrono::hours(24)};
  double jitter = 0.2;  // 0 to 1
};

struct DeliverySettings {
  std::uint32_t concurrency = limits::kConcurrencyDefault;
  std::uint64_t backlog_max = limits::kBacklogMaxDefault;
  RetrySettings retry;
};

enum class DestinationState : std::uint8_t { active, paused, disabled };

[[nodiscard]] std::string_view to_string(DestinationState state);

struct Destination {
  DestinationId id{};
  std::uint32_t version = 1;
  std::string name;
  std::string platform = "custom";  // custom or inbox
  RequestSettings request;
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
