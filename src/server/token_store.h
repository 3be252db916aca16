#pragma once
// The tokens of destinations, kept with the settings.
//
// Ownership: the worker and the settings must outlive it.
// Threads:   any; the settings are touched on their worker only.

#include "deliver/token_store.h"
#include "settings/settings.h"

namespace eilpost::server {

class TokenStore final : public deliver::TokenStore {
 public:
  TokenStore(env::Worker& worker, settings::Settings& settings)
      : worker_(worker), settings_(settings) {}

  void load(DestinationId destination, env::Loop& loop,
            std::move_only_function<void(Result<std::optional<KeptTokens>>)> done) override;
  void save(DestinationId destination, KeptTokens tokens, env::Loop& loop,
            std::move_only_function<void(Result<void>)> done) override;

 private:
  env::Worker& worker_;
  settings::Settings& settings_;
};

}  // namespace eilpost::server
