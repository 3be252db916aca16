#include "env/real/tls_context.h"

#include <algorithm>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <utility>
#include <vector>

#include "env/real/tls_stream.h"
#include "env/real/tls_text.h"

namespace eilpost::env {
namespace {

constexpr std::size_t kCertificatesMax = 100;  // in one field
constexpr std::size_t kProtocolBytesMax = 255;

using BioPointer = std::unique_ptr<BIO, internal::Freer<BIO_free>>;
using X509Pointer = std::unique_ptr<X509, internal::Freer<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, internal::Freer<EVP_PKEY_free>>;
using NamePointer = std::unique_ptr<X509_NAME, internal::Freer<X509_NAME_free>>;
using StoreContextPointer = std::unique_ptr<X509_STORE_CTX, internal::Freer<X509_STORE_CTX_free>>;

struct FreeCertificates {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
using CertificatesPointer = std::unique_ptr<STACK_OF(X509), FreeCertificates>;

// Other threads may be adding what they found in the system's folder.
class StoreLock final {
 public:
  explicit StoreLock(X509_STORE* store) : store_(store) { X509_STORE_lock(store_); }
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock() { X509_STORE_unlock(store_); }

 private:
  X509_STORE* const store_;
};

BioPointer text_source(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Never asks the terminal for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// All certificates of a PEM text. Errors: bad_input, which names the field and the certificate.
Result<std::vector<X509Pointer>> parse_certificates(std::string_view field, std::string_view pem) {
  const auto bad = [field](std::string_view what) {
    return fail(ErrorCode::bad_input, fmt::format("{}: {}", field, what));
  };
  const std::size_t begun = std::max(count_of(pem, "-----BEGIN "), count_of(pem, "-----END "));
  if (begun == 0) return bad("holds no PEM certificate");
  if (begun > kCertificatesMax) return bad(fmt::format("more than {} parts", kCertificatesMax));

  const BioPointer source = text_source(pem);
  if (source == nullptr) return fail(ErrorCode::crypto_failed, take_openssl_reason());
  std::vector<X509Pointer> certificates;
  while (certificates.size() < begun) {
    X509Pointer certificate(PEM_read_bio_X509(source.get(), nullptr, no_passphrase, nullptr));
    if (certificate == nullptr) {
      return bad(fmt::format("certificate {} of {} is not whole or not a certificate: {}",
                             certificates.size() + 1, begun, take_openssl_reason()));
    }
    certificates.push_back(std::move(certificate));
  }
  return certificates;
}

// Names of protocols as ALPN sends them. Errors: bad_input.
Result<std::string> protocols_on_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > kProtocolBytesMax) {
      return fail(ErrorCode::bad_input, "alpn: a name has 1 to 255 bytes");
    }
    wire += static_cast<char>(protocol.size());
    wire += protocol;
  }
  return wire;
}

bool is_self_issued(X509* certificate) {
  return X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  return TlsStream::of(ssl).keep_session(SslSessionPointer(session)) ? 1 : 0;
}

int on_certificate(int accepted, X509_STORE_CTX* context) {
  if (accepted == 1) return 1;
  const int index = SSL_get_ex_data_X509_STORE_CTX_idx();
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, index));
  TlsStream::of(ssl).note_verify_failure(context);
  return 0;
}

}  // namespace

Result<std::shared_ptr<SystemTrust>> SystemTrust::load(const std::string& file) {
  std::shared_ptr<SystemTrust> trust(new SystemTrust(file));
  trust->store_.reset(X509_STORE_new());
  // The default places may be missing on a small system: then nothing is trusted.
  const auto load_into = [&file](X509_STORE* store) {
    return file.empty() ? X509_STORE_set_default_paths(store)
                        : X509_STORE_load_file(store, file.c_str());
  };
  if (trust->store_ == nullptr || load_into(trust->store_.get()) != 1) {
    return fail(ErrorCode::bad_config,
                fmt::format("trusted certificates {}: {}", file, take_openssl_reason()));
  }
  return trust;
}

