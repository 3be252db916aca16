#include "server/token_store.h"

#include <utility>

namespace eilpost::server {

void TokenStore::load(DestinationId destination, env::Loop& loop,
                      std::move_only_function<void(Result<std::optional<KeptTokens>>)> done) {
  worker_.run([this, destination, &loop, done = std::move(done)]() mutable {
    loop.post([done = std::move(done), tokens = settings_.kept_tokens(destination)]() mutable {
      done(std::move(tokens));
    });
  });
}

void TokenStore::save(DestinationId destination, KeptTokens tokens, env::Loop& loop,
                      std::move_only_function<void(Result<void>)> done) {
  worker_.run(
      [this, destination, tokens = std::move(tokens), &loop, done = std::move(done)]() mutable {
        loop.post(
            [done = std::move(done), saved = settings_.keep_tokens(destination, tokens)]() mutable {
              done(std::move(saved));
            });
      });
}

}  // namespace eilpost::server
