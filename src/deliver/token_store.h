#pragma once
// Where tokens are kept, so that they survive a restart.

#include <functional>
#include <optional>

#include "base/result.h"
#include "env/loop.h"
#include "model/ids.h"
#include "model/oauth.h"

namespace eilpost::deliver {

// Threads: any; `done` runs on `loop`.
class TokenStore {
 public:
  virtual ~TokenStore() = default;

  // Nothing: none are kept.
  virtual void load(DestinationId destination, env::Loop& loop,
                    std::move_only_function<void(Result<std::optional<KeptTokens>>)> done) = 0;
  // Durable after ok.
  virtual void save(DestinationId destination, KeptTokens tokens, env::Loop& loop,
                    std::move_only_function<void(Result<void>)> done) = 0;
};

}  // namespace eilpost::deliver
