#include "store/repeat_file.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/codec.h"
#include "base/crc32c.h"
#include "store/repeat_table.h"

namespace eilpost::store {
namespace {

constexpr std::string_view kPrefix = "repeats-";
constexpr std::size_t kPositionDigits = 16;
constexpr std::string_view kMagic = "EILPREP1";
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kPageEntries = 255;
constexpr std::size_t kPageCrcOffset = kPageBytes - 4;
constexpr std::size_t kBitsPerId = 10;
constexpr std::size_t kBlockBits = 512;
constexpr unsigned kProbes = 7;
constexpr std::uint64_t kCountMax = 1ULL << 32U;

std::size_t pages_count(std::uint64_t count) {
  return (count + kPageEntries - 1) / kPageEntries;
}

std::size_t blocks_count(std::uint64_t count) {
  return std::max<std::size_t>(1, (count * kBitsPerId + kBlockBits - 1) / kBlockBits);
}

std::size_t block_index(Hash128 fingerprint, std::size_t count) {
  return ((fingerprint.low >> 32U) * count) >> 32U;
}

// Calls `each` with the seven bits of a fingerprint within its block.
template <class Each>
void for_each_bit(Hash128 fingerprint, Each each) {
  std::uint64_t bits = fingerprint.high;
  for (unsigned i = 0; i < kProbes; ++i, bits >>= 9U) {
    const std::uint64_t bit = bits & (kBlockBits - 1);
    each(bit / 64, 1ULL << (bit % 64));
  }
}

Bytes encode_header(const RepeatFileFacts& facts) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.raw(as_bytes(kMagic));
  writer.u64(facts.count);
  writer.u64(facts.until.value);
  writer.i64(facts.newest.time_since_epoch().count());
  writer.u64(facts.key_mark);
  writer.u32(crc32c(bytes));
  bytes.resize(kHeaderBytes);
  return bytes;
}

std::optional<RepeatFileFacts> decode_header(ByteView bytes) {
  ByteReader reader(bytes);
  const ByteView magic = reader.raw(kMagic.size());
  RepeatFileFacts facts;
  facts.count = reader.u64();
  facts.until.value = reader.u64();
  facts.newest = WallTime(std::chrono::milliseconds(reader.i64()));
  facts.key_mark = reader.u64();
  const std::size_t size = bytes.size() - reader.rest().size();
  const std::uint32_t crc = reader.u32();
  if (reader.failed() || as_text(magic) != kMagic) return std::nullopt;
  if (crc != crc32c(bytes.first(size)) || facts.count > kCountMax) return std::nullopt;
  return facts;
}

void write_page(ByteWriter& writer, Bytes& target, std::span<const Hash128> entries) {
  const std::size_t begin = writer.size();
  for (const Hash128 entry : entries) {
    writer.u64(entry.low);
    writer.u64(entry.high);
  }
  target.resize(begin + kPageCrcOffset);
  writer.u32(crc32c(ByteView(target).subspan(begin)));
}

Error damage(std::string_view name) {
  return {.code = ErrorCode::journal_corrupt, .detail = fmt::format("{} is damaged.", name)};
}

}  // namespace

RepeatFile::RepeatFile(std::unique_ptr<env::File> file, const RepeatFileFacts& facts)
    : file_(std::move(file)),
      facts_(facts),
      blocks_(blocks_count(facts.count)),
      fences_(pages_count(facts.count)) {}

std::string RepeatFile::name_of(Position until) {
  return fmt::format("{}{:016x}", kPrefix, until.value);
}

bool RepeatFile::is_name(std::string_view name) {
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kPositionDigits;
}

Result<std::unique_ptr<RepeatFile>> RepeatFile::save(env::Directory& directory,
                                                     RepeatFileFacts facts,
                                                     const std::vector<Hash128>& sorted) {
  facts.count = sorted.size();
  std::unique_ptr<RepeatFile> result(new RepeatFile(nullptr, facts));
  Bytes bytes = encode_header(facts);
  bytes.reserve(kHeaderBytes + result->fences_.size() * (kPageBytes + 8) +
                result->blocks_.size() * sizeof(Block) + 4);
  ByteWriter writer(bytes);
  for (std::size_t page = 0; page < result->fences_.size(); ++page) {
    const auto rest = std::span(sorted).subspan(page * kPageEntries);
    result->fences_[page] = rest.front().high;
    write_page(writer, bytes, rest.first(std::min(rest.size(), kPageEntries)));
  }
  for (const Hash128 fingerprint : sorted) {
    Block& block = result->block_of(fingerprint);
    for_each_bit(fingerprint,
                 [&](std::size_t word, std::uint64_t bit) { block.words[word] |= bit; });
  }
  const std::size_t index_at = bytes.size();
  for (const std::uint64_t fence : result->fences_) writer.u64(fence);
  writer.raw(std::as_bytes(std::span(result->blocks_)));
  writer.u32(crc32c(ByteView(bytes).subspan(index_at)));

  const std::string name = name_of(facts.until);
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory, name, bytes));
  EILPOST_ASSIGN_OR_RETURN(result->file_, directory.open(name, env::OpenMode::read));
  return result;
}

