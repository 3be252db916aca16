#include "env/real/real_worker.h"

#include <utility>

#include "base/assert.h"
#include "env/real/system.h"

namespace eilpost::env {

RealWorker::RealWorker(std::string name)
    : name_(std::move(name)), thread_([this] { run_jobs(); }) {}

RealWorker::~RealWorker() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void RealWorker::run(std::move_only_function<void()> job) {
  bool must_wake = false;
  {
    const MutexLock lock(mutex_);
    jobs_.push_back(std::move(job));
    must_wake = std::exchange(waiting_, false);
  }
  if (must_wake) changed_.notify_one();
}

void RealWorker::run_jobs() {
  name_this_thread(name_);
  while (true) {
    std::move_only_function<void()> job;
    {
      const MutexLock lock(mutex_);
      while (jobs_.empty() && !ending_) {
        waiting_ = true;
        changed_.wait(mutex_);
      }
      if (jobs_.empty()) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace eilpost::env
