#pragma once
// OpenSSL's certificates and keys with owners, for the sources of this folder.

#include <expected>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificates.h"

namespace eilpost::crypto::internal {

struct OpenSslFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using BioPointer = std::unique_ptr<BIO, OpenSslFree>;
using KeyPointer = std::unique_ptr<EVP_PKEY, OpenSslFree>;
using X509Pointer = std::unique_ptr<X509, OpenSslFree>;
using X509List = std::vector<X509Pointer>;

[[nodiscard]] BioPointer text_source(std::string_view text);
[[nodiscard]] std::string taken_text(BIO* memory);
// Empties OpenSSL's error queue of this thread and says its first reason.
[[nodiscard]] std::string take_reason();

// "CN=example.com, O=Example", in UTF-8.
[[nodiscard]] std::string name_text(const X509_NAME* name);
[[nodiscard]] std::string subject_of(const X509* certificate);
[[nodiscard]] std::string issuer_of(const X509* certificate);
[[nodiscard]] WallTime to_wall_time(const ASN1_TIME* time);
[[nodiscard]] std::string date_text(const ASN1_TIME* time);  // 2024-01-31
[[nodiscard]] Certificate describe(const X509* certificate);
[[nodiscard]] std::string to_pem(X509* certificate);

// All certificates of a text; what stands between them is passed over, as OpenSSL and browsers
// write notes there.
[[nodiscard]] std::expected<X509List, CertificateProblem> parse_certificates(std::string_view pem);

}  // namespace eilpost::crypto::internal
