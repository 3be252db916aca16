#pragma once
// A webhook's conditions as a flat program, and how it is run.

#include <cstdint>
#include <memory>
#include <re2/re2.h>
#include <span>
#include <string>
#include <vector>

#include "match/matcher.h"
#include "match/scalar.h"
#include "model/event_document.h"
#include "model/webhook.h"

namespace eilpost::match {

// The values of a long list, found by hash.
struct KeyedOperand {
  std::uint64_t key = 0;
  std::uint32_t operand = 0;

  friend auto operator<=>(const KeyedOperand&, const KeyedOperand&) = default;
};

// A group or a comparison. Groups are followed by what is in them.
struct Step {
  Condition::Kind kind = Condition::Kind::all;
  Operator op = Operator::exists;
  bool ignore_case = false;
  bool has_wildcard = false;
  std::uint32_t end = 0;   // the step behind this one and all that is in it
  std::uint32_t path = 0;  // of compare: in CompiledConditions::paths
  std::uint32_t operands_begin = 0;
  std::uint32_t operands_end = 0;
  std::uint32_t keyed_begin = 0;  // of long lists; otherwise begin and end are equal
  std::uint32_t keyed_end = 0;
  std::uint32_t pattern = 0;  // of matches
};

// One of these must be met for the conditions to be true: path `path` has a value with this key
// (match/scalar.h). Without entries they never are.
struct IndexEntry {
  std::uint32_t path = 0;
  std::uint64_t key = 0;
};
using IndexTerm = std::vector<IndexEntry>;

class CompiledConditions {
 public:
  std::vector<PropertyPath> paths;  // each once
  std::vector<Step> steps;          // none: true for every event
  std::vector<Operand> operands;
  std::vector<KeyedOperand> keyed;
  std::vector<std::unique_ptr<const re2::RE2>> patterns;
  std::vector<IndexTerm> terms;  // each of them is necessary
};

// What a program reads: path i of the program is slot slots[i] of `values`.
struct Reading {
  const PropertyValues& values;
  std::span<const std::uint32_t> slots;
  std::string& buffer;
};

[[nodiscard]] bool run(const CompiledConditions& conditions, const Reading& reading);

// The terms of all steps; fills `conditions.terms`.
void find_terms(CompiledConditions& conditions);

}  // namespace eilpost::match
