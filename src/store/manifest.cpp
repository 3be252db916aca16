#include "store/manifest.h"

#include <charconv>
#include <fmt/format.h>

#include "base/codec.h"
#include "base/crc32c.h"

namespace eilpost::store {
namespace {

constexpr std::string_view kMagic = "EILPMAN1";
constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::size_t kNumberDigits = 16;

}  // namespace

Bytes encode_manifest(const std::vector<SegmentFacts>& segments) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.raw(as_bytes(kMagic));
  writer.u32(static_cast<std::uint32_t>(segments.size()));
  for (const SegmentFacts& facts : segments) {
    writer.u64(facts.number);
    writer.u32(facts.salt);
  }
  writer.u32(crc32c(bytes));
  return bytes;
}

std::optional<std::vector<SegmentFacts>> decode_manifest(ByteView bytes) {
  ByteReader reader(bytes);
  const ByteView magic = reader.raw(kMagic.size());
  const std::uint32_t count = reader.u32();
  if (reader.failed() || as_text(magic) != kMagic) return std::nullopt;
  if (count == 0 || count > reader.rest().size() / 12) return std::nullopt;
  std::vector<SegmentFacts> segments;
  segments.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    SegmentFacts facts;
    facts.number = reader.u64();
    facts.salt = reader.u32();
    if (!segments.empty() && facts.number <= segments.back().number) return std::nullopt;
    segments.push_back(facts);
  }
  const std::uint32_t crc = reader.u32();
  if (!reader.is_at_end() || crc != crc32c(bytes.first(bytes.size() - 4))) return std::nullopt;
  return segments;
}

std::string segment_name(std::uint64_t number) {
  return fmt::format("{}{:016x}", kSegmentPrefix, number);
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
  if (!name.starts_with(kSegmentPrefix)) return std::nullopt;
  name.remove_prefix(kSegmentPrefix.size());
  if (name.size() != kNumberDigits) return std::nullopt;
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number, 16);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace eilpost::store
