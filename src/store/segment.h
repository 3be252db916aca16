#pragma once
// A segment: one file of the file journal, and the frames in it. Format: docs/JOURNAL.md.
//
// Threads: a SegmentReader belongs to one thread; many may read one file.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/directory.h"
#include "model/ids.h"

namespace eilpost::store {

inline constexpr unsigned kOffsetBits = 26;  // of a position; the rest is the segment's number
inline constexpr std::uint64_t kSegmentBytesMax = 1ULL << kOffsetBits;
inline constexpr std::size_t kSegmentHeaderBytes = 64;
inline constexpr std::size_t kFrameHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 8;
// Larger than kFrameBytesMax, for one request that is larger.
inline constexpr std::size_t kFrameBytesHardMax = 16 * 1024 * 1024;

[[nodiscard]] constexpr Position to_position(std::uint64_t segment, std::uint64_t offset) {
  return {.value = (segment << kOffsetBits) | offset};
}
[[nodiscard]] constexpr std::uint64_t segment_of(Position position) {
  return position.value >> kOffsetBits;
}
[[nodiscard]] constexpr std::uint64_t offset_of(Position position) {
  return position.value & (kSegmentBytesMax - 1);
}

// What tells one use of a file from another: stale bytes never pass for new ones.
struct SegmentFacts {
  std::uint64_t number = 0;
  std::uint32_t salt = 0;

  friend bool operator==(const SegmentFacts&, const SegmentFacts&) = default;
};

// For people: "segment 1f3, offset 4096".
[[nodiscard]] std::string segment_place(std::uint64_t number, std::uint64_t offset);

[[nodiscard]] Bytes encode_segment_header(const SegmentFacts& facts);
[[nodiscard]] std::optional<SegmentFacts> decode_segment_header(ByteView bytes);

struct FrameHeader {
  std::uint32_t body_bytes = 0;
  std::uint32_t records_count = 0;
  Position position;
  Position previous;  // of the frame before; 0: not known
};

// Writes a frame into one buffer that it keeps.
class FrameBuilder {
 public:
  // Makes `bytes()` the frame of these records; `positions` gets one for each.
  void build(const SegmentFacts& facts, FrameHeader header, std::span<const ByteView> records,
             std::vector<Position>& positions);
  [[nodiscard]] ByteView bytes() const { return buffer_; }

 private:
  Bytes buffer_;
};

[[nodiscard]] std::uint64_t frame_bytes(std::span<const ByteView> records);

struct FoundRecord {
  Position position;
  ByteView bytes;
};

// A frame with a good header. The views are valid until the reader is used again.
struct Frame {
  FrameHeader header;
  std::uint64_t offset = 0;
  std::uint64_t end_offset = 0;
  std::vector<FoundRecord> records;  // the good ones
  bool is_whole = false;             // all of them are good
};

// Reads the frames of one segment through one buffer.
class SegmentReader {
 public:
  // `end_offset`: nothing at or after it is looked at.
  SegmentReader(env::File& file, const SegmentFacts& facts, std::uint64_t end_offset,
                Bytes& buffer);

  // The frame at `offset`; nothing if no good header is there. Reuses `frame`'s memory.
  [[nodiscard]] Result<bool> read_frame(std::uint64_t offset, Frame& frame);

  // The first offset from `offset` on at which a good frame header lies. Looks no farther than the
  // largest frame reaches: behind a bad frame its successor lies there.
  [[nodiscard]] Result<std::optional<std::uint64_t>> find_frame(std::uint64_t offset);

 private:
  [[nodiscard]] Result<ByteView> view(std::uint64_t offset, std::size_t count);
  [[nodiscard]] std::optional<FrameHeader> decode_header(ByteView bytes,
                                                         std::uint64_t offset) const;
  void collect_records(ByteView body, Frame& frame) const;

  env::File& file_;
  SegmentFacts facts_;
  std::uint64_t end_offset_;
  Bytes& buffer_;
  std::uint64_t buffer_offset_ = 0;
  std::size_t buffer_bytes_ = 0;
};

// The record at `offset` of a segment, verified. Errors: journal_corrupt, disk_failed.
[[nodiscard]] Result<Bytes> read_record(env::File& file, const SegmentFacts& facts,
                                        std::uint64_t offset);

}  // namespace eilpost::store
