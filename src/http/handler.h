#pragma once
// What a server does with a request.

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/task.h"
#include "env/network.h"
#include "http/message.h"

namespace eilpost::http {

// Sends the answer to one request: exactly one call of respond(), or begin_stream() followed by any
// number of write_chunk().
//
// Threads: the connection's loop. Errors: connection_reset when the client has gone.
class Responder {
 public:
  virtual ~Responder() = default;

  // Content-Length, Date and Connection are added; a body on 204, 304 or to HEAD is not sent.
  [[nodiscard]] virtual Task<Result<void>> respond(Response response) = 0;

  // Starts an answer of unknown length (chunked), such as server-sent events.
  [[nodiscard]] virtual Task<Result<void>> begin_stream(Response head) = 0;
  [[nodiscard]] virtual Task<Result<void>> write_chunk(std::string_view bytes) = 0;
};

// Why a request cannot be handed over. `code` is stable; neither holds what JSON would escape.
struct Refused {
  int status = 400;
  std::string_view code;
  std::string_view detail;
};

// RFC 9457, with no `errors`: there is nothing inside the request to point at.
[[nodiscard]] Response problem_response(const Refused& refused);

// Threads: called on the loop whose connection received the request; several requests, of several
// connections, at once.
class Handler {
 public:
  virtual ~Handler() = default;

  // `request` and `responder` live until the Task ends. A Task that ends without an answer closes
  // the connection. The Task is destroyed when the server stops or the connection breaks.
  [[nodiscard]] virtual Task<void> handle(const Request& request, const env::Endpoint& client,
                                          Responder& responder) = 0;

  // The answer to a request that is malformed, too large or too slow; then the connection ends.
  // `request` holds what was understood of it: any part may be missing or cut off.
  [[nodiscard]] virtual Response refuse(const Request& /*request*/, const Refused& refused) {
    return problem_response(refused);
  }
};

}  // namespace eilpost::http
