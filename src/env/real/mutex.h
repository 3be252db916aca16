#pragma once
// std::mutex with the annotations by which clang checks who holds it.

#include <mutex>

#if defined(__clang__)
#define EILPOST_THREAD_ANNOTATION(annotation) __attribute__((annotation))
#else
#define EILPOST_THREAD_ANNOTATION(annotation)
#endif

#define EILPOST_GUARDED_BY(mutex) EILPOST_THREAD_ANNOTATION(guarded_by(mutex))
#define EILPOST_REQUIRES(mutex) EILPOST_THREAD_ANNOTATION(requires_capability(mutex))

namespace eilpost::env {

class EILPOST_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void lock() EILPOST_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  void unlock() EILPOST_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class EILPOST_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) EILPOST_THREAD_ANNOTATION(acquire_capability(mutex))
      : mutex_(mutex) {
    mutex_.lock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;
  ~MutexLock() EILPOST_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  Mutex& mutex_;
};

}  // namespace eilpost::env
