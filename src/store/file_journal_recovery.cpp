// How the file journal finds its end again, and reads what lies before it.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/probe.h"
#include "store/file_journal.h"

namespace eilpost::store {
namespace {

std::string place_of(Position position) {
  return segment_place(segment_of(position), offset_of(position));
}

bool has_nonzero(ByteView bytes) {
  return std::ranges::any_of(bytes, [](std::byte byte) { return byte != std::byte{0}; });
}

}  // namespace

// One pass over the segments. What is not whole is a torn tail if nothing was written behind it,
// for frame n + 1 is not written before frame n is durable; otherwise it is damage.
class FileJournal::Recovery {
 public:
  Recovery(FileJournal& journal, const RecordSink& each)
      : journal_(journal), each_(each), segments_(journal.segments()) {}

  Result<void> run(Position from) {
    for (std::size_t i = 0; i < segments_.size() && !is_torn_; ++i) {
      const std::uint64_t number = segments_[i]->facts.number;
      if (number < segment_of(from)) continue;
      const bool is_first = number == segment_of(from);
      const std::uint64_t offset =
          is_first ? std::max<std::uint64_t>(offset_of(from), kSegmentHeaderBytes)
                   : kSegmentHeaderBytes;
      EILPOST_RETURN_IF_ERROR(scan(i, offset));
    }
    return {};
  }

  // Behind the last good frame; 0 if there is none.
  [[nodiscard]] Position end() const { return end_; }
  [[nodiscard]] Position last_frame() const { return last_frame_; }
  // The last good frame has lost records.
  [[nodiscard]] bool is_last_damaged() const { return is_last_damaged_; }

 private:
  Result<void> scan(std::size_t index, std::uint64_t offset) {
    const Segment& segment = *segments_[index];
    EILPOST_ASSIGN_OR_RETURN(const std::uint64_t size_bytes, segment.file->size());
    const std::uint64_t limit = std::min(size_bytes, kSegmentBytesMax);
    SegmentReader reader(*segment.file, segment.facts, limit, buffer_);
    const bool was_empty = is_previous_empty_;
    is_previous_empty_ = offset == kSegmentHeaderBytes;
    for (;;) {
      EILPOST_ASSIGN_OR_RETURN(const bool is_frame, reader.read_frame(offset, frame_));
      if (!is_frame) {
        // Of the segments behind an unused one only the first bytes are looked at.
        if (was_empty && offset == kSegmentHeaderBytes) return {};
        EILPOST_ASSIGN_OR_RETURN(const auto found, reader.find_frame(offset));
        if (!found) return {};
        report_gap(to_position(segment.facts.number, offset),
                   to_position(segment.facts.number, *found));
        offset = *found;
        continue;
      }
      is_previous_empty_ = false;
      if (!frame_.is_whole) {
        EILPOST_ASSIGN_OR_RETURN(const bool is_damage, was_durable(index));
        if (!is_damage) {
          note_torn_tail();
          return {};
        }
        journal_.report(fmt::format("Damage in the frame at {}: {} of {} records are good.",
                                    place_of(frame_.header.position), frame_.records.size(),
                                    frame_.header.records_count));
      }
      take_frame();
      offset = frame_.end_offset;
    }
  }

  void note_torn_tail() {
    EILPOST_PROBE("store.torn_tail_cut");
    is_torn_ = true;
    journal_.report(fmt::format("A torn tail at {}: what was being written in a crash.",
                                place_of(frame_.header.position)));
  }

  void take_frame() {
    const Position previous = frame_.header.previous;
    const bool is_known = last_frame_ != Position{} && previous != Position{};
    if (is_known && !is_gap_reported_ && previous != last_frame_) {
      report_gap(last_frame_, frame_.header.position);
    }
    is_gap_reported_ = false;
    for (const FoundRecord& record : frame_.records) each_(record.position, record.bytes);
    last_frame_ = frame_.header.position;
    is_last_damaged_ = !frame_.is_whole;
    end_ = to_position(segment_of(last_frame_), frame_.end_offset);
  }

