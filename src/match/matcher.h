#pragma once
// Which webhooks want an event. Pure: compiled once per webhook version, asked for every event.
//
// A Matcher holds all enabled webhooks, by environment and event type; those of events of Eilpost
// itself whichever environments they have. Per (environment, type) the
// conditions of all webhooks read their properties in one walk; an index on one necessary equality
// of each webhook (`oId is 7`) keeps the others from being looked at.
//
// Threads: build on one thread; then match() from any, also at once, each with its own Scratch.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "model/catalog.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/event_document.h"
#include "model/problem.h"
#include "model/webhook.h"

namespace eilpost::match {

// A webhook's conditions, compiled. Immutable; shared by the snapshots of settings.
class CompiledConditions;

// Checks everything about a webhook that concerns which events it wants (event, environments' form,
// conditions: operators, declared types, patterns, depth) and compiles it. Reports all that is
// wrong at once; pointers are those of the webhook's JSON ("/conditions/all/0/value"). Returns
// nothing if there was an error. An undeclared property is a warning.
[[nodiscard]] std::shared_ptr<const CompiledConditions> compile(const Webhook& webhook,
                                                                const Catalog& catalog,
                                                                Problems& problems);

// What one condition said of one event: for previews.
struct ConditionResult {
  std::string pointer;  // of the condition in the webhook's JSON
  bool result = false;
};

// The result of the whole, and of each node in document order: a group before what is in it, and
// all of it, even where the result is already certain. For previews: it is slower than match().
[[nodiscard]] bool evaluate(const CompiledConditions& conditions, const EventDocument& document,
                            std::vector<ConditionResult>* explained);

// One enabled webhook as the matcher needs it.
struct Candidate {
  WebhookId webhook{};
  std::uint32_t webhook_version = 0;
  DestinationId destination{};
  std::vector<EnvironmentId> environments;
  std::vector<std::string> types;  // codes, groups already resolved
  std::shared_ptr<const CompiledConditions> conditions;
};

// Memory of one lane, reused from event to event.
struct Scratch {
  PropertyValues values;
  std::vector<std::uint32_t> candidates;
  std::string text;                   // folded
  std::uint64_t evaluated_count = 0;  // candidates whose conditions were looked at, ever
};

class TypeMatcher;  // of one (environment, type)

class Matcher {
 public:
  // Adds to `owed` one entry for each webhook that wants the event, in the order of webhook ids.
  void match(EnvironmentId environment, std::string_view type, const EventDocument& document,
             Scratch& scratch, std::vector<Owed>& owed) const;

  // A Matcher for `candidates` (all of them, in order of id), which shares with `previous` the
  // parts whose candidates did not change.
  [[nodiscard]] static std::shared_ptr<const Matcher> build(
      const std::vector<std::shared_ptr<const Candidate>>& candidates,
      const std::shared_ptr<const Matcher>& previous);

  // How many parts, each of one environment and event type, this shares with `other`.
  [[nodiscard]] std::size_t shared_count(const Matcher& other) const;

 private:
  struct Key {
    EnvironmentId environment{};
    std::string type;
  };
  struct KeyView {
    EnvironmentId environment{};
    std::string_view type;
  };
  struct KeyHash {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): std wants it.
    std::size_t operator()(KeyView key) const;
    std::size_t operator()(const Key& key) const;
  };
  struct KeyEqual {
    using is_transparent = void;  // NOLINT(readability-identifier-naming): std wants it.
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.environment == b.environment && a.type == b.type;
    }
  };
  using Types = std::unordered_map<Key, std::shared_ptr<const TypeMatcher>, KeyHash, KeyEqual>;
  Types types_;
};

}  // namespace eilpost::match
