#include "store/repeats.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "base/codec.h"
#include "base/crc32c.h"
#include "base/probe.h"

namespace eilpost::store {
namespace {

constexpr std::string_view kKeyName = "repeats.key";
constexpr std::size_t kKeyFileBytes = sizeof(SipKey) + 4;
constexpr Duration kSpillAfter = std::chrono::hours(1);
constexpr std::size_t kGenerations = 16;  // that fit into ids_max
constexpr std::size_t kGenerationIdsMin = 16;
constexpr std::size_t kMergeableMax = 8;  // pairs of neighbours, until two become one

std::optional<SipKey> decode_key(ByteView bytes) {
  if (bytes.size() != kKeyFileBytes) return std::nullopt;
  SipKey key;
  std::memcpy(key.data(), bytes.data(), key.size());
  ByteReader reader(bytes.subspan(key.size()));
  if (reader.u32() != crc32c(key)) return std::nullopt;
  return key;
}

Result<SipKey> load_key(env::Directory& directory, env::Entropy& entropy,
                        const std::function<void(std::string_view)>& on_damage) {
  EILPOST_ASSIGN_OR_RETURN(const bool exists, directory.exists(kKeyName));
  if (exists) {
    EILPOST_ASSIGN_OR_RETURN(const Bytes bytes, env::read_file(directory, kKeyName, 4096));
    if (const auto key = decode_key(bytes)) return *key;
    on_damage(fmt::format("{} is damaged; a new key is used.", kKeyName));
  }
  SipKey key;
  entropy.fill(key);
  Bytes bytes(key.begin(), key.end());
  ByteWriter writer(bytes);
  writer.u32(crc32c(key));
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory, kKeyName, bytes));
  return key;
}

// Of a file that was being written in a crash (env::replace_file()).
bool is_leftover(std::string_view name) {
  constexpr std::string_view kSuffix = ".new";
  return name.ends_with(kSuffix) &&
         RepeatFile::is_name(name.substr(0, name.size() - kSuffix.size()));
}

// When the last of both was accepted: the calendar may have been set back between them.
WallTime newest_of(const RepeatFile& a, const RepeatFile& b) {
  return std::max(a.facts().newest, b.facts().newest);
}

}  // namespace

Repeats::Repeats(env::Directory& directory, const SipKey& key, const Options& options)
    : directory_(directory), key_(key), options_(options), key_mark_(siphash128({}, key).low) {}

Result<std::unique_ptr<Repeats>> Repeats::open(
    env::Directory& directory, env::Entropy& entropy, const Options& options,
    const std::function<void(std::string_view)>& on_damage) {
  EILPOST_ASSIGN_OR_RETURN(const SipKey key, load_key(directory, entropy, on_damage));
  std::unique_ptr<Repeats> repeats(new Repeats(directory, key, options));
  EILPOST_RETURN_IF_ERROR(repeats->load(on_damage));
  return repeats;
}

Result<void> Repeats::load(const std::function<void(std::string_view)>& on_damage) {
  EILPOST_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_.list());
  for (const std::string& name : names) {  // sorted, so the oldest comes first
    if (is_leftover(name)) EILPOST_RETURN_IF_ERROR(directory_.remove(name));
    if (!RepeatFile::is_name(name)) continue;
    auto file = RepeatFile::open(directory_, name);
    if (!file && file.error().code != ErrorCode::journal_corrupt) {
      return std::unexpected(file.error());
    }
    const bool is_usable = file && (*file)->facts().key_mark == key_mark_;
    if (!is_usable) {
      on_damage(fmt::format("{} cannot be used: repeats of its events are taken as new.", name));
      EILPOST_RETURN_IF_ERROR(directory_.remove(name));
      continue;
    }
    rebuild_from_ = (*file)->facts().until;
    files_.push_back(std::move(*file));
  }
  return {};
}

Hash128 Repeats::fingerprint(SourceId source, std::string_view id, std::string_view user) const {
  constexpr std::size_t kHeadBytes = 16;
  constexpr std::size_t kBytesMax = kHeadBytes + limits::kEventIdBytesMax + limits::kUserBytesMax;
  std::array<std::byte, kBytesMax> small;
  Bytes large;
  const std::size_t size = kHeadBytes + id.size() + user.size();
  if (size > small.size()) large.resize(size);
  const std::span<std::byte> bytes = large.empty() ? std::span(small).first(size) : large;
  const auto source_number = static_cast<std::uint64_t>(source);
  const std::uint64_t id_size = id.size();
  std::memcpy(bytes.data(), &source_number, sizeof source_number);
  std::memcpy(bytes.data() + 8, &id_size, sizeof id_size);
  std::ranges::copy(as_bytes(id), bytes.begin() + kHeadBytes);
  std::ranges::copy(as_bytes(user),
                    bytes.begin() + static_cast<std::ptrdiff_t>(kHeadBytes + id.size()));
  return siphash128(bytes, key_);
}

bool Repeats::is_known(Hash128 fingerprint) const {
  if (current_.table.contains(fingerprint)) return true;
  if (set_aside_ != nullptr && set_aside_->table.contains(fingerprint)) return true;
  return std::ranges::any_of(files_, [&](const auto& file) {
    return file->may_contain(fingerprint) && file->contains(fingerprint);
  });
}

