#include "retry/breaker.h"

#include <algorithm>

#include "base/probe.h"
#include "model/limits.h"

namespace eilpost::retry {

Verdict verdict_of(const Outcome& outcome) {
  if (outcome.success) return Verdict::well;
  if (outcome.kind == OutcomeKind::render) return Verdict::content;
  if (outcome.kind != OutcomeKind::answered) return Verdict::ill;
  if (outcome.final_reason == FailReason::rejected) return Verdict::content;
  switch (outcome.status) {
    case 400:
    case 405:
    case 413:
    case 414:
    case 415:
    case 422:
      return Verdict::content;
    default:
      return Verdict::ill;
  }
}

Instant Breaker::earliest(Instant now) const {
  if (!is_paused()) return now;
  if (is_probing_) return Instant::max();
  return std::max(now, paused_until_);
}

void Breaker::note_start(Instant now) {
  if (!is_paused()) return;
  EILPOST_PROBE("retry.probe_sent");
  is_probing_ = true;
  probe_started_ = now;
}

Breaker::Change Breaker::note_end(Verdict verdict, Instant started, Instant now) {
  if (is_paused()) return note_end_while_paused(verdict, started, now);
  if (verdict == Verdict::content) return Change::none;
  if (verdict == Verdict::well) {
    failures_count_ = 0;
    return Change::none;
  }
  if (++failures_count_ < limits::kBreakerFailures) return Change::none;
  EILPOST_PROBE("retry.destination_paused");
  pause_ = limits::kBreakerPauseMin;
  paused_until_ = now + pause_;
  return Change::paused;
}

void Breaker::note_abandoned(Instant started) {
  if (is_probe(started)) is_probing_ = false;
}

void Breaker::begin_paused(Instant now) {
  EILPOST_PROBE("retry.begins_paused");
  pause_ = limits::kBreakerPauseMin;
  paused_until_ = now;
}

Breaker::Change Breaker::note_end_while_paused(Verdict verdict, Instant started, Instant now) {
  if (verdict == Verdict::well || (verdict == Verdict::content && is_probe(started))) {
    EILPOST_PROBE("retry.destination_recovered");
    resume();
    return Change::recovered;
  }
  if (!is_probe(started)) return Change::none;
  is_probing_ = false;
  if (verdict == Verdict::ill) {
    pause_ = std::min(2 * pause_, limits::kBreakerPauseMax);
    paused_until_ = now + pause_;
  }
  return Change::none;
}

}  // namespace eilpost::retry
