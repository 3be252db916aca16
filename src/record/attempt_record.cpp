#include "record/attempt_record.h"

#include <utility>

#include "base/utf8.h"
#include "model/limits.h"

namespace eilpost::record {

Attempt make_attempt(const Facts& facts, Outcome outcome, const Next& next) {
  const std::size_t bytes_max =
      outcome.success ? limits::kAnswerBytesSuccess : limits::kAnswerBytesFailure;
  if (outcome.answer.size() > bytes_max) {
    outcome.answer.resize(truncate_to_bytes(outcome.answer, bytes_max).size());
  }
  const auto duration = std::chrono::duration_cast<std::chrono::milliseconds>(facts.duration);
  return {.delivery = facts.delivery,
          .number = facts.number,
          .started_at = facts.ended_at - duration,
          .duration = duration,
          .webhook_version = facts.webhook_version,
          .destination_version = facts.destination_version,
          .body_hash = facts.body_hash,
          .outcome = std::move(outcome),
          .next = next};
}

}  // namespace eilpost::record
