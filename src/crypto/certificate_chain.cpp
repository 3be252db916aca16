// The full-chain rule.

#include <algorithm>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <set>

#include "crypto/certificates.h"
#include "crypto/x509.h"

namespace eilpost::crypto {
namespace {

using internal::BioPointer;
using internal::date_text;
using internal::issuer_of;
using internal::KeyPointer;
using internal::subject_of;
using internal::X509List;
using internal::X509Pointer;

// What TLS of Debian and most others asks of keys and signatures: 112 bits.
constexpr int kSecurityLevel = 2;

struct FreeStore {
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

bool is_self_issued(const X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

bool is_signed_by(X509* certificate, const X509* issuer) {
  EVP_PKEY* const key = X509_get0_pubkey(issuer);
  const bool is_signed = key != nullptr && X509_verify(certificate, key) == 1;
  ERR_clear_error();
  return is_signed;
}

bool is_root(X509* certificate) {
  return is_self_issued(certificate) && is_signed_by(certificate, certificate);
}

// The certificates of one text, and how they hang together.
class Chains final {
 public:
  Chains(X509List certificates, const FindTrusted& find_trusted, WallTime now)
      : certificates_(std::move(certificates)), find_trusted_(find_trusted), now_(now) {}

  // Goes from a certificate to its root; answers with the certificates on the way that are in the
  // text. What is missing is a problem.
  std::vector<X509*> follow(X509* certificate);
  void check_times();
  // What only OpenSSL knows: path lengths, weak keys and signatures, critical extensions.
  void check_rest(X509* certificate);
  // The one that issued no other one; the first if there are several, or none.
  [[nodiscard]] X509* leaf() const;

  void problem(std::string code, std::string detail) {
    if (seen_.insert(detail).second) problems_.push_back({std::move(code), std::move(detail)});
  }
  [[nodiscard]] const X509List& certificates() const { return certificates_; }
  [[nodiscard]] const std::vector<CertificateProblem>& problems() const { return problems_; }

 private:
  // The issuer: in the text, else a root of the machine; null pointer if it is missing.
  X509* find_issuer(X509* certificate);
  X509* find_trusted_root(X509* certificate);
  [[nodiscard]] bool is_given(const X509* certificate) const;

  X509List certificates_;
  X509List roots_;  // of the machine, those that were needed
  const FindTrusted& find_trusted_;
  const WallTime now_;
  std::vector<CertificateProblem> problems_;
  std::set<std::string> seen_;
};

bool Chains::is_given(const X509* certificate) const {
  return std::ranges::any_of(
      certificates_, [certificate](const X509Pointer& each) { return each.get() == certificate; });
}

X509* Chains::find_trusted_root(X509* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_NAME(X509_get_issuer_name(certificate), &der);
  if (size <= 0) return nullptr;
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owner(
      der, [](unsigned char* bytes) { OPENSSL_free(bytes); });
  const ByteView name(reinterpret_cast<const std::byte*>(der), static_cast<std::size_t>(size));
  for (const Bytes& found : find_trusted_(name)) {
    const auto* at = reinterpret_cast<const unsigned char*>(found.data());
    X509Pointer root(d2i_X509(nullptr, &at, static_cast<long>(found.size())));
    if (root == nullptr || !is_root(root.get()) || !is_signed_by(certificate, root.get())) continue;
    roots_.push_back(std::move(root));
    return roots_.back().get();
  }
  return nullptr;
}

X509* Chains::find_issuer(X509* certificate) {
  bool has_namesake = false;
  for (const X509Pointer& each : certificates_) {
    if (each.get() == certificate) continue;
    if (X509_NAME_cmp(X509_get_subject_name(each.get()), X509_get_issuer_name(certificate)) != 0) {
      continue;
    }
    if (is_signed_by(certificate, each.get())) {
      if (X509_check_ca(each.get()) == 0) {
        problem("not_an_authority",
                fmt::format("\"{}\" is given as the issuer of \"{}\", but it is no authority (its "
                            "basic constraints say CA:FALSE).",
                            subject_of(each.get()), subject_of(certificate)));
      }
      return each.get();
    }
    has_namesake = true;
  }
  if (X509* const root = find_trusted_root(certificate)) return root;
  if (has_namesake) {
    problem("issuer_wrong",
            fmt::format("\"{}\" was not signed with the key of the certificate \"{}\" that is "
                        "given: there is another one with this name, and that one is missing.",
                        subject_of(certificate), issuer_of(certificate)));
  } else {
    problem("issuer_missing",
            fmt::format("The chain is not complete: the issuer of \"{}\" is missing. Add the "
                        "certificate \"{}\".",
                        subject_of(certificate), issuer_of(certificate)));
  }
  return nullptr;
}

std::vector<X509*> Chains::follow(X509* certificate) {
  std::vector<X509*> path = {certificate};
  while (!is_root(path.back())) {
    X509* const issuer = find_issuer(path.back());
    if (issuer == nullptr || !is_given(issuer)) break;
    if (std::ranges::find(path, issuer) != path.end()) {  // cross-signed in a circle
      problem("issuer_missing",
              fmt::format("\"{}\" leads to no self-signed root.", subject_of(certificate)));
      break;
    }
    path.push_back(issuer);
  }
  return path;
}

void Chains::check_times() {
  for (const X509Pointer& each : certificates_) {
    const ASN1_TIME* const not_before = X509_get0_notBefore(each.get());
    const ASN1_TIME* const not_after = X509_get0_notAfter(each.get());
    // At this second OpenSSL, at the other end, counts it as expired.
    if (internal::to_wall_time(not_after) <= now_) {
      problem("expired", fmt::format("\"{}\" has expired on {}.", subject_of(each.get()),
                                     date_text(not_after)));
    } else if (internal::to_wall_time(not_before) > now_) {
      problem("not_yet_valid", fmt::format("\"{}\" is not valid before {}.", subject_of(each.get()),
                                           date_text(not_before)));
    }
  }
}

void Chains::check_rest(X509* certificate) {
  const std::unique_ptr<X509_STORE, FreeStore> store(X509_STORE_new());
  const std::unique_ptr<STACK_OF(X509), FreeStore> others(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, FreeStore> context(X509_STORE_CTX_new());
  if (store == nullptr || others == nullptr || context == nullptr) return;
  for (const X509Pointer& root : roots_) X509_STORE_add_cert(store.get(), root.get());
  for (const X509Pointer& each : certificates_) {
    if (is_root(each.get())) {
      X509_STORE_add_cert(store.get(), each.get());
    } else {
      sk_X509_push(others.get(), each.get());
    }
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate, others.get()) != 1) return;
  X509_VERIFY_PARAM* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(
      parameters, std::chrono::floor<std::chrono::seconds>(now_.time_since_epoch()).count());
  X509_VERIFY_PARAM_set_auth_level(parameters, kSecurityLevel);
  if (X509_verify_cert(context.get()) != 1) {
    const X509* const at = X509_STORE_CTX_get_current_cert(context.get());
    problem("bad_chain",
            fmt::format("\"{}\" does not pass the check of its chain: {}.",
                        subject_of(at == nullptr ? certificate : at),
                        X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()))));
  }
  ERR_clear_error();
}

X509* Chains::leaf() const {
  for (const X509Pointer& candidate : certificates_) {
    const bool has_issued = std::ranges::any_of(certificates_, [&](const X509Pointer& other) {
      return other != candidate &&
             X509_NAME_cmp(X509_get_issuer_name(other.get()),
                           X509_get_subject_name(candidate.get())) == 0 &&
             is_signed_by(other.get(), candidate.get());
    });
    if (!has_issued) return candidate.get();
  }
  return certificates_.front().get();
}

CheckedCertificates result_of(const Chains& chains, const std::vector<X509*>& wanted) {
  CheckedCertificates result{
      .problems = chains.problems(), .certificates = {}, .pem = {}, .was_in_order = true};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    result.certificates.push_back(internal::describe(wanted[i]));
    result.pem += internal::to_pem(wanted[i]);
    result.was_in_order = result.was_in_order && chains.certificates()[i].get() == wanted[i];
  }
  return result;
}

}  // namespace

