#include "store/segment.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crc32c.h"

namespace eilpost::store {
namespace {

constexpr std::string_view kSegmentMagic = "EILPSEG1";
constexpr std::uint32_t kFrameMagic = 0x4D524645U;  // "EFRM"
constexpr std::array<std::byte, 4> kFrameMagicBytes{std::byte{'E'}, std::byte{'F'}, std::byte{'R'},
                                                    std::byte{'M'}};
constexpr std::size_t kReadAheadBytes = 512UL * 1024;
constexpr std::size_t kFrameHeaderCrcOffset = kFrameHeaderBytes - 4;

std::uint32_t record_seed(const SegmentFacts& facts, std::uint64_t offset) {
  return facts.salt ^ static_cast<std::uint32_t>(offset);
}

// `target` is empty.
void write_frame_header(const SegmentFacts& facts, const FrameHeader& header, Bytes& target) {
  ByteWriter writer(target);
  writer.u32(kFrameMagic);
  writer.u32(header.body_bytes);
  writer.u64(header.position.value);
  writer.u64(header.previous.value);
  writer.u32(header.records_count);
  writer.u32(crc32c(target, facts.salt));
}

}  // namespace

std::string segment_place(std::uint64_t number, std::uint64_t offset) {
  return fmt::format("segment {:x}, offset {}", number, offset);
}

Bytes encode_segment_header(const SegmentFacts& facts) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.raw(as_bytes(kSegmentMagic));
  writer.u64(facts.number);
  writer.u32(facts.salt);
  writer.u32(crc32c(bytes));
  bytes.resize(kSegmentHeaderBytes);
  return bytes;
}

std::optional<SegmentFacts> decode_segment_header(ByteView bytes) {
  ByteReader reader(bytes);
  const ByteView magic = reader.raw(kSegmentMagic.size());
  SegmentFacts facts;
  facts.number = reader.u64();
  facts.salt = reader.u32();
  const std::uint32_t crc = reader.u32();
  if (reader.failed() || as_text(magic) != kSegmentMagic) return std::nullopt;
  if (crc != crc32c(bytes.first(kSegmentMagic.size() + 8 + 4))) return std::nullopt;
  return facts;
}

std::uint64_t frame_bytes(std::span<const ByteView> records) {
  std::uint64_t bytes = kFrameHeaderBytes;
  for (const ByteView record : records) bytes += kRecordHeaderBytes + record.size();
  return bytes;
}

void FrameBuilder::build(const SegmentFacts& facts, FrameHeader header,
                         std::span<const ByteView> records, std::vector<Position>& positions) {
  const std::uint64_t bytes = frame_bytes(records);
  EILPOST_ASSERT(bytes <= kFrameBytesHardMax);
  header.body_bytes = static_cast<std::uint32_t>(bytes - kFrameHeaderBytes);
  header.records_count = static_cast<std::uint32_t>(records.size());
  buffer_.clear();
  buffer_.reserve(bytes);
  write_frame_header(facts, header, buffer_);
  ByteWriter writer(buffer_);
  positions.clear();
  for (const ByteView record : records) {
    const std::uint64_t offset = offset_of(header.position) + writer.size();
    writer.u32(static_cast<std::uint32_t>(record.size()));
    writer.u32(crc32c(record, record_seed(facts, offset)));
    writer.raw(record);
    positions.push_back(to_position(facts.number, offset));
  }
}

SegmentReader::SegmentReader(env::File& file, const SegmentFacts& facts, std::uint64_t end_offset,
                             Bytes& buffer)
    : file_(file), facts_(facts), end_offset_(end_offset), buffer_(buffer) {}

Result<ByteView> SegmentReader::view(std::uint64_t offset, std::size_t count) {
  if (offset >= end_offset_) return ByteView();
  count = std::min<std::uint64_t>(count, end_offset_ - offset);
  const bool is_inside =
      offset >= buffer_offset_ && offset + count <= buffer_offset_ + buffer_bytes_;
  if (!is_inside) {
    const std::size_t wanted =
        std::min<std::uint64_t>(std::max(count, kReadAheadBytes), end_offset_ - offset);
    if (buffer_.size() < wanted) buffer_.resize(wanted);
    EILPOST_ASSIGN_OR_RETURN(buffer_bytes_,
                             file_.read_at(offset, std::span(buffer_).first(wanted)));
    buffer_offset_ = offset;
    count = std::min(count, buffer_bytes_);
  }
  return ByteView(buffer_).subspan(offset - buffer_offset_, count);
}

