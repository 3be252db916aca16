#include "env/real/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <utility>

#include "base/assert.h"
#include "env/real/tls_text.h"

namespace eilpost::env {
namespace {

TlsStream& stream_of(BIO* bio) {
  return *static_cast<TlsStream*>(BIO_get_data(bio));
}

// The common end of a read or a write of the BIO.
int finish(BIO* bio, std::optional<Result<std::size_t>> attempt, int retry_flags, size_t* count) {
  BIO_clear_retry_flags(bio);
  if (!attempt) {
    BIO_set_flags(bio, retry_flags);
    return 0;
  }
  if (!*attempt) {
    stream_of(bio).note_socket_error(std::move(*attempt).error());
    return 0;
  }
  *count = **attempt;
  return *count > 0 ? 1 : 0;
}

int bio_read(BIO* bio, char* target, size_t size, size_t* count) {
  auto attempt = stream_of(bio).receive(std::as_writable_bytes(std::span(target, size)));
  if (attempt && *attempt && **attempt == 0) stream_of(bio).note_end();
  return finish(bio, std::move(attempt), BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY, count);
}

int bio_write(BIO* bio, const char* bytes, size_t size, size_t* count) {
  auto attempt = stream_of(bio).send(std::as_bytes(std::span(bytes, size)));
  return finish(bio, std::move(attempt), BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY, count);
}

long bio_control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return stream_of(bio).socket_ended() ? 1 : 0;
  return 0;
}

using BioMethodPointer = std::unique_ptr<BIO_METHOD, internal::Freer<BIO_meth_free>>;

BioMethodPointer make_bio_method() {
  BioMethodPointer method(
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "stream"));
  EILPOST_ASSERT(method != nullptr);
  BIO_meth_set_read_ex(method.get(), bio_read);
  BIO_meth_set_write_ex(method.get(), bio_write);
  BIO_meth_set_ctrl(method.get(), bio_control);
  return method;
}

BIO* new_bio(TlsStream& stream) {
  static const BioMethodPointer kMethod = make_bio_method();
  BIO* bio = BIO_new(kMethod.get());
  EILPOST_ASSERT(bio != nullptr);
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace

TlsStream::TlsStream(Reactor& reactor, Descriptor socket, const Endpoint& remote,
                     std::string server_name)
    : SocketStream(reactor, std::move(socket), remote),
      server_name_(std::move(server_name)),
      server_(server_name_ + ":" + std::to_string(remote.port)) {}

TlsStream::~TlsStream() {
  if (ssl_ == nullptr || failed_ || SSL_is_init_finished(ssl_.get()) == 0) return;
  ERR_clear_error();
  // Says farewell, and keeps the session good for resuming. Does not wait for the answer.
  SSL_shutdown(ssl_.get());
}

Result<std::unique_ptr<TlsStream>> TlsStream::take_over(Reactor& reactor, Descriptor socket,
                                                        const Endpoint& remote,
                                                        const RealTlsContext& context,
                                                        const ConnectOptions& options) {
  std::unique_ptr<TlsStream> stream(
      new TlsStream(reactor, std::move(socket), remote, options.server_name));
  stream->take_over_socket();
  EILPOST_ASSIGN_OR_RETURN(stream->ssl_,
                           context.new_client(options.server_name, stream->server_, options.alpn));
  stream->sessions_ = context.sessions();
  SSL* ssl = stream->ssl_.get();
  SSL_set_app_data(ssl, stream.get());
  BIO* bio = new_bio(*stream);
  SSL_set_bio(ssl, bio, bio);
  SSL_set_connect_state(ssl);
  return stream;
}

TlsStream& TlsStream::of(const SSL* ssl) {
  return *static_cast<TlsStream*>(SSL_get_app_data(ssl));
}

bool TlsStream::keep_session(SslSessionPointer session) {
  sessions_->put(server_, std::move(session));
  return true;
}

void TlsStream::note_verify_failure(X509_STORE_CTX* context) {
  verify_failure_ = describe_verify_failure(context, server_name_);
}

void TlsStream::handshake(DoneCallback done) {
  EILPOST_ASSERT(!handshake_done_);
  handshake_done_ = std::move(done);
  // The socket was connected a moment ago and is taken over with a fresh registration, so the
  // first event comes at once: "writable".
}

void TlsStream::on_events(std::uint32_t events) {
  if (!handshake_done_) return SocketStream::on_events(events);
  note_events(events);
  continue_handshake();
}

void TlsStream::continue_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  std::optional<Error> failure;
  if (result != 1) {
    failure = failure_of(result);
    if (!failure) return;
    if (failure->code == ErrorCode::connection_reset) {
      failure->detail = "during the TLS handshake: " + failure->detail;
    }
  } else {
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    protocol_.assign(reinterpret_cast<const char*>(protocol), size);
  }
  DoneCallback done = std::exchange(handshake_done_, nullptr);
  if (failure) {
    done(std::unexpected(*std::move(failure)));
  } else {
    done({});
  }
}

// Small records that came together are read together, so that they cost one turn of the loop.
SocketStream::Attempt TlsStream::try_read(std::span<std::byte> buffer) {
  if (read_failure_) return std::unexpected(*read_failure_);
  std::size_t total = 0;
  int result = 1;
  while (result == 1) {
    ERR_clear_error();
    std::size_t count = 0;
    result = SSL_read_ex(ssl_.get(), buffer.data() + total, buffer.size() - total, &count);
    read_wants_write_ = false;
    if (result == 1) total += count;
    if (result == 1 && (total == buffer.size() || SSL_has_pending(ssl_.get()) == 0)) return total;
  }
  // What ended the reading is told by the next read, if this one has bytes.
  if (SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return total;
  read_wants_write_ = SSL_want_write(ssl_.get());
  std::optional<Error> failure = failure_of(result);
  if (failure && total == 0) return std::unexpected(*failure);
  read_failure_ = std::move(failure);
  if (total == 0) return std::nullopt;
  return total;
}

SocketStream::Attempt TlsStream::try_write(ByteView bytes) {
  ERR_clear_error();
  std::size_t count = 0;
  const int result = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &count);
  if (result == 1) return count;
  if (std::optional<Error> failure = failure_of(result)) return std::unexpected(*failure);
  return std::nullopt;
}

bool TlsStream::may_read() const {
  return readable() || read_wants_write_ || read_failure_ || SSL_has_pending(ssl_.get()) == 1 ||
         (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

bool TlsStream::is_idle_and_open() {
  if (failed_ || ssl_ == nullptr) return false;
  ERR_clear_error();
  std::byte ignored{};
  std::size_t count = 0;
  const int result = SSL_peek_ex(ssl_.get(), &ignored, 1, &count);
  if (result == 1 || SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN) return false;
  return !failure_of(result).has_value();
}

std::optional<Error> TlsStream::failure_of(int ssl_result) {
  const int error = SSL_get_error(ssl_.get(), ssl_result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return std::nullopt;
  failed_ = true;
  if (socket_error_) return socket_error_;
  if (!verify_failure_.empty()) {
    ERR_clear_error();
    return Error{.code = ErrorCode::tls_failed, .detail = verify_failure_};
  }
  if (socket_ended_) {
    ERR_clear_error();
    return Error{.code = ErrorCode::connection_reset,
                 .detail = "the server closed the connection without TLS's farewell"};
  }
  return Error{.code = ErrorCode::tls_failed, .detail = take_openssl_reason()};
}

}  // namespace eilpost::env