CheckedCertificates check_client_certificates(std::string_view pem, const FindTrusted& find_trusted,
                                              WallTime now) {
  auto parsed = internal::parse_certificates(pem);
  if (!parsed) return {.problems = {parsed.error()}, .certificates = {}, .pem = {}};
  Chains chains(std::move(*parsed), find_trusted, now);
  const std::vector<X509*> path = chains.follow(chains.leaf());
  for (const X509Pointer& each : chains.certificates()) {
    if (std::ranges::find(path, each.get()) != path.end()) continue;
    // Of a broken chain, what comes behind the gap may well belong to it.
    if (!chains.problems().empty()) continue;
    const bool is_twin =
        std::ranges::any_of(path, [&](X509* other) { return X509_cmp(other, each.get()) == 0; });
    if (is_twin) continue;
    chains.problem("stray_certificate",
                   fmt::format("\"{}\" is no part of the chain of \"{}\": remove it.",
                               subject_of(each.get()), subject_of(path.front())));
  }
  chains.check_times();
  if (chains.problems().empty()) chains.check_rest(path.front());
  return result_of(chains, path);
}

CheckedCertificates check_authorities(std::string_view pem, const FindTrusted& find_trusted,
                                      WallTime now) {
  auto parsed = internal::parse_certificates(pem);
  if (!parsed) return {.problems = {parsed.error()}, .certificates = {}, .pem = {}};
  Chains chains(std::move(*parsed), find_trusted, now);
  std::vector<X509*> all;
  for (const X509Pointer& each : chains.certificates()) {
    (void)chains.follow(each.get());
    all.push_back(each.get());
  }
  chains.check_times();
  if (chains.problems().empty()) {
    for (X509* const each : all) chains.check_rest(each);
  }
  return result_of(chains, all);
}

