#pragma once
// The client side of TLS on a connected socket.
//
// OpenSSL reads and writes the socket itself, through a BIO that keeps the books of readiness, so
// a record costs one system call and no extra copy.

#include <memory>
#include <openssl/ssl.h>
#include <string>

#include "env/real/socket_stream.h"
#include "env/real/tls_context.h"

namespace eilpost::env {

class TlsStream final : public SocketStream {
 public:
  // For a connected socket that the reactor watches already. Errors: crypto_failed, tls_failed.
  [[nodiscard]] static Result<std::unique_ptr<TlsStream>> take_over(Reactor& reactor,
                                                                    Descriptor socket,
                                                                    const Endpoint& remote,
                                                                    const RealTlsContext& context,
                                                                    const ConnectOptions& options);

  ~TlsStream() override;

  // Shakes hands; before it has ended there is no read() and no write(). `done` may destroy the
  // stream. Errors: tls_failed, connection_reset, timed_out.
  void handshake(DoneCallback done);

  // True if the socket holds nothing but messages of TLS itself, such as session tickets, which it
  // takes in on the way.
  [[nodiscard]] bool is_idle_and_open() override;
  [[nodiscard]] std::string_view application_protocol() const override { return protocol_; }
  // Whether the handshake resumed an earlier session.
  [[nodiscard]] bool is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

  // For the callbacks of the context.
  [[nodiscard]] static TlsStream& of(const SSL* ssl);
  bool keep_session(SslSessionPointer session);
  void note_verify_failure(X509_STORE_CTX* context);

  // For the BIO: the socket.
  using SocketStream::receive;
  using SocketStream::send;
  void note_end() { socket_ended_ = true; }
  void note_socket_error(Error error) { socket_error_ = std::move(error); }
  [[nodiscard]] bool socket_ended() const { return socket_ended_; }

 private:
  TlsStream(Reactor& reactor, Descriptor socket, const Endpoint& remote, std::string server_name);

  void on_events(std::uint32_t events) override;
  Attempt try_read(std::span<std::byte> buffer) override;
  Attempt try_write(ByteView bytes) override;
  [[nodiscard]] bool may_read() const override;

  void continue_handshake();
  // What an SSL call that did not succeed means; nothing: wait for the socket.
  std::optional<Error> failure_of(int ssl_result);

  std::string server_name_;
  std::string server_;  // the key of its sessions
  std::shared_ptr<TlsSessions> sessions_;
  SslPointer ssl_;
  DoneCallback handshake_done_;
  std::string protocol_;
  std::string verify_failure_;
  std::optional<Error> socket_error_;
  std::optional<Error> read_failure_;  // found behind bytes that were read
  bool socket_ended_ = false;
  bool failed_ = false;            // a fatal error: no farewell is sent
  bool read_wants_write_ = false;  // the read under way waits until the socket is writable
};

}  // namespace eilpost::env
