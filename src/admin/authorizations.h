#pragma once
// Authorizations under way: a person was given the URL of a provider's page and has not come back
// yet. In memory: a restart forgets them, and the oldest give way.
//
// Threads: any.

#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "model/ids.h"

namespace eilpost::admin {

struct Authorization {
  DestinationId destination{};
  std::string author;  // who asked for it
  std::string code_verifier;
  std::string redirect_uri;
  Instant expires_at;
};

class Authorizations final {
 public:
  void add(const std::string& state, Authorization authorization);
  // Each only once, and not after its end.
  [[nodiscard]] std::optional<Authorization> take(std::string_view state, Instant now);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, Authorization> waiting_;  // guarded by mutex_
  std::deque<std::string> oldest_first_;  // those taken meanwhile too; guarded by mutex_
};

}  // namespace eilpost::admin