  void report_gap(Position from, Position to) {
    is_gap_reported_ = true;
    journal_.report(
        fmt::format("Damage: frames between {} and {} are lost.", place_of(from), place_of(to)));
  }

  // Whether something was written behind the frame: then it was durable once.
  Result<bool> was_durable(std::size_t index) {
    if (frame_.header.position < journal_.known_durable_) return true;
    Bytes buffer;
    const Segment& segment = *segments_[index];
    EILPOST_ASSIGN_OR_RETURN(const std::uint64_t size_bytes, segment.file->size());
    SegmentReader reader(*segment.file, segment.facts, size_bytes, buffer);
    EILPOST_ASSIGN_OR_RETURN(const auto found, reader.find_frame(frame_.end_offset));
    if (found) return true;
    if (index + 1 == segments_.size()) return false;
    const Segment& next = *segments_[index + 1];
    SegmentReader next_reader(*next.file, next.facts, kSegmentBytesMax, buffer);
    Frame first;
    return next_reader.read_frame(kSegmentHeaderBytes, first);
  }

  FileJournal& journal_;
  const RecordSink& each_;
  const Segments segments_;
  Bytes buffer_;
  Frame frame_;
  Position last_frame_;
  Position end_;
  bool is_torn_ = false;
  bool is_last_damaged_ = false;
  bool is_gap_reported_ = false;
  bool is_previous_empty_ = false;
};

Result<void> FileJournal::recover(Position from, const RecordSink& each) {
  Recovery recovery(*this, each);
  EILPOST_RETURN_IF_ERROR(recovery.run(from));
  last_frame_ = recovery.last_frame();
  const Position found = std::max(recovery.end(), from);
  if (found < known_durable_ && offset_of(known_durable_) > kSegmentHeaderBytes) {
    report(fmt::format("Damage: frames between {} and {} are lost.", place_of(found),
                       place_of(known_durable_)));
  }
  // What a checkpoint covers was used: its positions are not used again, whatever became of it.
  Position end = std::max(found, known_durable_);
  const bool has_room = offset_of(end) + kFrameHeaderBytes <= options_.segment_bytes;
  const bool is_mark_wanted = recovery.is_last_damaged();
  if (is_mark_wanted && !has_room) end = to_position(segment_of(end) + 1, 0);
  return choose_current(end, is_mark_wanted);
}

// Makes the journal ready to append at `end`, or at the next place that there is.
Result<void> FileJournal::choose_current(Position end, bool is_mark_wanted) {
  Segments all = segments();
  auto found = std::ranges::find_if(
      all, [&](const SegmentPointer& segment) { return segment->facts.number >= segment_of(end); });
  if (found == all.end()) {
    EILPOST_ASSIGN_OR_RETURN(SegmentPointer segment,
                             make_segment(new_facts(segment_of(end) + 1), Filled::no));
    all.push_back(std::move(segment));
    EILPOST_RETURN_IF_ERROR(save_manifest(all));
    found = std::prev(all.end());
    const std::scoped_lock lock(mutex_);
    segments_ = all;
  }
  current_ = *found;
  const bool is_inside = current_->facts.number == segment_of(end);
  offset_ = is_inside ? std::max<std::uint64_t>(offset_of(end), kSegmentHeaderBytes)
                      : kSegmentHeaderBytes;
  end_.store(to_position(current_->facts.number, offset_).value, std::memory_order_release);

  is_in_reserve_ = all.size() > 1 && ahead_count() < kReserveSegments;

  EILPOST_RETURN_IF_ERROR(rewrite_last_frame());
  if (is_mark_wanted) EILPOST_RETURN_IF_ERROR(write_mark());
  EILPOST_RETURN_IF_ERROR(wipe(*current_->file, offset_));
  if (std::next(found) != all.end()) {
    EILPOST_RETURN_IF_ERROR(wipe(*(*std::next(found))->file, kSegmentHeaderBytes));
  }
  return directory_.sync();
}

// What the page cache showed may not be on the disk: only after this is it certain.
Result<void> FileJournal::rewrite_last_frame() {
  if (last_frame_ == Position{}) return {};
  const SegmentPointer segment = find_segment(segment_of(last_frame_));
  if (segment == nullptr) return {};
  Bytes buffer;
  SegmentReader reader(*segment->file, segment->facts, kSegmentBytesMax, buffer);
  Frame frame;
  EILPOST_ASSIGN_OR_RETURN(const bool is_frame, reader.read_frame(offset_of(last_frame_), frame));
  if (!is_frame) return {};
  Bytes bytes(frame.end_offset - frame.offset);
  EILPOST_ASSIGN_OR_RETURN(const std::size_t count, segment->file->read_at(frame.offset, bytes));
  bytes.resize(count);
  EILPOST_RETURN_IF_ERROR(segment->file->write_at(frame.offset, bytes));
  return segment->file->sync();
}

// A frame without records. It takes the place of the torn one behind a damaged frame, so that the
// next opening still sees that something was written there, and takes the damaged one for no torn
// tail.
Result<void> FileJournal::write_mark() {
  const Position position = to_position(current_->facts.number, offset_);
  std::vector<Position> none;
  builder_.build(current_->facts, {.position = position, .previous = last_frame_}, {}, none);
  const Result<void> written = current_->file->write_at(offset_, builder_.bytes());
  // Then the next commit will be behind it.
  if (!written && written.error().code == ErrorCode::disk_full) return {};
  EILPOST_RETURN_IF_ERROR(written);
  EILPOST_RETURN_IF_ERROR(current_->file->sync());
  last_frame_ = position;
  offset_ += builder_.bytes().size();
  end_.store(to_position(current_->facts.number, offset_).value, std::memory_order_release);
  return {};
}

// Makes zeros of what a torn frame may have left from `offset` on: a later torn frame could take
// its records for its own.
Result<void> FileJournal::wipe(env::File& file, std::uint64_t offset) {
  constexpr std::size_t kPieceBytes = 1024UL * 1024;
  EILPOST_ASSIGN_OR_RETURN(const std::uint64_t size_bytes, file.size());
  const std::uint64_t end = std::min(size_bytes, offset + kFrameBytesHardMax);
  bool is_changed = false;
  Bytes piece;
  for (; offset < end; offset += piece.size()) {
    piece.resize(std::min<std::uint64_t>(kPieceBytes, end - offset));
    EILPOST_ASSIGN_OR_RETURN(const std::size_t count, file.read_at(offset, piece));
    if (!has_nonzero(ByteView(piece).first(count))) continue;
    EILPOST_PROBE("store.torn_bytes_wiped");
    std::ranges::fill(piece, std::byte{0});
    EILPOST_RETURN_IF_ERROR(file.write_at(offset, piece));
    is_changed = true;
  }
  if (!is_changed) return {};
  return file.sync();
}

Result<Position> FileJournal::read_from(Position from, std::size_t bytes_max,
                                        const RecordSink& each) {
  const Position durable = end();
  std::size_t bytes = 0;
  Bytes buffer;
  Frame frame;
  for (const SegmentPointer& segment : segments()) {
    const std::uint64_t number = segment->facts.number;
    if (number < segment_of(from)) continue;
    if (number > segment_of(durable)) break;
    std::uint64_t offset = number == segment_of(from) ? offset_of(from) : kSegmentHeaderBytes;
    offset = std::max<std::uint64_t>(offset, kSegmentHeaderBytes);
    const std::uint64_t limit =
        number == segment_of(durable) ? offset_of(durable) : kSegmentBytesMax;
    SegmentReader reader(*segment->file, segment->facts, limit, buffer);
    while (bytes < bytes_max) {
      EILPOST_ASSIGN_OR_RETURN(const bool is_frame, reader.read_frame(offset, frame));
      if (!is_frame) {
        EILPOST_ASSIGN_OR_RETURN(const auto found, reader.find_frame(offset));
        if (!found) break;
        offset = *found;
        continue;
      }
      for (const FoundRecord& record : frame.records) each(record.position, record.bytes);
      offset = frame.end_offset;
      bytes += frame.end_offset - frame.offset;
    }
    from = to_position(number, offset);
    if (bytes >= bytes_max) return from;
  }
  return from;
}

}  // namespace eilpost::store