std::optional<FrameHeader> SegmentReader::decode_header(ByteView bytes,
                                                        std::uint64_t offset) const {
  ByteReader reader(bytes);
  FrameHeader header;
  const std::uint32_t magic = reader.u32();
  header.body_bytes = reader.u32();
  header.position.value = reader.u64();
  header.previous.value = reader.u64();
  header.records_count = reader.u32();
  const std::uint32_t crc = reader.u32();
  if (reader.failed() || magic != kFrameMagic) return std::nullopt;
  if (header.position != to_position(facts_.number, offset)) return std::nullopt;
  if (crc != crc32c(bytes.first(kFrameHeaderCrcOffset), facts_.salt)) return std::nullopt;
  if (header.body_bytes > kFrameBytesHardMax) return std::nullopt;
  return header;
}

// Good records follow each other. Behind a bad one the next good one is searched byte by byte: its
// length is checked before its checksum, so that is quick.
void SegmentReader::collect_records(ByteView body, Frame& frame) const {
  std::size_t at = 0;
  std::size_t wrong_bytes = 0;
  while (body.size() - at >= kRecordHeaderBytes) {
    ByteReader reader(body.subspan(at));
    const std::uint32_t size = reader.u32();
    const std::uint32_t crc = reader.u32();
    const std::uint64_t offset = frame.offset + kFrameHeaderBytes + at;
    const ByteView record = size == 0 ? ByteView() : reader.raw(size);
    if (record.empty() || crc != crc32c(record, record_seed(facts_, offset))) {
      ++at;
      ++wrong_bytes;
      continue;
    }
    frame.records.push_back({.position = to_position(facts_.number, offset), .bytes = record});
    at += kRecordHeaderBytes + size;
  }
  frame.is_whole = wrong_bytes == 0 && at == body.size() &&
                   body.size() == frame.header.body_bytes &&
                   frame.records.size() == frame.header.records_count;
}

Result<bool> SegmentReader::read_frame(std::uint64_t offset, Frame& frame) {
  frame.records.clear();
  frame.is_whole = false;
  EILPOST_ASSIGN_OR_RETURN(const ByteView head, view(offset, kFrameHeaderBytes));
  const std::optional<FrameHeader> header = decode_header(head, offset);
  if (!header) return false;
  frame.header = *header;
  frame.offset = offset;
  frame.end_offset = offset + kFrameHeaderBytes + header->body_bytes;
  EILPOST_ASSIGN_OR_RETURN(const ByteView body,
                           view(offset + kFrameHeaderBytes, header->body_bytes));
  collect_records(body, frame);
  return true;
}

Result<std::optional<std::uint64_t>> SegmentReader::find_frame(std::uint64_t offset) {
  const std::string_view magic = as_text(kFrameMagicBytes);
  const std::uint64_t limit = offset + kFrameBytesHardMax;
  while (offset < std::min(limit, end_offset_)) {
    EILPOST_ASSIGN_OR_RETURN(const ByteView bytes, view(offset, kReadAheadBytes));
    if (bytes.size() < kFrameHeaderBytes) break;
    const std::size_t found = as_text(bytes).find(magic);
    if (found == std::string_view::npos) {
      offset += bytes.size() - (magic.size() - 1);
      continue;
    }
    offset += found;
    EILPOST_ASSIGN_OR_RETURN(const ByteView head, view(offset, kFrameHeaderBytes));
    if (decode_header(head, offset)) return offset;
    ++offset;
  }
  return std::nullopt;
}

Result<Bytes> read_record(env::File& file, const SegmentFacts& facts, std::uint64_t offset) {
  constexpr std::size_t kGuessBytes = 2048;  // one read is enough for most
  const auto corrupt = [&] {
    return fail(ErrorCode::journal_corrupt, segment_place(facts.number, offset));
  };
  Bytes bytes(kGuessBytes);
  EILPOST_ASSIGN_OR_RETURN(const std::size_t count, file.read_at(offset, bytes));
  bytes.resize(count);
  ByteReader reader(bytes);
  const std::uint32_t size = reader.u32();
  const std::uint32_t crc = reader.u32();
  if (reader.failed() || size == 0 || size > kFrameBytesHardMax) return corrupt();
  bytes.resize(kRecordHeaderBytes + size);
  if (count < bytes.size()) {
    EILPOST_ASSIGN_OR_RETURN(const std::size_t more_count,
                             file.read_at(offset + count, std::span(bytes).subspan(count)));
    if (count + more_count < bytes.size()) return corrupt();
  }
  bytes.erase(bytes.begin(), bytes.begin() + kRecordHeaderBytes);
  if (crc != crc32c(bytes, record_seed(facts, offset))) return corrupt();
  return bytes;
}

}  // namespace eilpost::store
