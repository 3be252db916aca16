#include "match/type_matcher.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"

namespace eilpost::match {

TypeMatcher::TypeMatcher(Candidates candidates) : candidates_(std::move(candidates)) {
  add_paths();
  build_index();
}

void TypeMatcher::add_paths() {
  slots_begin_.reserve(candidates_.size() + 1);
  for (const auto& candidate : candidates_) {
    slots_begin_.push_back(static_cast<std::uint32_t>(slots_.size()));
    for (const PropertyPath& path : candidate->conditions->paths) {
      const std::size_t slot = trie_.add(path);
      slots_.push_back(static_cast<std::uint32_t>(slot));
      if (slot < is_wildcard_slot_.size()) continue;
      is_wildcard_slot_.push_back(path.has_wildcard());
    }
  }
  slots_begin_.push_back(static_cast<std::uint32_t>(slots_.size()));
  is_indexed_slot_.resize(trie_.slots_count());
}

void TypeMatcher::build_index() {
  const auto count = static_cast<Ordinal>(candidates_.size());
  std::unordered_map<std::uint64_t, std::uint32_t> counts;
  counts.reserve(candidates_.size() * 2);
  for (Ordinal i = 0; i < count; ++i) {
    for (const IndexTerm& term : candidates_[i]->conditions->terms) {
      for (const IndexEntry& entry : term) ++counts[key_of(i, entry)];
    }
  }
  for (Ordinal i = 0; i < count; ++i) {
    const IndexTerm* term = best_term(i, counts);
    if (term == nullptr) {
      unindexed_.push_back(i);
      continue;
    }
    for (const IndexEntry& entry : *term) {
      postings_.push_back({.key = key_of(i, entry), .candidate = i});
      is_indexed_slot_[slots_of(i)[entry.path]] = true;
    }
  }
  std::ranges::sort(postings_, {}, [](const Posting& posting) {
    return std::pair(posting.key, posting.candidate);
  });
  const auto postings_count = static_cast<std::uint32_t>(postings_.size());
  for (std::uint32_t begin = 0, end = 0; begin < postings_count; begin = end) {
    while (end < postings_count && postings_[end].key == postings_[begin].key) ++end;
    posting_ranges_.emplace(postings_[begin].key, PostingRange{.begin = begin, .end = end});
  }
}

// The term that the fewest candidates share, so that an event looks at few; null if there is none.
const IndexTerm* TypeMatcher::best_term(
    Ordinal candidate, const std::unordered_map<std::uint64_t, std::uint32_t>& counts) const {
  const IndexTerm* best = nullptr;
  std::pair<std::uint32_t, std::size_t> best_cost;
  for (const IndexTerm& term : candidates_[candidate]->conditions->terms) {
    std::pair<std::uint32_t, std::size_t> cost{0, term.size()};
    for (const IndexEntry& entry : term) {
      cost.first = std::max(cost.first, counts.at(key_of(candidate, entry)));
    }
    if (best != nullptr && cost >= best_cost) continue;
    best = &term;
    best_cost = cost;
  }
  return best;
}

std::span<const std::uint32_t> TypeMatcher::slots_of(Ordinal candidate) const {
  const std::uint32_t begin = slots_begin_[candidate];
  return std::span(slots_).subspan(begin, slots_begin_[candidate + 1] - begin);
}

std::uint64_t TypeMatcher::key_of(Ordinal candidate, const IndexEntry& entry) const {
  return combine_hashes(slots_of(candidate)[entry.path], entry.key);
}

void TypeMatcher::look_up(Scratch& scratch) const {
  for (const std::uint32_t slot : scratch.values.found_slots()) {
    if (!is_indexed_slot_[slot]) continue;
    if (is_wildcard_slot_[slot]) {
      for (const WildcardMatch& match : scratch.values.matches(slot)) {
        look_up_value(slot, match.value, scratch);
      }
    } else if (const auto value = scratch.values.value(slot)) {
      look_up_value(slot, *value, scratch);
    }
  }
}

void TypeMatcher::look_up_value(std::uint32_t slot, simdjson::dom::element value,
                                Scratch& scratch) const {
  const auto scalar = scalar_of(value);
  if (!scalar) return;
  for (const std::uint64_t key : Keys::of(*scalar, scratch.text)) {
    const auto found = posting_ranges_.find(combine_hashes(slot, key));
    if (found == posting_ranges_.end()) continue;
    for (std::uint32_t i = found->second.begin; i < found->second.end; ++i) {
      scratch.candidates.push_back(postings_[i].candidate);
    }
  }
}

void TypeMatcher::match(const EventDocument& document, Scratch& scratch,
                        std::vector<Owed>& owed) const {
  trie_.walk(document, scratch.values);
  scratch.candidates = unindexed_;
  look_up(scratch);
  if (scratch.candidates.size() > unindexed_.size()) {
    std::ranges::sort(scratch.candidates);
    const auto repeats = std::ranges::unique(scratch.candidates);
    scratch.candidates.erase(repeats.begin(), repeats.end());
  }
  for (const Ordinal i : scratch.candidates) {
    const Candidate& candidate = *candidates_[i];
    ++scratch.evaluated_count;
    const Reading reading{.values = scratch.values, .slots = slots_of(i), .buffer = scratch.text};
    if (!run(*candidate.conditions, reading)) continue;
    owed.push_back({.webhook = candidate.webhook,
                    .webhook_version = candidate.webhook_version,
                    .destination = candidate.destination});
  }
}

}  // namespace eilpost::match
