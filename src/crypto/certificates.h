#pragma once
// X.509 certificates in PEM, read and held against the full-chain rule: each one is whole and
// leads, link by link, to a self-signed root in the same text or among those that the machine
// trusts.
//
// Threads: any.
// Errors:  values: sentences for the person who pasted the certificates, with a stable code.

#include <cstddef>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/time.h"

namespace eilpost::crypto {

inline constexpr std::size_t kCertificatesMax = 100;  // in one text

struct Certificate {
  std::string subject;  // "CN=example.com, O=Example"
  std::string issuer;
  WallTime not_before;
  WallTime not_after;
};

// The codes: not_pem, not_whole, issuer_missing, issuer_wrong, not_an_authority, expired,
// not_yet_valid, stray_certificate, bad_chain, bad_key, key_mismatch, bad_pkcs12.
struct CertificateProblem {
  std::string code;
  std::string detail;
};

// The certificates (DER) with this subject (a DER name) that the machine trusts.
using FindTrusted = std::function<std::vector<Bytes>(ByteView subject)>;

struct CheckedCertificates {
  std::vector<CertificateProblem> problems;
  // Without problems: the certificates, in the order of `pem`, which holds nothing but them.
  std::vector<Certificate> certificates;
  std::string pem;
  bool was_in_order = true;
};

// A client's certificate with its chain, in any order: it comes back leaf first, each followed by
// its issuer. All must be of that one chain.
[[nodiscard]] CheckedCertificates check_client_certificates(std::string_view pem,
                                                            const FindTrusted& find_trusted,
                                                            WallTime now);
// Authorities to trust, or a server's chain: each must lead to a root. The order is kept.
[[nodiscard]] CheckedCertificates check_authorities(std::string_view pem,
                                                    const FindTrusted& find_trusted, WallTime now);

// Whether the key is that of the first certificate. REQUIRES: `chain_pem` has been checked.
[[nodiscard]] std::optional<CertificateProblem> check_client_key(std::string_view chain_pem,
                                                                 std::string_view key_pem);

// What can be read, without checking anything.
[[nodiscard]] std::vector<Certificate> read_certificates(std::string_view pem);

struct ClientIdentity {
  std::string certificate_pem;  // with whatever certificates stand beside it
  std::string key_pem;
};

// Out of a PKCS #12 file (.p12, .pfx).
[[nodiscard]] std::expected<ClientIdentity, CertificateProblem> read_pkcs12(
    ByteView file, const std::string& password);

}  // namespace eilpost::crypto
