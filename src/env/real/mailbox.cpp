#include "env/real/mailbox.h"

#include <utility>

namespace eilpost::env {

bool Mailbox::post(Work work) {
  // Work that is dropped ends after the lock is released: its end may post again.
  const MutexLock lock(mutex_);
  if (closed_) return false;
  mail_.push_back(std::move(work));
  return std::exchange(sleeping_, false);
}

bool Mailbox::prepare_to_sleep() {
  const MutexLock lock(mutex_);
  sleeping_ = mail_.empty();
  return sleeping_;
}

void Mailbox::take(std::vector<Work>& target) {
  const MutexLock lock(mutex_);
  sleeping_ = false;
  mail_.swap(target);
}

bool Mailbox::interrupt_sleep() {
  const MutexLock lock(mutex_);
  return std::exchange(sleeping_, false);
}

void Mailbox::close() {
  std::vector<Work> dropped;
  const MutexLock lock(mutex_);
  closed_ = true;
  mail_.swap(dropped);
}

}  // namespace eilpost::env
