#include "env/real/tls_test_server.h"

#include <csignal>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <utility>

#include "base/assert.h"
#include "env/real/socket_address.h"

namespace eilpost::env {
namespace {

using BioPointer = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Pointer = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPointer = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using SslOwner = std::unique_ptr<SSL, decltype(&SSL_free)>;

BioPointer source_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

X509Pointer read_certificate(BIO* source) {
  return {PEM_read_bio_X509(source, nullptr, nullptr, nullptr), X509_free};
}

void use_identity(SSL_CTX* context, const TlsTestServerOptions& options) {
  const BioPointer chain = source_of(options.chain_pem);
  const X509Pointer leaf = read_certificate(chain.get());
  EILPOST_ASSERT(SSL_CTX_use_certificate(context, leaf.get()) == 1);
  while (const X509Pointer next = read_certificate(chain.get())) {
    EILPOST_ASSERT(SSL_CTX_add1_chain_cert(context, next.get()) == 1);
  }
  ERR_clear_error();
  const BioPointer key_source = source_of(options.key_pem);
  const KeyPointer key(PEM_read_bio_PrivateKey(key_source.get(), nullptr, nullptr, nullptr),
                       EVP_PKEY_free);
  EILPOST_ASSERT(SSL_CTX_use_PrivateKey(context, key.get()) == 1);
}

void demand_client_certificate(SSL_CTX* context, const std::string& ca_pem) {
  const BioPointer source = source_of(ca_pem);
  const X509Pointer authority = read_certificate(source.get());
  EILPOST_ASSERT(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), authority.get()) == 1);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

std::string hex_digest(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EILPOST_ASSERT(X509_digest(certificate, EVP_sha256(), digest, &size) == 1);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4U];
    text += kHex[digest[i] & 15U];
  }
  return text;
}

TlsVisit visit_of(SSL* ssl) {
  TlsVisit visit{.handshake_done = SSL_is_init_finished(ssl) == 1,
                 .resumed = SSL_session_reused(ssl) == 1,
                 .server_name = {},
                 .client_chain = {}};
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) visit.server_name = name;
  const X509Pointer leaf(SSL_get1_peer_certificate(ssl), X509_free);
  if (leaf != nullptr) visit.client_chain.push_back(hex_digest(leaf.get()));
  const STACK_OF(X509)* rest = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; rest != nullptr && i < sk_X509_num(rest); ++i) {
    visit.client_chain.push_back(hex_digest(sk_X509_value(rest, i)));
  }
  return visit;
}

}  // namespace

TlsTestServer::TlsTestServer(TlsTestServerOptions options)
    : options_(std::move(options)), context_(make_context()) {
  std::signal(SIGPIPE, SIG_IGN);
  listen();
  thread_ = std::thread([this] { serve(); });
}

TlsTestServer::~TlsTestServer() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
    shutdown(listener_.get(), SHUT_RDWR);
    if (client_ >= 0) shutdown(client_, SHUT_RDWR);
  }
  thread_.join();
}

std::vector<TlsVisit> TlsTestServer::visits() const {
  const MutexLock lock(mutex_);
  return visits_;
}

TlsTestServer::ContextPointer TlsTestServer::make_context() {
  ContextPointer context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  EILPOST_ASSERT(context != nullptr);
  SSL_CTX_set_max_proto_version(context.get(), options_.version_max);
  use_identity(context.get(), options_);
  if (!options_.client_ca_pem.empty()) {
    demand_client_certificate(context.get(), options_.client_ca_pem);
  }
  const unsigned char id[] = "test";
  SSL_CTX_set_session_id_context(context.get(), id, sizeof id);
  for (const std::string& protocol : options_.alpn) {
    alpn_wire_ += static_cast<char>(protocol.size());
    alpn_wire_ += protocol;
  }
  if (!alpn_wire_.empty()) SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, this);
  return context;
}

int TlsTestServer::select_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                                   const unsigned char* in, unsigned in_size, void* self) {
  const std::string& ours = static_cast<const TlsTestServer*>(self)->alpn_wire_;
  unsigned char* chosen = nullptr;
  const int result =
      SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned>(ours.size()), in, in_size);
  *out = chosen;
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

void TlsTestServer::listen() {
  listener_ = Descriptor(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  SocketAddress address =
      to_socket_address({.address = parse_address("127.0.0.1").value(), .port = 0});
  EILPOST_ASSERT(bind(listener_.get(), address.get(), address.size_bytes) == 0);
  EILPOST_ASSERT(::listen(listener_.get(), 16) == 0);
  EILPOST_ASSERT(getsockname(listener_.get(), address.get(), &address.size_bytes) == 0);
  endpoint_ = to_endpoint(address);
}

void TlsTestServer::serve() {
  while (true) {
    Descriptor socket(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const MutexLock lock(mutex_);
      if (ending_ || !socket.valid()) return;
      client_ = socket.get();
    }
    serve_client(socket.get());
    const MutexLock lock(mutex_);
    client_ = -1;
  }
}

void TlsTestServer::serve_client(int socket) {
  const SslOwner ssl(SSL_new(context_.get()), SSL_free);
  SSL_set_fd(ssl.get(), socket);
  const int accepted = SSL_accept(ssl.get());
  {
    const MutexLock lock(mutex_);
    visits_.push_back(visit_of(ssl.get()));
  }
  std::string buffer(1 << 16, '\0');
  while (accepted == 1) {
    const int count = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count <= 0) break;
    if (!answer(ssl.get(), buffer.substr(0, static_cast<std::size_t>(count)))) break;
  }
  ERR_clear_error();
}

bool TlsTestServer::answer(SSL* ssl, const std::string& text) {
  if (text == "drop") return false;
  if (text == "close") {
    SSL_shutdown(ssl);
    return false;
  }
  if (text == "crumbs") {
    const int socket = SSL_get_fd(ssl);
    const int on = 1;
    const int off = 0;
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
    for (std::size_t i = 0; i < kCrumbsCount; ++i) SSL_write(ssl, "c", 1);
    SSL_shutdown(ssl);
    setsockopt(socket, IPPROTO_TCP, TCP_CORK, &off, sizeof off);
    return true;
  }
  if (text == "update") SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED);
  const std::string reply = text == "flood" ? std::string(kFloodBytes, 'f') : text;
  return SSL_write(ssl, reply.data(), static_cast<int>(reply.size())) > 0;
}

}  // namespace eilpost::env
