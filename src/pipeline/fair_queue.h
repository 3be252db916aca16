#pragma once
// The deliveries of one destination that can be sent now. Each webhook has its own line; they take
// turns, so that one with many deliveries does not delay another one's.
//
// Events are kept in memory while the budget of all queues of the lane allows it; others are read
// back when their turn comes.
//
// Threads: one.

#include <cstddef>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "model/limits.h"
#include "pipeline/due.h"

namespace eilpost::pipeline {

// Bytes of events that wait in the queues of a lane, or to be put into a batch.
struct FreshBytes {
  std::size_t max = limits::kFreshBytesMax;
  std::size_t used = 0;

  // Counts the event of `due`, or forgets it if there are too many.
  void take(Due& due);
  // Counts it no more.
  void give_back(const Due& due);
};

class FairQueue final {
 public:
  // Ownership: `fresh` must outlive the FairQueue.
  explicit FairQueue(FreshBytes& fresh) : fresh_(fresh) {}
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;
  ~FairQueue() { (void)take_all(); }

  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

  void push(Due due);
  // REQUIRES: not empty.
  [[nodiscard]] Due pop();
  // All of them, those of each webhook in order.
  [[nodiscard]] std::vector<Due> take_all();
  void erase_if(const std::function<bool(const Due&)>& is_over);
  // Gives the memory of events back: they wait for longer.
  void forget_events();

 private:
  // Lines that are empty are kept up to this many: the usual destination has one webhook.
  static constexpr std::size_t kEmptyLinesMax = 4;
  using Line = std::deque<Due>;

  void forget_if_many(WebhookId webhook);

  FreshBytes& fresh_;
  std::unordered_map<WebhookId, Line> lines_;
  std::deque<WebhookId> turns_;  // of lines that are not empty, each once
  std::size_t size_ = 0;
};

}  // namespace eilpost::pipeline
