#include "store/mailbox.h"

#include <algorithm>

namespace eilpost::store {

void Mailbox::push(Letter letter) {
  const std::scoped_lock lock(mutex_);
  letters_.push_back(std::move(letter));
  schedule();
}

void Mailbox::gather(Letter letter, env::Loop& loop) {
  {
    const std::scoped_lock lock(mutex_);
    auto found = std::ranges::find(gathered_, &loop, &Gathered::loop);
    if (found == gathered_.end()) {
      found = gathered_.insert(found, Gathered{.loop = &loop, .letters = {}});
    }
    found->letters.push_back(std::move(letter));
    if (found->letters.size() > 1) return;
  }
  loop.post([weak = weak_from_this(), &loop] {
    if (const auto mailbox = weak.lock()) mailbox->push_gathered(loop);
  });
}

void Mailbox::push_gathered(const env::Loop& loop) {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::find(gathered_, &loop, &Gathered::loop);
  if (found == gathered_.end() || found->letters.empty()) return;
  std::ranges::move(found->letters, std::back_inserter(letters_));
  found->letters.clear();
  schedule();
}

void Mailbox::put_by(Letter letter, Duration delay) {
  bool is_timer_needed = false;
  {
    const std::scoped_lock lock(mutex_);
    letters_.push_back(std::move(letter));
    is_timer_needed = !is_scheduled_ && !std::exchange(is_timer_set_, true);
  }
  if (is_timer_needed) wake_after(delay);
}

void Mailbox::wake() {
  const std::scoped_lock lock(mutex_);
  schedule();
}

void Mailbox::wake_after(Duration delay) {
  env::Loop& loop = env_.lane(0);
  loop.post([weak = weak_from_this(), &loop, delay] {
    loop.timers().call_at(loop.clock().now() + delay, [weak] {
      const auto mailbox = weak.lock();
      if (mailbox == nullptr) return;
      const std::scoped_lock lock(mailbox->mutex_);
      mailbox->is_timer_set_ = false;
      mailbox->schedule();
    });
  });
}

void Mailbox::schedule() {
  if (worker_ == nullptr || is_scheduled_) return;
  is_scheduled_ = true;
  worker_->run(drain_);
}

std::optional<std::vector<Letter>> Mailbox::take() {
  const std::scoped_lock lock(mutex_);
  if (letters_.empty()) {
    is_scheduled_ = false;
    return std::nullopt;
  }
  return std::exchange(letters_, {});
}

std::vector<Letter> Mailbox::close() {
  const std::scoped_lock lock(mutex_);
  worker_ = nullptr;
  for (Gathered& gathered : gathered_) {
    std::ranges::move(gathered.letters, std::back_inserter(letters_));
  }
  gathered_.clear();
  return std::exchange(letters_, {});
}

}  // namespace eilpost::store
