#include "store/tail.h"

#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "store/records.h"

namespace eilpost::store {

void Tail::add(Position begin, Position end, std::span<const ByteView> records,
               std::span<const Position> positions) {
  EILPOST_ASSERT(records.size() == positions.size());
  std::size_t size = 0;
  for (const ByteView record : records) size += is_followed(record) ? record.size() : 0;
  Bytes bytes;
  bytes.reserve(size);  // It does not move any more.
  Frame frame{.begin = begin, .end = end, .bytes = {}, .records = {}};
  frame.records.reserve(records.size());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (!is_followed(records[i])) continue;
    bytes.insert(bytes.end(), records[i].begin(), records[i].end());
    frame.records.push_back(
        {.position = positions[i], .bytes = ByteView(bytes).last(records[i].size())});
  }
  frame.bytes = std::make_shared<const Bytes>(std::move(bytes));

  const std::scoped_lock lock(mutex_);
  bytes_ += size;
  frames_.push_back(std::move(frame));
  while (bytes_ > bytes_max_) {
    EILPOST_PROBE("store.tail_overflowed");
    drop_oldest();
  }
}

std::optional<Followed> Tail::take(Position from, std::size_t bytes_max) {
  const std::scoped_lock lock(mutex_);
  while (!frames_.empty() && frames_.front().end <= from) {
    if (frames_.size() == 1) return Followed{.records = {}, .next = from, .frames = {}};
    drop_oldest();
  }
  // A position that lies elsewhere is that of an earlier frame, which is not here any more.
  if (frames_.empty() || frames_.front().begin != from) return std::nullopt;
  Followed followed;
  std::size_t bytes = 0;
  for (const Frame& frame : frames_) {
    if (bytes >= bytes_max) break;
    followed.records.insert(followed.records.end(), frame.records.begin(), frame.records.end());
    followed.frames.push_back(frame.bytes);
    followed.next = frame.end;
    bytes += frame.bytes->size();
  }
  return followed;
}

void Tail::drop_oldest() {
  bytes_ -= frames_.front().bytes->size();
  frames_.pop_front();
}

}  // namespace eilpost::store
