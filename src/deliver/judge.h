#pragma once
// What an answer means, by the rules of its destination: a success, tried again, or final. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/answer_rules.h"
#include "model/delivery.h"

namespace eilpost::deliver {

// The events of a batch that an answer names as refused, as indexes or names in text form.
// Nothing: the answer is no list at all, so it is about the whole request.
[[nodiscard]] std::optional<std::vector<std::string>> refused_in(const PartialRule& rule,
                                                                 std::string_view answer);

// Decides about the answer to a request that carried one event, and says in `outcome.detail` what
// was expected. Outcomes without an answer stay as they are. An answer's body is only looked at if
// the rule reads it; then `outcome.answer` must be whole.
void judge(const SuccessRule& rule, const std::vector<StatusRange>& final_statuses,
           Outcome& outcome);

// An event's part of a batch.
struct BatchPart {
  std::string_view content;  // JSON; of `count` elements of a list, separated by commas
  std::size_t count = 1;
};

// What an answer says about the parts of a batch.
struct RefusedParts {
  std::vector<bool> is_refused;  // by part
  // A name among them that no part has: then nothing is known of any part. Whatever the answer
  // names means a part that is alone.
  std::optional<std::string> unknown_name;
};

// Of which parts an answer names one as refused. Nothing: the answer is about the whole request.
// Costs what reading all parts costs if they are named by a value of theirs. REQUIRES: a part.
[[nodiscard]] std::optional<RefusedParts> refused_parts(const SuccessRule& rule,
                                                        const Outcome& outcome,
                                                        std::span<const BatchPart> parts);

// The outcome of one part of a batch about which refused_parts() says something.
void judge_part(const PartialRule& rule, bool is_refused, Outcome& outcome);

}  // namespace eilpost::deliver
