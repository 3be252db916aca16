#pragma once
// A way through an HTTP proxy: CONNECT (RFC 9110 §9.3.6), for https and http alike. The proxy is
// told the address that was looked up and checked here, never the name, so it cannot be led
// elsewhere.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "env/network.h"

namespace eilpost::http {

// Where it is and what it is shown. Values.
struct Proxy {
  std::string host;  // a name or an address
  std::uint16_t port = 80;
  std::string authorization;  // the header Proxy-Authorization; empty: none. Secret.

  // "http://proxy.example:3128", without what is secret.
  [[nodiscard]] std::string to_string() const;
};

// http://HOST[:PORT] with USER:PASSWORD@ before the host if the proxy asks for them,
// percent-encoded. Errors: bad_input; `detail` never shows the credentials.
[[nodiscard]] Result<Proxy> parse_proxy(std::string_view text);

// Asks the proxy at the other end of `stream` for a way to `target`; the stream then is that way.
// Errors: connect_failed, with a detail that says what the proxy answered; those of the stream.
// REQUIRES: `stream` and `proxy` live until the Task ends; nothing was sent on the stream yet.
[[nodiscard]] Task<Result<void>> open_tunnel(env::Stream& stream, const Proxy& proxy,
                                             env::Endpoint target);

}  // namespace eilpost::http
