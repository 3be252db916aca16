#include "support/certificates.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <utility>

#include "base/assert.h"

namespace eilpost::support {
namespace {

constexpr long kVersion3 = 2;

using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free)>;

std::shared_ptr<EVP_PKEY> make_key() {
  std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  EILPOST_ASSERT(key != nullptr);
  return key;
}

std::string taken_text(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
  const BioPointer memory(BIO_new(BIO_s_mem()), BIO_free);
  EILPOST_ASSERT(PEM_write_bio_X509(memory.get(), certificate) == 1);
  return taken_text(memory.get());
}

std::string to_pem(EVP_PKEY* key) {
  const BioPointer memory(BIO_new(BIO_s_mem()), BIO_free);
  EILPOST_ASSERT(
      PEM_write_bio_PKCS8PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return taken_text(memory.get());
}

void set_common_name(X509_NAME* name, const std::string& text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.c_str());
  EILPOST_ASSERT(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, bytes, -1, -1, 0) == 1);
}

void set_serial(X509* certificate) {
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(BN_new(), BN_free);
  EILPOST_ASSERT(BN_rand(number.get(), 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
  EILPOST_ASSERT(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr);
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()), X509_EXTENSION_free);
  EILPOST_ASSERT(extension != nullptr);
  EILPOST_ASSERT(X509_add_ext(certificate, extension.get(), -1) == 1);
}

bool looks_like_address(const std::string& name) {
  return name.contains(':') || name.find_first_not_of("0123456789.") == std::string::npos;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ",") + std::string(looks_like_address(name) ? "IP:" : "DNS:");
    text += name;
  }
  return text;
}

struct Plan {
  std::string common_name;
  std::chrono::seconds valid_from;
  std::chrono::seconds valid_until;
  bool is_authority = false;
  std::vector<std::string> names;
};

// Signs a new certificate for `key`; without an issuer it is self-signed.
std::shared_ptr<X509> make_certificate(const Plan& plan, EVP_PKEY* key, X509* issuer,
                                       EVP_PKEY* issuer_key) {
  std::shared_ptr<X509> certificate(X509_new(), X509_free);
  X509* self = certificate.get();
  EILPOST_ASSERT(X509_set_version(self, kVersion3) == 1);
  set_serial(self);
  X509_gmtime_adj(X509_getm_notBefore(self), plan.valid_from.count());
  X509_gmtime_adj(X509_getm_notAfter(self), plan.valid_until.count());
  set_common_name(X509_get_subject_name(self), plan.common_name);
  X509* signer = issuer != nullptr ? issuer : self;
  EILPOST_ASSERT(X509_set_issuer_name(self, X509_get_subject_name(signer)) == 1);
  EILPOST_ASSERT(X509_set_pubkey(self, key) == 1);

  add_extension(self, signer, NID_basic_constraints,
                plan.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(self, signer, NID_key_usage,
                plan.is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  add_extension(self, signer, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) add_extension(self, signer, NID_authority_key_identifier, "keyid:always");
  if (!plan.names.empty()) {
    add_extension(self, signer, NID_subject_alt_name, alternative_names(plan.names));
  }
  EILPOST_ASSERT(X509_sign(self, issuer_key, EVP_sha256()) > 0);
  return certificate;
}

Plan authority_plan(const std::string& common_name) {
  return {.common_name = common_name,
          .valid_from = -std::chrono::hours(24 * 365),
          .valid_until = std::chrono::hours(24 * 365),
          .is_authority = true,
          .names = {}};
}

}  // namespace

Authority::Authority(std::shared_ptr<X509> certificate, std::shared_ptr<EVP_PKEY> key,
                     std::string chain)
    : certificate_(std::move(certificate)), key_(std::move(key)), chain_pem_(std::move(chain)) {}

Identity Authority::issue(const IssueOptions& options) const {
  const std::shared_ptr<EVP_PKEY> key = make_key();
  const Plan plan{.common_name = options.common_name,
                  .valid_from = options.valid_from,
                  .valid_until = options.valid_until,
                  .is_authority = false,
                  .names = options.names};
  const std::shared_ptr<X509> leaf =
      make_certificate(plan, key.get(), certificate_.get(), key_.get());
  const std::string leaf_pem = to_pem(leaf.get());
  return {.certificate_pem = leaf_pem,
          .chain_pem = leaf_pem + chain_pem_,
          .key_pem = to_pem(key.get())};
}

Authority Authority::make_intermediate(const IntermediateOptions& options) const {
  std::shared_ptr<EVP_PKEY> key = make_key();
  Plan plan = authority_plan(options.common_name);
  plan.is_authority = options.is_authority;
  plan.valid_until = options.valid_until;
  std::shared_ptr<X509> certificate =
      make_certificate(plan, key.get(), certificate_.get(), key_.get());
  std::string chain = to_pem(certificate.get()) + chain_pem_;
  return {std::move(certificate), std::move(key), std::move(chain)};
}

std::string Authority::certificate_pem() const {
  return to_pem(certificate_.get());
}

std::string Authority::key_pem() const {
  return to_pem(key_.get());
}

Authority make_ca(const std::string& common_name) {
  std::shared_ptr<EVP_PKEY> key = make_key();
  std::shared_ptr<X509> certificate =
      make_certificate(authority_plan(common_name), key.get(), nullptr, key.get());
  return {std::move(certificate), std::move(key), {}};
}

std::string make_pkcs12(const Identity& identity, const std::string& password) {
  const BioPointer chain(BIO_new_mem_buf(identity.chain_pem.data(), -1), BIO_free);
  const BioPointer key_source(BIO_new_mem_buf(identity.key_pem.data(), -1), BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(key_source.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> leaf(
      PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr), X509_free);
  STACK_OF(X509)* others = sk_X509_new_null();
  while (X509* next = PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)) {
    sk_X509_push(others, next);
  }
  ERR_clear_error();
  PKCS12* file =
      PKCS12_create(password.c_str(), "test", key.get(), leaf.get(), others, 0, 0, 0, 0, 0);
  EILPOST_ASSERT(file != nullptr);
  const BioPointer memory(BIO_new(BIO_s_mem()), BIO_free);
  EILPOST_ASSERT(i2d_PKCS12_bio(memory.get(), file) == 1);
  PKCS12_free(file);
  sk_X509_pop_free(others, X509_free);
  return taken_text(memory.get());
}

std::string fingerprint_of(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EILPOST_ASSERT(X509_digest(certificate, EVP_sha256(), digest, &size) == 1);
  std::string text;
  constexpr char kHex[] = "0123456789abcdef";
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  return text;
}

std::string fingerprint_of(const std::string& certificate_pem) {
  const BioPointer memory(
      BIO_new_mem_buf(certificate_pem.data(), static_cast<int>(certificate_pem.size())), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr), X509_free);
  EILPOST_ASSERT(certificate != nullptr);
  return fingerprint_of(certificate.get());
}

}  // namespace eilpost::support
