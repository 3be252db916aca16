#include "pipeline/inbox.h"

#include <utility>

#include "base/utf8.h"
#include "model/limits.h"

namespace eilpost::pipeline {

InboxAnswer Inbox::put(std::string_view token, InboxRequest request) {
  if (request.body.size() > limits::kInboxBodyBytesMax) {
    request.body.resize(truncate_to_bytes(request.body, limits::kInboxBodyBytesMax).size());
  }
  const std::lock_guard lock(mutex_);
  Box& box = boxes_[std::string(token)];
  request.number = box.next_number++;
  box.requests.push_front(std::move(request));
  if (box.requests.size() > limits::kInboxRequestsKept) box.requests.pop_back();
  return box.answer;
}

void Inbox::open(std::string_view token) {
  const std::lock_guard lock(mutex_);
  boxes_.try_emplace(std::string(token));
}

bool Inbox::is_open(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  return boxes_.contains(token);
}

bool Inbox::admit(std::string_view token, Instant now) {
  const std::lock_guard lock(mutex_);
  const auto found = boxes_.find(token);
  if (found == boxes_.end()) return false;
  Box& box = found->second;
  if (now - box.second_began >= std::chrono::seconds(1)) {
    box.second_began = now;
    box.count_in_second = 0;
  }
  return ++box.count_in_second <= limits::kInboxRequestsPerSecond;
}

std::vector<InboxRequest> Inbox::list(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = boxes_.find(token);
  if (found == boxes_.end()) return {};
  return {found->second.requests.begin(), found->second.requests.end()};
}

void Inbox::clear(std::string_view token) {
  const std::lock_guard lock(mutex_);
  const auto found = boxes_.find(token);
  if (found != boxes_.end()) found->second.requests.clear();
}

void Inbox::set_answer(std::string_view token, InboxAnswer answer) {
  const std::lock_guard lock(mutex_);
  boxes_[std::string(token)].answer = std::move(answer);
}

InboxAnswer Inbox::answer(std::string_view token) const {
  const std::lock_guard lock(mutex_);
  const auto found = boxes_.find(token);
  return found == boxes_.end() ? InboxAnswer{} : found->second.answer;
}

}  // namespace eilpost::pipeline
