#pragma once
// What the servers of a world need of HTTP/1.1, with code of its own, so that they share none with
// what they judge.

#include <string>
#include <string_view>

#include "base/task.h"
#include "env/sim/sim_env.h"

namespace eilpost::sim {

// A request as it came over the wire.
struct RawRequest {
  std::string target;
  std::string head;  // header lines
  std::string body;

  // `name` is in small letters.
  [[nodiscard]] std::string header(std::string_view name) const;
};

// What is done as soon as bytes come.
enum class OnBytes : std::uint8_t { read, reset };

// REQUIRES: everything given lives until the Task ends.
// False at the end of the connection. `buffered` holds what was read beyond a request.
[[nodiscard]] Task<bool> read_raw_request(env::Stream& stream, std::string& buffered,
                                          RawRequest& request, OnBytes on_bytes);
// False at the end of the connection.
[[nodiscard]] Task<bool> read_more(env::Stream& stream, std::string& buffered);
[[nodiscard]] Task<bool> write_text(env::Stream& stream, std::string text);
// False if the client closed meanwhile.
[[nodiscard]] Task<bool> wait_open(env::SimEnv& env, env::Stream& stream, Duration duration);
[[nodiscard]] Task<void> sleep(env::SimEnv& env, Duration duration);

}  // namespace eilpost::sim
