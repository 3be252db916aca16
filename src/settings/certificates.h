#pragma once
// The certificates of a destination: read from the API's JSON, checked when they are saved, watched
// for their end.

#include <cstdint>
#include <string>
#include <vector>

#include "crypto/certificates.h"
#include "model/destination.h"
#include "model/json.h"
#include "model/problem.h"

namespace eilpost::settings {

[[nodiscard]] Json tls_to_json(const TlsSettings& tls, bool show_secrets);

// Reads the field "tls"; `kept`, which may be null, lends the key. A PKCS #12 file is taken apart.
// Whether the chains are whole is not looked at: what was saved once is read again for ever.
[[nodiscard]] TlsSettings tls_from_json(const Json* json, const TlsSettings* kept,
                                        Problems& problems);

// The full-chain rule (docs/CERTIFICATES.md). Puts certificates into their order.
void check_tls(TlsSettings& tls, const crypto::FindTrusted& find_trusted, WallTime now,
               Problems& problems);

// A certificate that ends within limits::kCertificateWarning or has ended.
struct EndingCertificate {
  CertificateNote note;
  std::string field;           // tls.client_certificate, authentication.tls.ca_certificates …
  std::int64_t days_left = 0;  // whole days, rounded down; below 0: it has ended
};
[[nodiscard]] std::vector<EndingCertificate> ending_certificates(const Destination& destination,
                                                                 WallTime now);

// A warning for each certificate that ends within limits::kCertificateWarning or has ended.
[[nodiscard]] std::vector<Problem> certificate_warnings(const TlsSettings& tls, WallTime now);

}  // namespace eilpost::settings
