#pragma once
// An event loop: one thread that runs callbacks one after the other. A lane is one of these.

#include <functional>

#include "env/clock.h"
#include "env/network.h"
#include "env/timers.h"

namespace eilpost::env {

// Ownership: belongs to the Env.
// Threads:   post() from any thread; everything else from the loop's own thread, or before it runs.
class Loop {
 public:
  virtual ~Loop() = default;

  // Runs `work` in a later turn of the loop. Work posted by one thread runs in the order of
  // posting. After the loop has stopped, work is destroyed without having run.
  virtual void post(std::move_only_function<void()> work) = 0;

  [[nodiscard]] virtual Clock& clock() = 0;
  [[nodiscard]] virtual Timers& timers() = 0;
  [[nodiscard]] virtual Network& network() = 0;
};

// A thread that runs jobs which block (disk, password hashing), one at a time, in the order given.
// In the simulation a job runs at a seeded time on the one loop.
//
// Ownership: destroying a Worker runs the jobs already given, then ends the thread.
// Threads:   run() from any thread. A job answers by Loop::post().
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void run(std::move_only_function<void()> job) = 0;
};

}  // namespace eilpost::env
