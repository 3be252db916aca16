#include "pipeline/fair_queue.h"

#include <algorithm>
#include <iterator>

#include "base/probe.h"

namespace eilpost::pipeline {

void FreshBytes::take(Due& due) {
  if (!due.event) return;
  const std::size_t bytes = due.event->document.size();
  if (used + bytes > max) {
    EILPOST_PROBE("pipeline.fresh_events_too_many");
    due.forget_event();
    return;
  }
  used += bytes;
}

void FreshBytes::give_back(const Due& due) {
  if (due.event) used -= due.event->document.size();
}

void FairQueue::push(Due due) {
  fresh_.take(due);
  const WebhookId webhook = due.webhook;
  Line& line = lines_[webhook];
  if (line.empty()) turns_.push_back(webhook);
  line.push_back(std::move(due));
  ++size_;
}

Due FairQueue::pop() {
  EILPOST_ASSERT(size_ > 0);
  const WebhookId webhook = turns_.front();
  turns_.pop_front();
  Line& line = lines_.at(webhook);
  Due due = std::move(line.front());
  line.pop_front();
  --size_;
  fresh_.give_back(due);
  if (!line.empty()) {
    turns_.push_back(webhook);
  } else {
    forget_if_many(webhook);
  }
  return due;
}

std::vector<Due> FairQueue::take_all() {
  std::vector<Due> all;
  all.reserve(size_);
  for (const WebhookId webhook : turns_) {
    Line& line = lines_.at(webhook);
    for (const Due& due : line) fresh_.give_back(due);
    std::ranges::move(line, std::back_inserter(all));
  }
  lines_.clear();
  turns_.clear();
  size_ = 0;
  return all;
}

void FairQueue::erase_if(const std::function<bool(const Due&)>& is_over) {
  for (auto& [webhook, line] : lines_) {
    size_ -= std::erase_if(line, [&](const Due& due) {
      if (!is_over(due)) return false;
      fresh_.give_back(due);
      return true;
    });
  }
  std::erase_if(turns_, [this](WebhookId webhook) { return lines_.at(webhook).empty(); });
}

void FairQueue::forget_events() {
  for (auto& [webhook, line] : lines_) {
    for (Due& due : line) {
      fresh_.give_back(due);
      due.forget_event();
    }
  }
}

void FairQueue::forget_if_many(WebhookId webhook) {
  if (lines_.size() - turns_.size() > kEmptyLinesMax) lines_.erase(webhook);
}

}  // namespace eilpost::pipeline
