#pragma once
// Work handed to a loop by other threads, in the order of posting.
//
// Threads: post() and close() from any thread; the rest from the loop's.

#include <functional>
#include <vector>

#include "env/real/mutex.h"

namespace eilpost::env {

class Mailbox {
 public:
  using Work = std::move_only_function<void()>;

  // True if the loop sleeps and must be woken by the caller. So of many posts one wakes.
  // After close() the work is dropped.
  [[nodiscard]] bool post(Work work);

  // True if there is no mail; then the next post() says that the loop must be woken.
  [[nodiscard]] bool prepare_to_sleep();

  // Awake again: swaps the mail into `target`. REQUIRES: `target` is empty.
  void take(std::vector<Work>& target);

  // True if the loop sleeps and must be woken by the caller, as if by post().
  [[nodiscard]] bool interrupt_sleep();

  // Drops the mail and all that is posted from now on.
  void close();

 private:
  Mutex mutex_;
  std::vector<Work> mail_ EILPOST_GUARDED_BY(mutex_);
  bool sleeping_ EILPOST_GUARDED_BY(mutex_) = false;
  bool closed_ EILPOST_GUARDED_BY(mutex_) = false;
};

}  // namespace eilpost::env
