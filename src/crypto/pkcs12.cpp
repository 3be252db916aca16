// PKCS #12 files, taken apart.

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>

#include "crypto/certificates.h"
#include "crypto/x509.h"

namespace eilpost::crypto {
namespace {

using internal::BioPointer;
using internal::KeyPointer;
using internal::X509Pointer;

struct Free {
  void operator()(PKCS12* file) const { PKCS12_free(file); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};

std::unexpected<CertificateProblem> refuse(std::string detail) {
  ERR_clear_error();
  return std::unexpected(CertificateProblem{.code = "bad_pkcs12", .detail = std::move(detail)});
}

std::string key_to_pem(EVP_PKEY* key) {
  const BioPointer memory(BIO_new(BIO_s_mem()));
  const bool is_written =
      memory != nullptr &&
      PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1;
  return is_written ? internal::taken_text(memory.get()) : std::string();
}

// An empty password may have been written in two ways.
bool is_password(PKCS12* file, const std::string& password) {
  if (PKCS12_verify_mac(file, password.c_str(), static_cast<int>(password.size())) == 1) {
    return true;
  }
  return password.empty() && PKCS12_verify_mac(file, nullptr, 0) == 1;
}

}  // namespace

std::expected<ClientIdentity, CertificateProblem> read_pkcs12(ByteView file,
                                                              const std::string& password) {
  const auto* at = reinterpret_cast<const unsigned char*>(file.data());
  const std::unique_ptr<PKCS12, Free> parsed(
      d2i_PKCS12(nullptr, &at, static_cast<long>(file.size())));
  if (parsed == nullptr)
    return refuse("This is no PKCS #12 file (.p12 or .pfx), or it is cut off.");
  if (PKCS12_mac_present(parsed.get()) == 1 && !is_password(parsed.get(), password)) {
    return refuse("The password of the PKCS #12 file is wrong.");
  }
  EVP_PKEY* key_found = nullptr;
  X509* leaf_found = nullptr;
  STACK_OF(X509)* others_found = nullptr;
  if (PKCS12_parse(parsed.get(), password.c_str(), &key_found, &leaf_found, &others_found) != 1) {
    return refuse(
        "The PKCS #12 file cannot be decrypted (" + internal::take_reason() +
        "). If it uses RC2, as old programs do, export it again with AES: `openssl pkcs12 -legacy "
        "-in OLD -nodes | openssl pkcs12 -export -out NEW`.");
  }
  const KeyPointer key(key_found);
  const X509Pointer leaf(leaf_found);
  const std::unique_ptr<STACK_OF(X509), Free> others(others_found);
  if (key == nullptr) return refuse("There is no private key in the PKCS #12 file.");
  if (leaf == nullptr) {
    return refuse("There is no certificate in the PKCS #12 file that its private key belongs to.");
  }
  ClientIdentity identity{.certificate_pem = internal::to_pem(leaf.get()),
                          .key_pem = key_to_pem(key.get())};
  for (int i = 0; i < sk_X509_num(others.get()); ++i) {
    identity.certificate_pem += internal::to_pem(sk_X509_value(others.get(), i));
  }
  return identity;
}

}  // namespace eilpost::crypto
