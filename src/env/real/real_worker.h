#pragma once
// A thread for jobs that block.

#include <condition_variable>
#include <deque>
#include <string>
#include <thread>

#include "env/loop.h"
#include "env/real/mutex.h"

namespace eilpost::env {

class RealWorker final : public Worker {
 public:
  explicit RealWorker(std::string name);
  ~RealWorker() override;

  void run(std::move_only_function<void()> job) override;

 private:
  void run_jobs();

  std::string name_;
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<std::move_only_function<void()>> jobs_ EILPOST_GUARDED_BY(mutex_);
  bool ending_ EILPOST_GUARDED_BY(mutex_) = false;
  bool waiting_ EILPOST_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace eilpost::env
