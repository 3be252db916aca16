#include "retry/policy.h"

#include <algorithm>

#include "base/assert.h"
#include "base/probe.h"
#include "model/limits.h"

namespace eilpost::retry {
namespace {

using std::chrono::milliseconds;

constexpr std::uint16_t kStatusGone = 410;
// Jitter is drawn in steps of one thousandth.
constexpr std::int64_t kJitterSteps = 1000;

Next failed(FailReason reason) {
  return {.state = DeliveryState::failed, .reason = reason};
}

}  // namespace

std::optional<milliseconds> delay_after(const RetrySettings& settings, std::uint16_t attempts_count,
                                        Random& random) {
  EILPOST_ASSERT(attempts_count >= 1);
  if (attempts_count > settings.delays.size()) return std::nullopt;
  const milliseconds base = settings.delays[attempts_count - 1U];
  const auto band = static_cast<std::int64_t>(settings.jitter * kJitterSteps);
  EILPOST_ASSERT(band >= 0 && band <= kJitterSteps);
  const auto drawn =
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(2 * band + 1)));
  const milliseconds jittered = base + base * (drawn - band) / kJitterSteps;
  return std::max(jittered, milliseconds(1));
}

Next decide(const Outcome& outcome, const RetrySettings& settings, const Situation& situation,
            Random& random) {
  if (outcome.success) return {.state = DeliveryState::delivered};
  if (outcome.kind == OutcomeKind::answered && outcome.status == kStatusGone) {
    EILPOST_PROBE("retry.gone_410");
    Next next = failed(FailReason::final_status);
    next.disable_destination = true;
    return next;
  }
  if (outcome.final_reason != FailReason::none) {
    EILPOST_PROBE("retry.final");
    return failed(outcome.final_reason);
  }
  const auto delay = delay_after(settings, situation.attempts_count, random);
  if (!delay) {
    EILPOST_PROBE("retry.attempts_used_up");
    return failed(FailReason::attempts_used_up);
  }

  milliseconds wait = *delay;
  if (outcome.retry_after) {
    EILPOST_PROBE("retry.retry_after_honoured");
    const Duration wished = std::min(*outcome.retry_after, limits::kRetryAfterMax);
    wait = std::max(wait, std::chrono::ceil<milliseconds>(wished));
  }
  const WallTime retry_at = situation.ended_at + wait;
  if (retry_at - situation.accepted_at > limits::kDeliveryAgeMax)
    return failed(FailReason::expired);
  return {.state = DeliveryState::retrying, .retry_at = retry_at};
}

}  // namespace eilpost::retry
