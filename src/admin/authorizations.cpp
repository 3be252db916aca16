#include "admin/authorizations.h"

#include <utility>

#include "model/limits.h"

namespace eilpost::admin {

void Authorizations::add(const std::string& state, Authorization authorization) {
  const std::lock_guard lock(mutex_);
  waiting_[state] = std::move(authorization);
  oldest_first_.push_back(state);
  if (oldest_first_.size() <= limits::kAuthorizationsMax) return;
  waiting_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

std::optional<Authorization> Authorizations::take(std::string_view state, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(std::string(state));
  if (found == waiting_.end()) return std::nullopt;
  Authorization authorization = std::move(found->second);
  waiting_.erase(found);
  if (now >= authorization.expires_at) return std::nullopt;
  return authorization;
}

}  // namespace eilpost::admin
