#include "store/mailbox.h"

namespace eilpost::store {

void Mailbox::push(Letter letter) {
  const std::scoped_lock lock(mutex_);
  letters_.push_back(std::move(letter));
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
  return std::exchange(letters_, {});
}

}  // namespace eilpost::store
