#pragma once
// One HTTP call of a command, on an event loop of its own on the calling thread.

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/message.h"
#include "model/outbound.h"

namespace eilpost::main {

struct Call {
  http::Method method = http::Method::get;
  std::string url;
  http::Headers headers;
  std::string body;
  // Set: called with each piece of the answer's body as it comes (server-sent events); the call
  // then lasts until the other side ends it.
  std::function<void(std::string_view)> on_body;
};

// Blocks. Errors: bad_input (the URL), name_not_resolved, connect_failed, tls_failed, …
[[nodiscard]] Result<http::Response> call(const Call& call);

}  // namespace eilpost::main
