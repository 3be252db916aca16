#include "pipeline/user_lines.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/probe.h"
#include "model/limits.h"

namespace eilpost::pipeline {

bool UserLines::claim(const Due& due) {
  if (due.user == 0) return false;
  const auto [line, is_new] =
      lines_.try_emplace(due.user, Line{.active = due.id, .has_failed = false, .waiting = {}});
  return is_new || line->second.active == due.id;
}

bool UserLines::admit(Due& due) {
  if (due.user == 0 || claim(due)) return true;
  EILPOST_PROBE("pipeline.waits_for_its_user");
  due.forget_event();
  std::deque<Due>& waiting = lines_.at(due.user).waiting;
  waiting.insert(std::ranges::upper_bound(waiting, due.id, {}, &Due::id), std::move(due));
  ++waiting_count_;
  return false;
}

std::optional<Due> UserLines::leave(const Due& due) {
  const auto line = lines_.find(due.user);
  if (line == lines_.end() || line->second.active != due.id) return std::nullopt;
  return pass_on(line);
}

std::optional<Due> UserLines::pass_on(Lines::iterator line) {
  std::deque<Due>& waiting = line->second.waiting;
  if (waiting.empty()) {
    lines_.erase(line);
    return std::nullopt;
  }
  Due next = std::move(waiting.front());
  waiting.pop_front();
  --waiting_count_;
  line->second.active = next.id;
  line->second.has_failed = false;
  return next;
}

bool UserLines::note_failed(Due& due, Instant now) {
  const auto line = lines_.find(due.user);
  if (line == lines_.end() || line->second.active != due.id) return true;
  if (!due.failed_since) due.failed_since = now;
  const Instant until = *due.failed_since + limits::kOrderingHoldMax;
  if (until <= now) return false;
  if (std::exchange(line->second.has_failed, true)) return true;
  const auto place = std::ranges::upper_bound(held_, until, {}, &Held::until);
  held_.insert(place, {.until = until, .user = due.user, .delivery = due.id});
  return true;
}

std::optional<Instant> UserLines::next_release() const {
  if (held_.empty()) return std::nullopt;
  return held_.front().until;
}

std::vector<Due> UserLines::release(Instant now) {
  std::vector<Due> released;
  while (!held_.empty() && held_.front().until <= now) {
    const Held held = held_.front();
    held_.pop_front();
    const auto line = lines_.find(held.user);
    if (line == lines_.end() || line->second.active != held.delivery) continue;
    EILPOST_PROBE("pipeline.user_goes_on_without_a_failing_one");
    if (std::optional<Due> next = pass_on(line)) released.push_back(std::move(*next));
  }
  return released;
}

std::vector<Due> UserLines::take_waiting() {
  std::vector<Due> all;
  all.reserve(waiting_count_);
  for (auto& [user, line] : lines_) {
    std::ranges::move(std::exchange(line.waiting, {}), std::back_inserter(all));
  }
  std::ranges::sort(all, {}, &Due::id);
  waiting_count_ = 0;
  return all;
}

void UserLines::erase_if(const std::function<bool(const Due&)>& is_over) {
  for (auto& [user, line] : lines_) waiting_count_ -= std::erase_if(line.waiting, is_over);
}

}  // namespace eilpost::pipeline
