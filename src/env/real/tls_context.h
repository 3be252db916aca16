#pragma once
// The TLS side of one destination: trust, client certificate, ALPN, and the sessions that later
// connections resume.

#include <deque>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <unordered_map>
#include <vector>

#include "env/network.h"
#include "env/real/mutex.h"

namespace eilpost::env {

namespace internal {
template <auto kFree>
struct Freer {
  template <class T>
  void operator()(T* pointer) const {
    kFree(pointer);
  }
};
}  // namespace internal

using SslPointer = std::unique_ptr<SSL, internal::Freer<SSL_free>>;
using SslContextPointer = std::unique_ptr<SSL_CTX, internal::Freer<SSL_CTX_free>>;
using SslSessionPointer = std::unique_ptr<SSL_SESSION, internal::Freer<SSL_SESSION_free>>;
using X509StorePointer = std::unique_ptr<X509_STORE, internal::Freer<X509_STORE_free>>;

// The certificates that the system trusts, loaded once and shared by all contexts.
// Threads: any.
class SystemTrust {
 public:
  // `file`: a PEM file that stands for the system's own places; empty: these.
  // Errors: bad_config.
  [[nodiscard]] static Result<std::shared_ptr<SystemTrust>> load(const std::string& file);

  [[nodiscard]] X509_STORE* store() const { return store_.get(); }
  // Adds the same certificates to another store, which shares them.
  [[nodiscard]] bool add_to(X509_STORE* store) const;
  // Those (DER) whose subject is this DER name.
  [[nodiscard]] std::vector<Bytes> find(ByteView subject) const;

 private:
  explicit SystemTrust(std::string file) : file_(std::move(file)) {}

  std::string file_;
  X509StorePointer store_;
};

// The sessions of the servers talked to last. Threads: any.
class TlsSessions {
 public:
  static constexpr std::size_t kSessionsMax = 64;

  // The newest session of `server`, or nothing.
  [[nodiscard]] SslSessionPointer find(const std::string& server);
  void put(const std::string& server, SslSessionPointer session);
  [[nodiscard]] bool contains(const std::string& server);
  [[nodiscard]] std::size_t size();

 private:
  Mutex mutex_;
  std::unordered_map<std::string, SslSessionPointer> sessions_ EILPOST_GUARDED_BY(mutex_);
  std::deque<std::string> servers_ EILPOST_GUARDED_BY(mutex_);  // oldest first
};

// Threads: any. Connections keep what they need of it, so it may be destroyed before them.
class RealTlsContext final : public TlsContext {
 public:
  // Errors: bad_input; crypto_failed when OpenSSL itself fails.
  [[nodiscard]] static Result<std::shared_ptr<RealTlsContext>> make(const TlsOptions& options,
                                                                    const SystemTrust& system);

  // A client's SSL that will check that the server is `server_name`, with the session to resume.
  // `alpn`: offered instead of the context's, unless empty.
  // Errors: crypto_failed; tls_failed for a name that none can have; bad_input.
  [[nodiscard]] Result<SslPointer> new_client(const std::string& server_name,
                                              const std::string& server,
                                              const std::vector<std::string>& alpn) const;

  [[nodiscard]] const std::shared_ptr<TlsSessions>& sessions() const { return sessions_; }

 private:
  RealTlsContext() = default;

  [[nodiscard]] Result<void> set_trust(const TlsOptions& options, const SystemTrust& system);
  [[nodiscard]] Result<void> set_identity(const TlsOptions& options);
  [[nodiscard]] Result<void> set_protocols(const TlsOptions& options);

  SslContextPointer context_;
  std::shared_ptr<TlsSessions> sessions_ = std::make_shared<TlsSessions>();
};

}  // namespace eilpost::env
