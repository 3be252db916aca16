#include "retry/window.h"

#include <algorithm>

#include "base/probe.h"

namespace eilpost::retry {

bool Window::is_complaint(const Outcome& outcome) const {
  if (outcome.kind != OutcomeKind::answered) return false;
  if (outcome.status == 429 || outcome.status == 503) return true;
  return std::ranges::find(complaints_, outcome.status) != complaints_.end();
}

std::uint32_t Window::size(std::uint32_t concurrency) const {
  return std::min(concurrency, static_cast<std::uint32_t>(size_));
}

void Window::note_end(const Outcome& outcome, std::uint32_t concurrency, Instant started,
                      Instant now) {
  if (outcome.success) {
    if (size_ >= kOpen) return;
    size_ += size_ < doubles_until_ ? 1 : 1 / size_;
    if (size_ >= concurrency) size_ = kOpen;
    return;
  }
  if (!is_complaint(outcome) || started < halved_at_) return;
  EILPOST_PROBE("retry.window_halved");
  size_ = std::max(1.0, static_cast<double>(size(concurrency)) / 2);
  doubles_until_ = size_;
  halved_at_ = now;
}

void Window::open_slowly() {
  size_ = 1;
}

void Window::open_fully() {
  size_ = kOpen;
  doubles_until_ = kOpen;
  halved_at_ = {};
}

}  // namespace eilpost::retry
