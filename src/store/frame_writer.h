#pragma once
// One frame: what several letters ask to be written, and what comes of each.
//
// A repeat is recognised here, in the order of the journal. It is answered when the frame is
// durable, for the first of its kind may be in the same frame.
//
// Threads: the storage thread.

#include <span>
#include <utility>
#include <vector>

#include "store/event_cache.h"
#include "store/mailbox.h"
#include "store/repeats.h"

namespace eilpost::store {

class FrameWriter {
 public:
  FrameWriter(Repeats& repeats, std::span<Letter> letters) : repeats_(repeats), letters_(letters) {}

  // Chooses the records; `end` is that of the journal. What is chosen counts as known from now on.
  void collect(Position end);
  // Unsays it: nothing was written. Then requests are refused, and only the others are collected.
  void refuse_requests();

  [[nodiscard]] std::span<const ByteView> records() const { return records_; }
  [[nodiscard]] bool has_requests() const { return !answers_.empty(); }

  // The records are durable at `positions`: caches events, and answers by one post a loop.
  void complete(std::span<const Position> positions, EventCache& cache);
  // Answers only the requests, as refused; gives back the other letters.
  [[nodiscard]] std::vector<Letter> give_back();

 private:
  static constexpr std::size_t kRepeat = static_cast<std::size_t>(-1);

  struct Answer {
    Request* request = nullptr;
    std::vector<std::size_t> records;  // for each part its record, or kRepeat
  };
  struct Post {
    env::Loop* loop = nullptr;
    std::vector<std::pair<std::move_only_function<void(Accepted)>, Accepted>> accepted;
    std::vector<std::move_only_function<void()>> flushed;
  };

  void collect_request(Request& request, Position end);
  void collect_notes(const Notes& notes);
  void add_post(env::Loop& loop, std::move_only_function<void(Accepted)> done, Accepted accepted);
  [[nodiscard]] Post& post_of(env::Loop& loop);
  void send_posts();

  Repeats& repeats_;
  std::span<Letter> letters_;
  bool is_refused_ = false;
  std::vector<ByteView> records_;
  std::vector<Answer> answers_;
  std::vector<Hash128> remembered_;
  std::vector<Post> posts_;
};

// What a letter adds to a frame at most.
[[nodiscard]] std::size_t frame_bytes_of(const Letter& letter);

}  // namespace eilpost::store
