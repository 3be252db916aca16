#include "env/real/real_entropy.h"

#include <cerrno>
#include <sys/random.h>

#include "base/assert.h"

namespace eilpost::env {

void RealEntropy::fill(std::span<std::byte> target) {
  while (!target.empty()) {
    const ssize_t count = getrandom(target.data(), target.size(), 0);
    EILPOST_ASSERT(count > 0 || errno == EINTR);
    if (count > 0) target = target.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace eilpost::env
