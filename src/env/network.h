#pragma once
// Connections to the outside world: byte streams, listening, name resolution.
//
// Threads: a Network, and every Stream and Listener it makes, belongs to one loop.
// Callbacks run in a later turn of the loop, never before the call that asked for them returns.

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace eilpost::env {

// An IPv4 or IPv6 address. IPv4 uses the first 4 bytes.
struct Address {
  bool is_v6 = false;
  std::array<std::uint8_t, 16> bytes{};

  friend bool operator==(const Address&, const Address&) = default;
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

[[nodiscard]] std::string to_string(const Address& address);    // 127.0.0.1, ::1
[[nodiscard]] std::string to_string(const Endpoint& endpoint);  // 127.0.0.1:80, [::1]:80
// Strict: dotted decimal with four parts, or RFC 4291 text (no zone). Errors: bad_input.
[[nodiscard]] Result<Address> parse_address(std::string_view text);
// ADDRESS:PORT, IPv6 in brackets. Errors: bad_input.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// A connected two-way byte stream, perhaps through TLS.
//
// Ownership: destroying a Stream closes it; its callbacks then never run and its buffers are no
//            longer touched.
// Errors:    connection_reset, timed_out, tls_failed.
class Stream {
 public:
  using SizeCallback = std::move_only_function<void(Result<std::size_t>)>;
  using DoneCallback = std::move_only_function<void(Result<void>)>;

  virtual ~Stream() = default;

  // Reads at least one byte; 0 bytes means that the other side has ended its half.
  // REQUIRES: no read under way; `buffer` is not empty and lives until the callback.
  virtual void read(std::span<std::byte> buffer, SizeCallback done) = 0;

  // Writes all bytes. REQUIRES: no write under way; `bytes` lives until the callback.
  virtual void write(ByteView bytes, DoneCallback done) = 0;

  // Withdraws the read (the write) under way, if any: its callback never runs and its buffer is no
  // longer touched. After a withdrawn write, or through TLS a withdrawn read, the Stream is only
  // good for being destroyed.
  virtual void cancel_read() = 0;
  virtual void cancel_write() = 0;

  // True if the other side has neither sent anything nor closed since the last read ended: whether
  // an idle kept-alive connection may be used again. Costs one system call.
  [[nodiscard]] virtual bool is_idle_and_open() = 0;

  [[nodiscard]] virtual Endpoint remote_endpoint() const = 0;
  // What TLS agreed on by ALPN: "h2", "http/1.1", or empty.
  [[nodiscard]] virtual std::string_view application_protocol() const = 0;
};

// Trust and identity of one destination, made once and shared by its connections; it also caches
// TLS sessions. What it is made of: TlsOptions.
class TlsContext {
 public:
  virtual ~TlsContext() = default;
};

enum class Trust : std::uint8_t { system, own, both };

struct TlsOptions {
  Trust trust = Trust::system;
  std::string ca_certificates_pem;     // with own and both
  std::string client_certificate_pem;  // leaf first, then intermediates; empty: none
  std::string client_key_pem;
  std::vector<std::string> alpn;  // in order of preference, such as {"h2", "http/1.1"}
};

struct ConnectOptions {
  Endpoint endpoint;
  // Set: TLS with SNI and verification of `server_name`. Must live until the callback.
  TlsContext* tls = nullptr;
  std::string server_name;
  std::vector<std::string> alpn = {};  // offered instead of the context's, unless empty
};

class Listener {
 public:
  virtual ~Listener() = default;  // Stops listening; accepted Streams live on.
  [[nodiscard]] virtual Endpoint local_endpoint() const = 0;
};

// A call under way. Destroying it cancels the call: its callback then never runs.
class Operation {
 public:
  virtual ~Operation() = default;
};

struct Resolved {
  std::vector<Address> addresses;  // In the order of preference; never empty.
  Duration time_to_live{};
};

class Network {
 public:
  virtual ~Network() = default;

  // Errors: name_not_resolved. An address in text form resolves to itself.
  [[nodiscard]] virtual std::unique_ptr<Operation> resolve(
      std::string_view host, std::move_only_function<void(Result<Resolved>)> done) = 0;

  // Errors: connect_failed, connection_reset, tls_failed (`detail` says what was wrong with which
  // certificate). Sets no time limit of its own.
  [[nodiscard]] virtual std::unique_ptr<Operation> connect(
      ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) = 0;

  // TLS over a connection made by connect() without TLS, such as one that goes through a proxy,
  // with options.tls, server_name and alpn. Errors: as of connect(). REQUIRES: no read and no write
  // under way; the other side speaks only when it is spoken to.
  [[nodiscard]] virtual std::unique_ptr<Operation> start_tls(
      std::unique_ptr<Stream> stream, ConnectOptions options,
      std::move_only_function<void(Result<std::unique_ptr<Stream>>)> done) = 0;

  // Calls `on_stream` for each connection. Several loops may listen on one endpoint and share its
  // connections. Port 0 chooses a free one. Errors: listen_failed.
  [[nodiscard]] virtual Result<std::unique_ptr<Listener>> listen(
      const Endpoint& endpoint,
      std::move_only_function<void(std::unique_ptr<Stream>)> on_stream) = 0;

  // Errors: bad_input (`detail` says which part of which PEM is wrong). Any thread.
  [[nodiscard]] virtual Result<std::shared_ptr<TlsContext>> make_tls_context(
      const TlsOptions& options) = 0;
};

}  // namespace eilpost::env