bool SystemTrust::add_to(X509_STORE* store) const {
  const StoreLock lock(store_.get());
  const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(store_.get());
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    X509* certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate != nullptr && X509_STORE_add_cert(store, certificate) != 1) return false;
  }
  if (!file_.empty()) return true;
  // The system's folder is read when it is asked for a name.
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
  return lookup != nullptr && X509_LOOKUP_add_dir(lookup, nullptr, X509_FILETYPE_DEFAULT) == 1;
}

std::vector<Bytes> SystemTrust::find(ByteView subject) const {
  std::vector<Bytes> found;
  const auto* at = reinterpret_cast<const unsigned char*>(subject.data());
  const NamePointer name(d2i_X509_NAME(nullptr, &at, static_cast<long>(subject.size())));
  const StoreContextPointer context(X509_STORE_CTX_new());
  if (name == nullptr || context == nullptr ||
      X509_STORE_CTX_init(context.get(), store_.get(), nullptr, nullptr) != 1) {
    ERR_clear_error();
    return found;
  }
  const CertificatesPointer certificates(X509_STORE_CTX_get1_certs(context.get(), name.get()));
  for (int i = 0; i < sk_X509_num(certificates.get()); ++i) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(sk_X509_value(certificates.get(), i), &der);
    if (size <= 0) continue;
    const auto* bytes = reinterpret_cast<const std::byte*>(der);
    found.emplace_back(bytes, bytes + size);
    OPENSSL_free(der);
  }
  ERR_clear_error();
  return found;
}

SslSessionPointer TlsSessions::find(const std::string& server) {
  const MutexLock lock(mutex_);
  const auto found = sessions_.find(server);
  if (found == sessions_.end() || SSL_SESSION_is_resumable(found->second.get()) == 0) return {};
  SSL_SESSION_up_ref(found->second.get());
  return SslSessionPointer(found->second.get());
}

void TlsSessions::put(const std::string& server, SslSessionPointer session) {
  const MutexLock lock(mutex_);
  SslSessionPointer& place = sessions_[server];
  if (place == nullptr) servers_.push_back(server);
  place = std::move(session);
  if (servers_.size() <= kSessionsMax) return;
  sessions_.erase(servers_.front());
  servers_.pop_front();
}

bool TlsSessions::contains(const std::string& server) {
  const MutexLock lock(mutex_);
  return sessions_.contains(server);
}

std::size_t TlsSessions::size() {
  const MutexLock lock(mutex_);
  return sessions_.size();
}

Result<std::shared_ptr<RealTlsContext>> RealTlsContext::make(const TlsOptions& options,
                                                             const SystemTrust& system) {
  ERR_clear_error();
  std::shared_ptr<RealTlsContext> result(new RealTlsContext);
  result->context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* context = result->context_.get();
  if (context == nullptr || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) {
    return fail(ErrorCode::crypto_failed, take_openssl_reason());
  }
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // An idle connection gives its record buffers back; one recv() takes a whole record.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_certificate);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
  EILPOST_RETURN_IF_ERROR(result->set_trust(options, system));
  EILPOST_RETURN_IF_ERROR(result->set_identity(options));
  EILPOST_RETURN_IF_ERROR(result->set_protocols(options));
  return result;
}

Result<void> RealTlsContext::set_trust(const TlsOptions& options, const SystemTrust& system) {
  if (options.trust == Trust::system) {
    SSL_CTX_set1_cert_store(context_.get(), system.store());
    return {};
  }
  EILPOST_ASSIGN_OR_RETURN(const auto certificates,
                           parse_certificates("ca_certificates", options.ca_certificates_pem));
  X509StorePointer store(X509_STORE_new());
  if (store == nullptr) return fail(ErrorCode::crypto_failed, take_openssl_reason());
  for (const X509Pointer& certificate : certificates) {
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return fail(ErrorCode::bad_input, "ca_certificates: " + take_openssl_reason());
    }
  }
  // A server's own certificate, or an intermediate, given here is trusted as it stands.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  if (options.trust == Trust::both && !system.add_to(store.get())) {
    return fail(ErrorCode::crypto_failed, take_openssl_reason());
  }
  SSL_CTX_set_cert_store(context_.get(), store.release());
  return {};
}

