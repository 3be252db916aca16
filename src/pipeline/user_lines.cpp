#include "pipeline/user_lines.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "model/limits.h"

namespace eilpost::pipeline {

bool UserLines::claim(const Due& due) {
  if (due.user == 0) return true;
  const auto [line, is_new] = lines_.try_emplace(due.user, Line{.active = due.id});
  if (line->second.active != due.id) return false;
  line->second.is_failing = false;
  return true;
}

void UserLines::claim_again(const Due& due) {
  if (due.user == 0) return;
  const auto [line, is_new] =
      lines_.try_emplace(due.user, Line{.active = due.id, .is_failing = true});
  if (!is_new && line->second.active != due.id) failing_.emplace(due.user, due.id);
}

bool UserLines::admit(Due& due) {
  if (claim(due)) return true;
  EILPOST_PROBE("pipeline.waits_for_its_user");
  failing_.erase({due.user, due.id});
  due.forget_event();
  const std::pair key(due.user, due.id);
  waiting_.insert_or_assign(key, std::move(due));
  return false;
}

std::optional<Due> UserLines::leave(const Due& due) {
  failing_.erase({due.user, due.id});
  const auto line = lines_.find(due.user);
  if (line == lines_.end() || line->second.active != due.id) return std::nullopt;
  return pass_on(line);
}

std::optional<Due> UserLines::pass_on(Lines::iterator line) {
  const std::uint32_t user = line->first;
  const auto next = waiting_.lower_bound({user, DeliveryId{}});
  const bool is_any = next != waiting_.end() && next->first.first == user;
  const auto failing = failing_.lower_bound({user, DeliveryId{}});
  const bool is_any_failing = failing != failing_.end() && failing->first == user;
  if (is_any_failing && (!is_any || *failing < next->first)) {
    line->second = {.active = failing->second, .is_failing = true, .is_held = true};
    failing_.erase(failing);
    return std::nullopt;
  }
  if (!is_any) {
    lines_.erase(line);
    return std::nullopt;
  }
  line->second = {.active = next->second.id};
  return std::move(waiting_.extract(next).mapped());
}

// Most fail once, and are delivered long before their hour is over.
void UserLines::forget_what_is_over() {
  if (held_.size() <= kHeldSlack + 2 * (lines_.size() + failing_.size())) return;
  held_.erase_if([this](const LaterHeap<Held>::Entry& entry) {
    const Held& held = entry.value;
    const auto line = lines_.find(held.user);
    const bool is_active = line != lines_.end() && line->second.active == held.delivery;
    return !is_active && !failing_.contains({held.user, held.delivery});
  });
}

bool UserLines::note_failed(Due& due, Instant now) {
  const auto line = lines_.find(due.user);
  if (line == lines_.end()) return true;
  const bool waits_for_line = failing_.contains({due.user, due.id});
  if (!waits_for_line && line->second.active != due.id) return true;
  if (!due.failed_since) due.failed_since = now;
  const Instant until = *due.failed_since + limits::kOrderingHoldMax;
  if (waits_for_line) {
    held_.push(until, {.user = due.user, .delivery = due.id});
    return true;
  }
  if (until <= now) return false;
  forget_what_is_over();
  line->second.is_failing = true;
  if (!std::exchange(line->second.is_held, true)) {
    held_.push(until, {.user = due.user, .delivery = due.id});
  }
  return true;
}

std::vector<Due> UserLines::release(Instant now) {
  std::vector<Due> released;
  while (const std::optional<Held> held = held_.pop_due(now)) {
    failing_.erase({held->user, held->delivery});
    const auto line = lines_.find(held->user);
    if (line == lines_.end() || line->second.active != held->delivery) continue;
    line->second.is_held = false;
    if (!line->second.is_failing) continue;  // It is its turn: if it fails again, it leaves.
    EILPOST_PROBE("pipeline.user_goes_on_without_a_failing_one");
    if (std::optional<Due> next = pass_on(line)) released.push_back(std::move(*next));
  }
  return released;
}

std::vector<Due> UserLines::take_waiting() {
  std::vector<Due> all;
  all.reserve(waiting_.size());
  for (auto& [key, due] : waiting_) all.push_back(std::move(due));
  waiting_.clear();
  std::ranges::sort(all, {}, &Due::id);
  return all;
}

void UserLines::forget_lines() {
  EILPOST_ASSERT(waiting_.empty());
  lines_.clear();
  failing_.clear();
  held_ = {};
}

void UserLines::erase_if(const std::function<bool(const Due&)>& is_over) {
  std::erase_if(waiting_, [&](const auto& entry) { return is_over(entry.second); });
}

}  // namespace eilpost::pipeline
