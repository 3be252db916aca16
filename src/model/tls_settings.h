#pragma once
// What a connection over TLS trusts and shows, as the user sets it up.

#include <string>
#include <vector>

#include "base/time.h"

namespace eilpost {

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

}  // namespace eilpost