Result<std::unique_ptr<RepeatFile>> RepeatFile::open(env::Directory& directory,
                                                     std::string_view name) {
  EILPOST_ASSIGN_OR_RETURN(auto file, directory.open(name, env::OpenMode::read));
  Bytes head(kHeaderBytes);
  EILPOST_ASSIGN_OR_RETURN(const std::size_t head_count, file->read_at(0, head));
  head.resize(head_count);
  const std::optional<RepeatFileFacts> facts = decode_header(head);
  EILPOST_ASSIGN_OR_RETURN(const std::uint64_t size_bytes, file->size());
  if (!facts || name != name_of(facts->until)) return std::unexpected(damage(name));
  const std::uint64_t expected_bytes = kHeaderBytes + pages_count(facts->count) * (kPageBytes + 8) +
                                       blocks_count(facts->count) * sizeof(Block) + 4;
  if (size_bytes != expected_bytes) return std::unexpected(damage(name));
  std::unique_ptr<RepeatFile> result(new RepeatFile(std::move(file), *facts));
  EILPOST_RETURN_IF_ERROR(result->load_index());
  return result;
}

Result<void> RepeatFile::load_index() {
  const std::uint64_t offset = kHeaderBytes + fences_.size() * kPageBytes;
  Bytes bytes(fences_.size() * 8 + blocks_.size() * sizeof(Block) + 4);
  EILPOST_ASSIGN_OR_RETURN(const std::size_t count, file_->read_at(offset, bytes));
  bytes.resize(count);
  ByteReader reader(bytes);
  for (std::uint64_t& fence : fences_) fence = reader.u64();
  const ByteView blocks = reader.raw(blocks_.size() * sizeof(Block));
  const std::uint32_t crc = reader.u32();
  if (!reader.is_at_end() || crc != crc32c(ByteView(bytes).first(bytes.size() - 4))) {
    return std::unexpected(damage(name()));
  }
  std::memcpy(blocks_.data(), blocks.data(), blocks.size());
  return {};
}

RepeatFile::Block& RepeatFile::block_of(Hash128 fingerprint) {
  return blocks_[block_index(fingerprint, blocks_.size())];
}

std::uint64_t RepeatFile::bytes() const {
  return kHeaderBytes + pages_count(facts_.count) * kPageBytes + blocks_.size() * sizeof(Block);
}

bool RepeatFile::may_contain(Hash128 fingerprint) const {
  const Block& block = blocks_[block_index(fingerprint, blocks_.size())];
  bool is_set = true;
  for_each_bit(fingerprint, [&](std::size_t word, std::uint64_t bit) {
    is_set = is_set && (block.words[word] & bit) != 0;
  });
  return is_set;
}

Result<void> RepeatFile::read_page(std::uint64_t index, std::vector<Hash128>& entries) const {
  std::array<std::byte, kPageBytes> page;
  EILPOST_ASSIGN_OR_RETURN(const std::size_t count,
                           file_->read_at(kHeaderBytes + index * kPageBytes, page));
  if (count != kPageBytes) return {};
  ByteReader reader(page);
  const ByteView body = reader.raw(kPageCrcOffset);
  if (reader.u32() != crc32c(body)) return {};
  const std::uint64_t left = facts_.count - index * kPageEntries;
  const std::size_t begin = entries.size();
  entries.resize(begin + std::min<std::uint64_t>(left, kPageEntries));
  std::memcpy(entries.data() + begin, page.data(), (entries.size() - begin) * sizeof(Hash128));
  return {};
}

bool RepeatFile::contains(Hash128 fingerprint) const {
  const auto after = std::ranges::upper_bound(fences_, fingerprint.high);
  if (after == fences_.begin()) return false;
  std::vector<Hash128> entries;
  const auto page = static_cast<std::uint64_t>(after - fences_.begin()) - 1;
  if (!read_page(page, entries)) return false;
  return std::ranges::binary_search(entries, order_of(fingerprint), {}, order_of);
}

Result<std::vector<Hash128>> RepeatFile::sorted() const {
  std::vector<Hash128> entries;
  entries.reserve(facts_.count);
  for (std::uint64_t page = 0; page < fences_.size(); ++page) {
    EILPOST_RETURN_IF_ERROR(read_page(page, entries));
  }
  return entries;
}

}  // namespace eilpost::store
