#include "match/matcher.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "match/type_matcher.h"

namespace eilpost::match {

std::size_t Matcher::KeyHash::operator()(KeyView key) const {
  return hash64(key.type, static_cast<std::uint64_t>(key.environment));
}

std::size_t Matcher::KeyHash::operator()(const Key& key) const {
  return (*this)(KeyView{.environment = key.environment, .type = key.type});
}

void Matcher::match(EnvironmentId environment, std::string_view type, const EventDocument& document,
                    Scratch& scratch, std::vector<Owed>& owed) const {
  const auto found = types_.find(KeyView{.environment = environment, .type = type});
  if (found != types_.end()) found->second->match(document, scratch, owed);
}

std::size_t Matcher::shared_count(const Matcher& other) const {
  return static_cast<std::size_t>(std::ranges::count_if(types_, [&other](const auto& entry) {
    const auto found = other.types_.find(entry.first);
    return found != other.types_.end() && found->second == entry.second;
  }));
}

std::shared_ptr<const Matcher> Matcher::build(
    const std::vector<std::shared_ptr<const Candidate>>& candidates,
    const std::shared_ptr<const Matcher>& previous) {
  std::unordered_map<Key, TypeMatcher::Candidates, KeyHash, KeyEqual> by_key;
  for (const auto& candidate : candidates) {
    for (const EnvironmentId environment : candidate->environments) {
      for (const std::string& type : candidate->types) {
        // What concerns Eilpost itself concerns every environment; its events have none of their
        // own and stand under production.
        const Key key{.environment = is_operational(type) ? EnvironmentId::production : environment,
                      .type = type};
        TypeMatcher::Candidates& same = by_key[key];
        if (same.empty() || same.back() != candidate) same.push_back(candidate);
      }
    }
  }
  auto matcher = std::make_shared<Matcher>();
  for (auto& [key, same] : by_key) {
    std::shared_ptr<const TypeMatcher>& type_matcher = matcher->types_[key];
    if (previous != nullptr) {
      const auto before = previous->types_.find(key);
      if (before != previous->types_.end() && before->second->candidates() == same) {
        type_matcher = before->second;
        continue;
      }
    }
    type_matcher = std::make_shared<const TypeMatcher>(std::move(same));
  }
  return matcher;
}

}  // namespace eilpost::match
