#pragma once
// The outside world, whole: what main builds for real and tests simulate.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "env/clock.h"
#include "env/directory.h"
#include "env/entropy.h"
#include "env/loop.h"

namespace eilpost::env {

// Ownership: outlives everything that was built on it.
// Threads:   the accessors from any thread.
class Env {
 public:
  virtual ~Env() = default;

  // The lanes: at least one. Each Loop runs on a thread of its own.
  [[nodiscard]] virtual std::size_t lanes_count() const = 0;
  [[nodiscard]] virtual Loop& lane(std::size_t index) = 0;

  [[nodiscard]] virtual Clock& clock() = 0;
  [[nodiscard]] virtual Entropy& entropy() = 0;
  // The data folder.
  [[nodiscard]] virtual Directory& directory() = 0;

  // The bytes of this machine's TZif file (RFC 9636) of a zone such as Europe/Berlin; nothing if it
  // has none. Blocks.
  [[nodiscard]] virtual std::optional<std::string> read_time_zone(std::string_view name) = 0;

  // The certificates (DER) that this machine trusts and whose subject is this DER name. Blocks; any
  // thread.
  [[nodiscard]] virtual std::vector<Bytes> trusted_certificates(ByteView subject) = 0;

  // Starts a thread for blocking jobs; `name` (at most 15 characters) shows in tools like top.
  [[nodiscard]] virtual std::unique_ptr<Worker> start_worker(std::string_view name) = 0;

  // Ends the process at once with this exit code, without running anything else: for a failure
  // after which going on is unsafe, such as a failed fsync. In the simulation it returns and the
  // crash follows: the caller must do nothing more. Any thread.
  virtual void die(int exit_code, std::string_view reason) = 0;
};

}  // namespace eilpost::env