Result<void> RealTlsContext::set_identity(const TlsOptions& options) {
  if (options.client_certificate_pem.empty() && options.client_key_pem.empty()) return {};
  EILPOST_ASSIGN_OR_RETURN(
      const auto certificates,
      parse_certificates("client_certificate", options.client_certificate_pem));
  const BioPointer source = text_source(options.client_key_pem);
  const KeyPointer key(
      source == nullptr ? nullptr
                        : PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) {
    return fail(ErrorCode::bad_input,
                "client_key: not an unencrypted PEM private key: " + take_openssl_reason());
  }
  SSL_CTX* context = context_.get();
  X509* leaf = certificates.front().get();
  if (X509_check_private_key(leaf, key.get()) != 1) {
    ERR_clear_error();
    return fail(ErrorCode::bad_input,
                fmt::format("client_key: does not belong to the first certificate, \"{}\"",
                            name_text(X509_get_subject_name(leaf))));
  }
  if (SSL_CTX_use_certificate(context, leaf) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return fail(ErrorCode::bad_input, "client_certificate: " + take_openssl_reason());
  }
  // The root is the receiver's own: it is not sent.
  for (std::size_t i = 1; i < certificates.size(); ++i) {
    if (is_self_issued(certificates[i].get())) continue;
    if (SSL_CTX_add1_chain_cert(context, certificates[i].get()) != 1) {
      return fail(ErrorCode::bad_input, "client_certificate: " + take_openssl_reason());
    }
  }
  return {};
}

Result<void> RealTlsContext::set_protocols(const TlsOptions& options) {
  EILPOST_ASSIGN_OR_RETURN(const std::string wire, protocols_on_wire(options.alpn));
  if (wire.empty()) return {};
  // This one function answers 0 for success.
  const auto* bytes = reinterpret_cast<const unsigned char*>(wire.data());
  if (SSL_CTX_set_alpn_protos(context_.get(), bytes, static_cast<unsigned>(wire.size())) != 0) {
    return fail(ErrorCode::crypto_failed, take_openssl_reason());
  }
  return {};
}

Result<SslPointer> RealTlsContext::new_client(const std::string& server_name,
                                              const std::string& server,
                                              const std::vector<std::string>& alpn) const {
  ERR_clear_error();
  EILPOST_ASSIGN_OR_RETURN(const std::string protocols, protocols_on_wire(alpn));
  SslPointer ssl(SSL_new(context_.get()));
  if (ssl == nullptr) return fail(ErrorCode::crypto_failed, take_openssl_reason());
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl.get());
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);

  bool done = false;
  if (const Result<Address> address = parse_address(server_name)) {
    const std::size_t size = address->is_v6 ? 16 : 4;
    done = X509_VERIFY_PARAM_set1_ip(parameters, address->bytes.data(), size) == 1;
  } else {
    // A name may end with the root's dot; certificates and SNI never do.
    std::string name = server_name;
    if (name.ends_with('.')) name.pop_back();
    done = !name.empty() &&
           X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl.get(), name.c_str()) == 1;
  }
  if (!done) {
    ERR_clear_error();
    return fail(ErrorCode::tls_failed, "not a server name: " + server_name);
  }
  // This one function answers 0 for success.
  const auto* bytes = reinterpret_cast<const unsigned char*>(protocols.data());
  const auto size = static_cast<unsigned>(protocols.size());
  if (!protocols.empty() && SSL_set_alpn_protos(ssl.get(), bytes, size) != 0) {
    return fail(ErrorCode::crypto_failed, take_openssl_reason());
  }
  if (const SslSessionPointer session = sessions_->find(server)) {
    SSL_set_session(ssl.get(), session.get());
  }
  return ssl;
}

}  // namespace eilpost::env