void Repeats::remember(Hash128 fingerprint, Position position) {
  if (current_.table.size() == 0) current_.from = position;
  current_.table.insert(fingerprint);
}

void Repeats::forget(Hash128 fingerprint) {
  current_.table.erase(fingerprint);
}

bool Repeats::is_recent(WallTime accepted_at, WallTime now) const {
  return accepted_at >= now - std::chrono::duration_cast<WallTime::duration>(options_.window);
}

std::optional<Position> Repeats::needed_from() const {
  if (set_aside_ != nullptr) return set_aside_->from;
  if (current_.table.size() > 0) return current_.from;
  return std::nullopt;
}

std::optional<Repeats::SpillJob> Repeats::begin_spill(Position end, WallTime now, bool is_urgent) {
  if (is_writing_) return std::nullopt;
  if (set_aside_ == nullptr) {
    if (current_.table.size() == 0) return std::nullopt;
    if (!began_) began_ = now;
    const bool is_time =
        is_urgent || current_.table.size() >= file_ids_max() || now - *began_ >= kSpillAfter;
    if (!is_time) return std::nullopt;
    current_.until = end;
    current_.newest = now;
    set_aside_ = std::make_shared<const Generation>(std::exchange(current_, {}));
    EILPOST_PROBE("store.repeats_spilled");
    began_.reset();
  }
  is_writing_ = true;
  return make_job();
}

Repeats::SpillJob Repeats::make_job() const {
  return [&directory = directory_, generation = set_aside_, key_mark = key_mark_]() -> Spilled {
    const RepeatFileFacts facts{
        .until = generation->until, .newest = generation->newest, .key_mark = key_mark};
    return RepeatFile::save(directory, facts, generation->table.sorted());
  };
}

void Repeats::spilled(Spilled result, WallTime now) {
  is_writing_ = false;
  if (!result) return;
  files_.push_back(std::move(*result));
  set_aside_.reset();
  expire(now);
}

std::size_t Repeats::file_ids_max() const {
  return std::max(kGenerationIdsMin, options_.ids_max / kGenerations);
}

// What is given up at once stays small, in ids and in time. When the first file begins nobody
// knows.
bool Repeats::may_merge(std::size_t index) const {
  if (index == 0 || index + 1 >= files_.size()) return false;
  const RepeatFileFacts& older = files_[index]->facts();
  const RepeatFileFacts& newer = files_[index + 1]->facts();
  return older.count + newer.count <= file_ids_max() &&
         newest_of(*files_[index], *files_[index + 1]) - files_[index - 1]->facts().newest <=
             kSpillAfter;
}

std::optional<Repeats::SpillJob> Repeats::begin_merge() {
  if (is_writing_) return std::nullopt;
  const auto size_of_pair = [&](std::size_t index) {
    return files_[index]->facts().count + files_[index + 1]->facts().count;
  };
  std::size_t count = 0;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!may_merge(i)) continue;
    if (count == 0 || size_of_pair(i) < size_of_pair(merged_at_)) merged_at_ = i;
    ++count;
  }
  if (count <= kMergeableMax) return std::nullopt;
  is_writing_ = true;
  // It takes the place of the newer, whose end it has; the older goes when it is there.
  return [&directory = directory_, older = files_[merged_at_],
          newer = files_[merged_at_ + 1]]() -> Spilled {
    EILPOST_ASSIGN_OR_RETURN(const std::vector<Hash128> first, older->sorted());
    EILPOST_ASSIGN_OR_RETURN(const std::vector<Hash128> second, newer->sorted());
    std::vector<Hash128> both;
    both.reserve(first.size() + second.size());
    std::ranges::set_union(first, second, std::back_inserter(both), {}, order_of, order_of);
    RepeatFileFacts facts = newer->facts();
    facts.newest = newest_of(*older, *newer);
    Spilled merged = RepeatFile::save(directory, facts, both);
    // If it stays it is found again by the next load(): what is in it is known twice.
    if (merged) (void)directory.remove(older->name());
    return merged;
  };
}

void Repeats::merged(Spilled result) {
  is_writing_ = false;
  if (!result) return;
  files_[merged_at_ + 1] = std::move(*result);
  files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(merged_at_));
}

std::uint64_t Repeats::file_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& file : files_) bytes += file->bytes();
  return bytes;
}

// The newest file stays, however old: from its end the table is rebuilt.
void Repeats::expire(WallTime now) {
  std::size_t ids_count = 0;
  for (const auto& file : files_) ids_count += file->facts().count;
  while (files_.size() > 1) {
    const RepeatFileFacts& oldest = files_.front()->facts();
    if (is_recent(oldest.newest, now) && ids_count <= options_.ids_max) return;
    ids_count -= oldest.count;
    EILPOST_PROBE("store.repeats_expired");
    // If it stays it is found again by the next load(), and expires again.
    (void)directory_.remove(files_.front()->name());
    files_.erase(files_.begin());
  }
}

}  // namespace eilpost::store
