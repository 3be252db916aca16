#pragma once
// What waits for the storage thread, in the order in which it was handed over.
//
// push() wakes the storage thread; gather() does so once for all that comes before the loop turns;
// put_by() lets it sleep until the delay has passed or something else wakes it.
//
// Threads: any. Timers run on lane 0.

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/hash.h"
#include "env/env.h"
#include "store/store.h"

namespace eilpost::store {

// A request's events, encoded.
struct Request {
  struct Part {
    std::size_t record_bytes = 0;
    std::optional<Hash128> fingerprint;  // nothing: it is never a repeat
    std::shared_ptr<const Event> event;  // to be cached; null if nothing is owed
  };

  Bytes bytes;  // the records, back to back
  std::vector<Part> parts;
  env::Loop* loop = nullptr;
  std::move_only_function<void(Accepted)> done;
};

// A record that may wait.
struct Note {
  Bytes record;
};

// Records that may wait, and come into one frame.
struct Notes {
  Bytes bytes;  // back to back
  std::vector<std::size_t> record_bytes;
};

struct Flush {
  env::Loop* loop = nullptr;
  std::move_only_function<void()> done;
};

// Something else to do on the storage thread.
struct Chore {
  std::move_only_function<void()> run;
};

using Letter = std::variant<Request, Note, Notes, Flush, Chore>;

class Mailbox : public std::enable_shared_from_this<Mailbox> {
 public:
  // `drain` runs on `worker`, and takes until there is nothing left to take.
  // Ownership: neither is used any more after close().
  Mailbox(env::Env& env, env::Worker& worker, std::function<void()> drain)
      : env_(env), worker_(&worker), drain_(std::move(drain)) {}

  void push(Letter letter);
  // What a loop hands over before its next turn is pushed in that turn, at once: a thread that was
  // woken by the first of it would commit a frame for few, while the loop still makes the others.
  void gather(Letter letter, env::Loop& loop);
  void put_by(Letter letter, Duration delay);
  // Wakes the storage thread, at once or later, even if there are no letters.
  void wake();
  void wake_after(Duration delay);

  // Everything that waits; nothing if there is none: then the next push() wakes again.
  [[nodiscard]] std::optional<std::vector<Letter>> take();

  // From then on nobody is woken. Gives back what was not taken.
  [[nodiscard]] std::vector<Letter> close();

 private:
  struct Gathered {
    env::Loop* loop = nullptr;
    std::vector<Letter> letters;
  };

  void schedule();  // with mutex_ held
  void push_gathered(const env::Loop& loop);

  env::Env& env_;
  std::mutex mutex_;
  env::Worker* worker_;
  const std::function<void()> drain_;
  std::vector<Letter> letters_;
  std::vector<Gathered> gathered_;  // of a loop one
  bool is_scheduled_ = false;
  bool is_timer_set_ = false;  // for put_by()
};

}  // namespace eilpost::store
