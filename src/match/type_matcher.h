#pragma once
// The webhooks of one environment that wait for one event type.
//
// Threads: build on one thread; then match() from any, also at once, each with its own Scratch.

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "match/conditions.h"
#include "match/matcher.h"

namespace eilpost::match {

class TypeMatcher {
 public:
  using Candidates = std::vector<std::shared_ptr<const Candidate>>;

  // Of webhooks in the order of their ids.
  explicit TypeMatcher(Candidates candidates);

  [[nodiscard]] const Candidates& candidates() const { return candidates_; }

  void match(const EventDocument& document, Scratch& scratch, std::vector<Owed>& owed) const;

 private:
  using Ordinal = std::uint32_t;  // in candidates_

  // Candidates that are looked at only if the event has a certain value at a certain slot.
  struct Posting {
    std::uint64_t key = 0;  // of slot and value
    Ordinal candidate = 0;
  };
  struct PostingRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };

  void add_paths();
  void build_index();
  [[nodiscard]] const IndexTerm* best_term(
      Ordinal candidate, const std::unordered_map<std::uint64_t, std::uint32_t>& counts) const;
  [[nodiscard]] std::span<const std::uint32_t> slots_of(Ordinal candidate) const;
  [[nodiscard]] std::uint64_t key_of(Ordinal candidate, const IndexEntry& entry) const;
  void look_up(Scratch& scratch) const;
  void look_up_value(std::uint32_t slot, simdjson::dom::element value, Scratch& scratch) const;

  Candidates candidates_;
  PropertyTrie trie_;
  std::vector<std::uint32_t> slots_;        // of the paths of all candidates, one after another
  std::vector<std::uint32_t> slots_begin_;  // where each candidate's begin, and the end
  std::vector<Ordinal> unindexed_;          // looked at for every event
  std::vector<bool> is_indexed_slot_;
  std::vector<bool> is_wildcard_slot_;
  std::vector<Posting> postings_;
  std::unordered_map<std::uint64_t, PostingRange> posting_ranges_;
};

}  // namespace eilpost::match
