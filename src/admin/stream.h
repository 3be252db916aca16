#pragma once
// The live tail: events and attempts as they are written to the log, as server-sent events.
//
// Threads: publish() on the history's thread; follow() on any lane; end() on any thread.
// Limits:  a follower that reads too slowly loses the oldest lines, and is told how many.

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/task.h"
#include "env/loop.h"
#include "http/handler.h"
#include "store/store.h"

namespace eilpost::admin {

class Stream final {
 public:
  static constexpr std::size_t kLinesMax = 10'000;
  static constexpr std::size_t kFollowersMax = 100;

  void publish(const store::Followed& followed);

  // Sends what comes until the client has gone, or end(). Answers 503 beyond kFollowersMax, and
  // after end().
  [[nodiscard]] Task<void> follow(env::Loop& loop, http::Responder& responder);

  // Ends every follow(), after what was published before.
  void end();

 private:
  struct Follower {
    explicit Follower(env::Loop& follower_loop) : loop(follower_loop) {}

    env::Loop& loop;
    std::deque<std::string> lines;  // guarded by mutex_
    std::uint64_t lost_count = 0;   // guarded by mutex_
    bool is_wake_posted = false;    // guarded by mutex_
    std::function<void()> wake;     // of the loop
  };

  void wake_all();  // REQUIRES: mutex_ is held.
  [[nodiscard]] std::string take(Follower& follower);
  [[nodiscard]] bool is_over();

  std::mutex mutex_;
  std::vector<std::shared_ptr<Follower>> followers_;  // guarded by mutex_
  bool is_over_ = false;                              // guarded by mutex_
};

}  // namespace eilpost::admin