std::optional<CertificateProblem> check_client_key(std::string_view chain_pem,
                                                   std::string_view key_pem) {
  if (key_pem.contains("ENCRYPTED")) {
    return CertificateProblem{
        .code = "bad_key",
        .detail =
            "The private key is encrypted with a passphrase: give it without (`openssl pkey "
            "-in FILE`), or upload it as PKCS #12 with its password."};
  }
  const BioPointer source = internal::text_source(key_pem);
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  const KeyPointer key(PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    return CertificateProblem{
        .code = "bad_key",
        .detail = fmt::format("This is no private key in PEM, which begins with -----BEGIN PRIVATE "
                              "KEY----- ({}).",
                              internal::take_reason())};
  }
  const auto certificates = internal::parse_certificates(chain_pem);
  if (!certificates) return certificates.error();
  X509* const leaf = certificates->front().get();
  const auto belongs = [&key](X509* certificate) {
    const bool is_pair = X509_check_private_key(certificate, key.get()) == 1;
    ERR_clear_error();
    return is_pair;
  };
  if (belongs(leaf)) return std::nullopt;
  for (const X509Pointer& each : *certificates) {
    if (!belongs(each.get())) continue;
    return CertificateProblem{
        .code = "key_mismatch",
        .detail = fmt::format("The private key belongs to the authority \"{}\", not to \"{}\": "
                              "give the key of that one.",
                              subject_of(each.get()), subject_of(leaf))};
  }
  return CertificateProblem{
      .code = "key_mismatch",
      .detail = fmt::format("The private key does not belong to the certificate \"{}\".",
                            subject_of(leaf))};
}

}  // namespace eilpost::crypto
