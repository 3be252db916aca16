#pragma once
// TLS in the simulation: no bytes are encrypted; what would be agreed or refused is worked out from
// what both sides say they are.

#include <string>
#include <utility>
#include <vector>

#include "env/network.h"

namespace eilpost::env {

// What a listener shows in a TLS handshake, and when a client accepts it.
struct SimTlsIdentity {
  std::vector<std::string> names;      // `*.example.com` stands for one label
  bool trusted_by_system = true;       // by Trust::system and both
  std::string issuer_pem;              // trusted by Trust::own and both if the own CAs contain it
  std::vector<std::string> alpn = {};  // in the order of the server's preference
  bool requires_client_certificate = false;
  std::string problem = {};  // not empty: every handshake fails and says so
};

class SimTlsContext final : public TlsContext {
 public:
  explicit SimTlsContext(TlsOptions options) : options_(std::move(options)) {}
  [[nodiscard]] const TlsOptions& options() const { return options_; }

 private:
  TlsOptions options_;
};

// What the handshake agrees on by ALPN, perhaps nothing. Errors: tls_failed.
// REQUIRES: options.tls is set and was made by a SimNetwork.
[[nodiscard]] Result<std::string> shake_hands(const SimTlsIdentity& server,
                                              const ConnectOptions& client);

// Errors: bad_input for what cannot be PEM, and for a certificate without key or the reverse.
[[nodiscard]] Result<void> check_tls_options(const TlsOptions& options);

}  // namespace eilpost::env
