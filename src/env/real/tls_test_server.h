#pragma once
// A TLS server for tests, on a thread of its own: it serves one connection after the other, says
// what it saw of each client, and misbehaves on command.
//
// It echoes what it reads. The texts "close" (TLS farewell, then the end), "drop" (the end without
// farewell), "update" (new keys, then the echo), "flood" (kFloodBytes of 'f') and "crumbs"
// (kCrumbsCount records of one byte in one packet, with TLS's farewell, while the connection stays)
// are commands.
//
// Threads: the accessors from any thread.

#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <thread>
#include <vector>

#include "env/network.h"
#include "env/real/mutex.h"
#include "env/real/system.h"

namespace eilpost::env {

struct TlsTestServerOptions {
  std::string chain_pem;
  std::string key_pem;
  std::string client_ca_pem;      // set: a client certificate is demanded
  std::vector<std::string> alpn;  // in order of preference
  int version_max = TLS1_3_VERSION;
};

// What one client did.
struct TlsVisit {
  bool handshake_done = false;
  bool resumed = false;
  std::string server_name;                // SNI
  std::vector<std::string> client_chain;  // SHA-256 of each certificate sent, the leaf first
};

class TlsTestServer {
 public:
  static constexpr std::size_t kFloodBytes = 4 << 20;
  static constexpr std::size_t kCrumbsCount = 50;

  explicit TlsTestServer(TlsTestServerOptions options);
  TlsTestServer(const TlsTestServer&) = delete;
  TlsTestServer& operator=(const TlsTestServer&) = delete;
  ~TlsTestServer();

  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }
  // The clients whose handshake has ended, well or badly.
  [[nodiscard]] std::vector<TlsVisit> visits() const;

 private:
  using ContextPointer = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;

  [[nodiscard]] ContextPointer make_context();
  static int select_protocol(SSL* ssl, const unsigned char** out, unsigned char* out_size,
                             const unsigned char* in, unsigned in_size, void* self);
  void listen();
  void serve();
  void serve_client(int socket);
  // False when the connection has ended.
  bool answer(SSL* ssl, const std::string& text);

  TlsTestServerOptions options_;
  std::string alpn_wire_;
  ContextPointer context_;
  Descriptor listener_;
  Endpoint endpoint_;
  mutable Mutex mutex_;
  std::vector<TlsVisit> visits_ EILPOST_GUARDED_BY(mutex_);
  int client_ EILPOST_GUARDED_BY(mutex_) = -1;  // the connection being served
  bool ending_ EILPOST_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace eilpost::env
