#pragma once
// Certificates for tests, made on the spot: authorities, intermediates, leaves that are good,
// expired or for another name.
//
//   const Authority root = make_ca("Test root");
//   const Authority intermediate = root.make_intermediate("Test intermediate");
//   const Identity server = intermediate.issue({.names = {"localhost", "127.0.0.1"}});
//
// Keys are EC P-256. Times are relative to the machine's calendar, as TLS libraries read that too.

#include <chrono>
#include <memory>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string>
#include <vector>

namespace eilpost::support {

// A certificate with its key, as PEM.
struct Identity {
  std::string certificate_pem;  // the leaf alone
  std::string chain_pem;        // the leaf, then the intermediates; without the root
  std::string key_pem;
};

struct IssueOptions {
  std::string common_name = "Test leaf";
  std::vector<std::string> names = {"localhost"};  // host names and IP addresses
  std::chrono::seconds valid_from = -std::chrono::hours(24);
  std::chrono::seconds valid_until = std::chrono::hours(24 * 30);
};

struct IntermediateOptions {
  std::string common_name = "Test intermediate";
  bool is_authority = true;  // false: it signs although it must not
  std::chrono::seconds valid_until = std::chrono::hours(24 * 365);
};

class Authority {
 public:
  [[nodiscard]] Identity issue(const IssueOptions& options) const;
  [[nodiscard]] Authority make_intermediate(const std::string& common_name) const {
    return make_intermediate(IntermediateOptions{.common_name = common_name});
  }
  [[nodiscard]] Authority make_intermediate(const IntermediateOptions& options) const;

  // The authority's own certificate.
  [[nodiscard]] std::string certificate_pem() const;
  [[nodiscard]] std::string key_pem() const;
  [[nodiscard]] const X509* certificate() const { return certificate_.get(); }

 private:
  friend Authority make_ca(const std::string& common_name);

  Authority(std::shared_ptr<X509> certificate, std::shared_ptr<EVP_PKEY> key, std::string chain);

  std::shared_ptr<X509> certificate_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string chain_pem_;  // what a leaf must send besides itself
};

// A self-signed root.
[[nodiscard]] Authority make_ca(const std::string& common_name);

// A PKCS #12 file of the whole chain, DER, with a password.
[[nodiscard]] std::string make_pkcs12(const Identity& identity, const std::string& password);

// The SHA-256 of the first certificate of a PEM text, in hex: to say which one a peer has shown.
[[nodiscard]] std::string fingerprint_of(const std::string& certificate_pem);
[[nodiscard]] std::string fingerprint_of(const X509* certificate);

}  // namespace eilpost::support
