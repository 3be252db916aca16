#include "store/file_journal.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crc32c.h"
#include "base/probe.h"
#include "store/manifest.h"

namespace eilpost::store {
namespace {

constexpr std::size_t kAheadSegments = kReserveSegments + 1;
constexpr std::size_t kSparesMax = 2;
constexpr std::size_t kZerosBytes = 1024UL * 1024;

constexpr std::string_view kSparePrefix = "spare-";
constexpr std::string_view kCheckpointPrefix = "checkpoint-";
constexpr std::string_view kCheckpointMagic = "EILPCKP2";
constexpr std::size_t kCheckpointHeadBytes = 16;
constexpr std::size_t kCheckpointsKept = 2;
constexpr std::uint64_t kCheckpointBytesMax = 4ULL * 1024 * 1024 * 1024;

std::string checkpoint_name(Position covers) {
  return fmt::format("{}{:016x}", kCheckpointPrefix, covers.value);
}

std::string spare_name(std::uint64_t number) {
  return fmt::format("{}{:016x}", kSparePrefix, number);
}

std::optional<Checkpoint> decode_checkpoint(Bytes bytes) {
  ByteReader reader(bytes);
  const ByteView magic = reader.raw(kCheckpointMagic.size());
  Checkpoint checkpoint;
  checkpoint.covers.value = reader.u64();
  if (reader.failed() || as_text(magic) != kCheckpointMagic) return std::nullopt;
  if (reader.rest().size() < sizeof(std::uint32_t)) return std::nullopt;
  const std::size_t body_end = bytes.size() - sizeof(std::uint32_t);
  ByteReader end(ByteView(bytes).subspan(body_end));
  if (end.u32() != crc32c(ByteView(bytes).first(body_end))) return std::nullopt;
  bytes.resize(body_end);
  bytes.erase(bytes.begin(), bytes.begin() + kCheckpointHeadBytes);
  checkpoint.bytes = std::move(bytes);
  return checkpoint;
}

std::vector<std::string> names_with(const std::vector<std::string>& names,
                                    std::string_view prefix) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    if (name.starts_with(prefix) && !name.ends_with(".new")) found.push_back(name);
  }
  return found;
}

}  // namespace

FileJournal::FileJournal(env::Directory& directory, env::Entropy& entropy, const Options& options,
                         DamageSink on_damage)
    : directory_(directory),
      entropy_(entropy),
      options_(options),
      on_damage_(std::move(on_damage)) {
  EILPOST_ASSERT(options.segment_bytes <= kSegmentBytesMax);
  EILPOST_ASSERT(options.segment_bytes >= 4096);
}

Result<std::unique_ptr<FileJournal>> FileJournal::open(env::Directory& directory,
                                                       env::Entropy& entropy,
                                                       const Options& options,
                                                       DamageSink on_damage) {
  EILPOST_RETURN_IF_ERROR(directory.lock());
  auto journal = std::make_unique<FileJournal>(directory, entropy, options, std::move(on_damage));
  EILPOST_RETURN_IF_ERROR(journal->load());
  return journal;
}

Result<void> FileJournal::load() {
  EILPOST_ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_.list());
  EILPOST_RETURN_IF_ERROR(load_checkpoints(names));
  EILPOST_ASSIGN_OR_RETURN(const std::vector<SegmentFacts> listed, list_segments(names));
  EILPOST_RETURN_IF_ERROR(open_segments(listed, names));
  return set_strays_aside(names);
}

Result<void> FileJournal::load_checkpoints(const std::vector<std::string>& names) {
  std::vector<std::string> found = names_with(names, kCheckpointPrefix);
  for (auto name = found.rbegin(); name != found.rend() && !checkpoint_; ++name) {
    EILPOST_ASSIGN_OR_RETURN(Bytes bytes, env::read_file(directory_, *name, kCheckpointBytesMax));
    checkpoint_ = decode_checkpoint(std::move(bytes));
    if (!checkpoint_) report(fmt::format("{} is damaged and is not used.", *name));
    if (checkpoint_) checkpoint_bytes_ = checkpoint_->bytes.size();
  }
  if (checkpoint_) known_durable_ = checkpoint_->covers;
  return {};
}

Result<std::vector<SegmentFacts>> FileJournal::list_segments(
    const std::vector<std::string>& names) {
  const bool has_manifest = std::ranges::find(names, kManifestName) != names.end();
  const bool has_segments = std::ranges::any_of(
      names, [](const std::string& name) { return parse_segment_name(name).has_value(); });
  if (!has_manifest && !has_segments) return begin_new();
  if (has_manifest) {
    EILPOST_ASSIGN_OR_RETURN(const Bytes bytes,
                             env::read_file(directory_, kManifestName, kManifestBytesMax));
    if (auto segments = decode_manifest(bytes)) return std::move(*segments);
  }
  report("MANIFEST is missing or damaged; the segments' own headers are used instead.");
  return list_by_headers(names);
}

Result<std::vector<SegmentFacts>> FileJournal::list_by_headers(
    const std::vector<std::string>& names) {
  std::vector<SegmentFacts> segments;
  for (const std::string& name : names) {
    const std::optional<std::uint64_t> number = parse_segment_name(name);
    if (!number) continue;
    EILPOST_ASSIGN_OR_RETURN(const auto file, directory_.open(name, env::OpenMode::read));
    Bytes head(kSegmentHeaderBytes);
    EILPOST_ASSIGN_OR_RETURN(const std::size_t count, file->read_at(0, head));
    head.resize(count);
    const std::optional<SegmentFacts> facts = decode_segment_header(head);
    if (facts && facts->number == *number) {
      segments.push_back(*facts);
    } else {
      report(fmt::format("{} has no good header; its records are lost.", name));
    }
  }
  return segments;
}

Result<std::vector<SegmentFacts>> FileJournal::begin_new() {
  constexpr unsigned kNumberBits = 36;  // so that the ids of two installations do not collide
  const std::uint64_t number = std::max<std::uint64_t>(
      env::random_u64(entropy_) >> (64 - kNumberBits), segment_of(known_durable_) + 1);
  std::vector<SegmentFacts> facts{new_facts(number)};
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory_, kManifestName, encode_manifest(facts)));
  return facts;
}

Result<void> FileJournal::open_segments(const std::vector<SegmentFacts>& listed,
                                        const std::vector<std::string>& names) {
  Segments segments;
  std::vector<std::string> given_up;
  for (const SegmentFacts& facts : listed) {
    auto file = directory_.open(segment_name(facts.number), env::OpenMode::write);
    if (file) {
      segments.push_back(
          std::make_shared<Segment>(Segment{.facts = facts, .file = std::move(*file)}));
      continue;
    }
    if (file.error().code != ErrorCode::not_found) return std::unexpected(file.error());
    EILPOST_PROBE("store.segment_just_begun");
    // Of one that was just begun only the list may be there; of one that was given up on a full
    // disk its spare.
    if (std::ranges::binary_search(names, spare_name(facts.number))) {
      given_up.push_back(spare_name(facts.number));
    } else if (listed.size() > 1) {
      report(fmt::format("{} is missing; its records are lost.", segment_name(facts.number)));
    }
  }
  EILPOST_RETURN_IF_ERROR(empty_files(given_up));
  if (segments.empty()) {
    const std::uint64_t number =
        listed.size() == 1
            ? listed.front().number
            : (listed.empty() ? segment_of(known_durable_) : listed.back().number) + 1;
    const SegmentFacts facts = listed.size() == 1 ? listed.front() : new_facts(number);
    EILPOST_ASSIGN_OR_RETURN(SegmentPointer segment, make_segment(facts, Filled::no));
    segments.push_back(std::move(segment));
  }
  const bool is_as_listed = std::ranges::equal(
      segments, listed, {}, [](const SegmentPointer& segment) { return segment->facts; });
  if (!is_as_listed) {
    // On a full disk the old list stays: it is put right with the next segment.
    const Result<void> saved = save_manifest(segments);
    if (!saved && saved.error().code != ErrorCode::disk_full) return saved;
    if (!saved) given_up_ = std::move(given_up);
  }
  const std::scoped_lock lock(mutex_);
  segments_ = std::move(segments);
  return {};
}

// Segments that are not listed were given up, or never begun.
Result<void> FileJournal::set_strays_aside(const std::vector<std::string>& names) {
  const std::scoped_lock lock(housekeeping_);
  for (const std::string& name : names) {
    const std::optional<std::uint64_t> number = parse_segment_name(name);
    const bool is_stray = number && find_segment(*number) == nullptr;
    if (!is_stray && !name.starts_with(kSparePrefix)) continue;
    if (std::ranges::find(given_up_, name) != given_up_.end()) continue;
    if (spares_.size() >= kSparesMax) {
      EILPOST_PROBE("store.spare_too_many");
      EILPOST_RETURN_IF_ERROR(directory_.remove(name));
      continue;
    }
    const std::string aside = is_stray ? spare_name(*number) : name;
    EILPOST_PROBE("store.spare_found_again");
    if (is_stray) EILPOST_RETURN_IF_ERROR(directory_.rename(name, aside));
    spares_.push_back(aside);
  }
  spares_count_ = spares_.size();
  return directory_.sync();
}

std::optional<Checkpoint> FileJournal::take_checkpoint() {
  return std::exchange(checkpoint_, std::nullopt);
}

Position FileJournal::begin() const {
  const std::scoped_lock lock(mutex_);
  return to_position(segments_.front()->facts.number, 0);
}

Position FileJournal::end() const {
  return {.value = end_.load(std::memory_order_acquire)};
}

std::size_t FileJournal::append_bytes_max() const {
  return std::min<std::size_t>(kFrameBytesHardMax, options_.segment_bytes - kSegmentHeaderBytes) -
         kFrameHeaderBytes;
}

AppendOutcome FileJournal::append(std::span<const ByteView> records, Space space,
                                  std::vector<Position>& positions) {
  if (is_dead_) return AppendOutcome::failed;
  const std::uint64_t bytes = frame_bytes(records);
  EILPOST_ASSERT(!records.empty() && bytes <= append_bytes_max() + kFrameHeaderBytes);
  if (is_in_reserve_) is_in_reserve_ = ahead_count() < kReserveSegments;
  if (is_in_reserve_ && space == Space::common) return AppendOutcome::full;
  const bool is_fitting = offset_ + bytes <= options_.segment_bytes;
  if (!is_fitting && !roll(space)) return AppendOutcome::full;
  AppendOutcome outcome = write_frame(records, positions);
  // A segment that was not filled beforehand may have no space left; the next one has.
  if (outcome == AppendOutcome::full && roll(space)) outcome = write_frame(records, positions);
  return outcome;
}

AppendOutcome FileJournal::write_frame(std::span<const ByteView> records,
                                       std::vector<Position>& positions) {
  const Position position = to_position(current_->facts.number, offset_);
  builder_.build(current_->facts, {.position = position, .previous = last_frame_}, records,
                 positions);
  const ByteView frame = builder_.bytes();
  const Result<void> written = current_->file->write_at(offset_, frame);
  if (!written && written.error().code == ErrorCode::disk_full) return take_back();
  if (!written || !current_->file->sync()) {
    is_dead_ = true;
    return AppendOutcome::failed;
  }
  last_frame_ = position;
  offset_ += frame.size();
  end_.store(to_position(current_->facts.number, offset_).value, std::memory_order_release);
  return AppendOutcome::durable;
}

// Removes what a write to a full disk may have left, so that nothing takes it for a frame.
AppendOutcome FileJournal::take_back() {
  EILPOST_PROBE("store.write_taken_back");
  env::File& file = *current_->file;
  const Result<std::uint64_t> size_bytes = file.size();
  const bool has_left_something = !size_bytes || *size_bytes > offset_;
  if (has_left_something && (!file.truncate(offset_) || !file.sync())) {
    is_dead_ = true;
    return AppendOutcome::failed;
  }
  return AppendOutcome::full;
}

// Goes on in the next segment, if `space` allows it.
bool FileJournal::roll(Space space) {
  const std::size_t ahead = ahead_count();
  if (ahead == 0 || (space == Space::common && ahead <= kReserveSegments)) return false;
  const std::scoped_lock lock(mutex_);
  for (const SegmentPointer& segment : segments_) {
    if (segment->facts.number <= current_->facts.number) continue;
    current_ = segment;
    offset_ = kSegmentHeaderBytes;
    is_in_reserve_ = ahead <= kReserveSegments;
    EILPOST_PROBE("store.segment_begun");
    end_.store(to_position(segment->facts.number, offset_).value, std::memory_order_release);
    return true;
  }
  return false;
}

std::size_t FileJournal::ahead_count() const {
  const std::uint64_t number = segment_of(end());
  const std::scoped_lock lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      segments_, [&](const SegmentPointer& segment) { return segment->facts.number > number; }));
}

bool FileJournal::wants_space() const {
  return ahead_count() < kAheadSegments;
}

bool FileJournal::is_in_reserve() const {
  return is_in_reserve_ && ahead_count() < kReserveSegments;
}

Result<void> FileJournal::prepare_space() {
  const std::scoped_lock lock(housekeeping_);
  Result<void> done = add_segments();
  const bool is_full = !done && done.error().code == ErrorCode::disk_full;
  // Older checkpoints only help if the newest is damaged; and then the log says what they say.
  if (is_full && remove_checkpoints(1) > 0) done = add_segments();
  return done;
}

Result<void> FileJournal::add_segments() {
  while (wants_space()) {
    Segments list = segments();
    EILPOST_ASSIGN_OR_RETURN(SegmentPointer segment,
                             make_segment(new_facts(list.back()->facts.number + 1), Filled::yes));
    list.push_back(segment);
    if (const Result<void> saved = save_manifest(list); !saved) {
      // After any other error it may be listed all the same.
      const bool is_unlisted = saved.error().code == ErrorCode::disk_full;
      if (is_unlisted) (void)directory_.remove(segment_name(segment->facts.number));
      return saved;
    }
    const std::scoped_lock list_lock(mutex_);
    segments_.push_back(std::move(segment));
  }
  return {};
}

// The last segment: no record was ever in it.
Result<void> FileJournal::give_back_space(std::size_t kept) {
  const std::scoped_lock lock(housekeeping_);
  SegmentPointer last;
  {
    const std::scoped_lock list_lock(mutex_);
    const std::size_t before = kept + 1;
    const bool is_free = segments_.size() > before &&
                         segments_[segments_.size() - before]->facts.number > segment_of(end());
    if (!is_free) return fail(ErrorCode::disk_full);
    last = std::move(segments_.back());
    segments_.pop_back();
  }
  return give_up_unlisted({std::move(last)});
}

SegmentFacts FileJournal::new_facts(std::uint64_t number) {
  return {.number = number, .salt = static_cast<std::uint32_t>(env::random_u64(entropy_))};
}

Result<FileJournal::SegmentPointer> FileJournal::make_segment(const SegmentFacts& facts,
                                                              Filled filled) {
  auto segment = make_file(facts, filled);
  if (!segment) {
    EILPOST_PROBE("store.segment_not_made");
    // Gives back what was taken of a disk that may be full; the next open() sets aside what is
    // left.
    (void)directory_.remove(segment_name(facts.number));
  }
  return segment;
}

Result<FileJournal::SegmentPointer> FileJournal::make_file(const SegmentFacts& facts,
                                                           Filled filled) {
  const std::string name = segment_name(facts.number);
  const bool is_recycled = !spares_.empty();
  // Else a disk that is nearly full would be filled to the brim and emptied again, each second.
  if (filled == Filled::yes && !is_recycled) EILPOST_RETURN_IF_ERROR(check_room());
  if (is_recycled) {
    EILPOST_PROBE("store.segment_recycled");
    const std::string spare = std::move(spares_.back());
    spares_.pop_back();
    spares_count_ = spares_.size();
    EILPOST_RETURN_IF_ERROR(directory_.rename(spare, name));
  }
  EILPOST_ASSIGN_OR_RETURN(
      auto file,
      directory_.open(name, is_recycled ? env::OpenMode::write : env::OpenMode::create_new));
  EILPOST_RETURN_IF_ERROR(file->write_at(0, encode_segment_header(facts)));
  if (filled == Filled::yes) EILPOST_RETURN_IF_ERROR(fill(*file));
  EILPOST_RETURN_IF_ERROR(file->sync());
  EILPOST_RETURN_IF_ERROR(directory_.sync());
  return std::make_shared<Segment>(Segment{.facts = facts, .file = std::move(file)});
}

Result<void> FileJournal::check_room() {
  const Result<std::uint64_t> free_bytes = directory_.free_bytes();
  if (free_bytes && *free_bytes < options_.segment_bytes) {
    return fail(ErrorCode::disk_full,
                fmt::format("{} bytes are free, of {}", *free_bytes, options_.segment_bytes));
  }
  return {};  // Or it is not known, and writing will tell.
}

// Appends zeros until the file has all the bytes that the segment will need.
Result<void> FileJournal::fill(env::File& file) {
  EILPOST_ASSIGN_OR_RETURN(std::uint64_t size_bytes, file.size());
  const Bytes zeros(std::min<std::uint64_t>(kZerosBytes, options_.segment_bytes));
  while (size_bytes < options_.segment_bytes) {
    const std::size_t count =
        std::min<std::uint64_t>(zeros.size(), options_.segment_bytes - size_bytes);
    EILPOST_RETURN_IF_ERROR(file.write_at(size_bytes, ByteView(zeros).first(count)));
    size_bytes += count;
  }
  return {};
}

Result<void> FileJournal::save_manifest(const Segments& segments) {
  std::vector<SegmentFacts> facts;
  facts.reserve(segments.size());
  for (const SegmentPointer& segment : segments) facts.push_back(segment->facts);
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory_, kManifestName, encode_manifest(facts)));
  // One that cannot be removed is an ordinary spare at the next start.
  for (const std::string& name : std::exchange(given_up_, {})) (void)directory_.remove(name);
  return {};
}

Result<void> FileJournal::trim(Position before) {
  const std::scoped_lock lock(housekeeping_);
  const std::uint64_t first_kept = std::min(segment_of(before), segment_of(end()));
  Segments victims;
  Segments kept;
  for (const SegmentPointer& segment : segments()) {
    (segment->facts.number < first_kept ? victims : kept).push_back(segment);
  }
  if (victims.empty()) return {};
  EILPOST_PROBE("store.trimmed");
  const Result<void> saved = save_manifest(kept);
  if (!saved && saved.error().code != ErrorCode::disk_full) return saved;
  {
    const std::scoped_lock list_lock(mutex_);
    std::erase_if(segments_, [&](const SegmentPointer& segment) {
      return segment->facts.number < first_kept;
    });
  }
  if (saved) return give_up(std::move(victims));
  EILPOST_PROBE("store.trimmed_on_full_disk");
  return give_up_unlisted(victims);
}

// The files become spares, but not those that somebody still reads.
Result<void> FileJournal::give_up(Segments victims) {
  for (SegmentPointer& segment : victims) {
    const std::string name = segment_name(segment->facts.number);
    if (segment.use_count() == 1 && spares_.size() < kSparesMax) {
      const std::string spare = spare_name(segment->facts.number);
      EILPOST_RETURN_IF_ERROR(directory_.rename(name, spare));
      spares_.push_back(spare);
      spares_count_ = spares_.size();
    } else {
      EILPOST_RETURN_IF_ERROR(directory_.remove(name));
    }
    segment.reset();
  }
  return directory_.sync();
}

// There is no space for a list without them before they gave theirs back. Until such a list is
// saved they are there by the names of spares: a crash must not look as if they were lost.
Result<void> FileJournal::give_up_unlisted(const Segments& victims) {
  for (const SegmentPointer& segment : victims) {
    const std::uint64_t number = segment->facts.number;
    EILPOST_RETURN_IF_ERROR(directory_.rename(segment_name(number), spare_name(number)));
    given_up_.push_back(spare_name(number));
  }
  EILPOST_RETURN_IF_ERROR(directory_.sync());
  EILPOST_RETURN_IF_ERROR(empty_files(given_up_));
  EILPOST_RETURN_IF_ERROR(save_manifest(segments()));
  return directory_.sync();
}

Result<void> FileJournal::empty_files(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    EILPOST_ASSIGN_OR_RETURN(const auto file, directory_.open(name, env::OpenMode::write));
    EILPOST_RETURN_IF_ERROR(file->truncate(0));
  }
  return {};
}

Result<void> FileJournal::save_checkpoint(ByteView bytes, Position covers) {
  Bytes content;
  content.reserve(kCheckpointHeadBytes + bytes.size() + sizeof(std::uint32_t));
  ByteWriter writer(content);
  writer.raw(as_bytes(kCheckpointMagic));
  writer.u64(covers.value);
  writer.raw(bytes);
  writer.u32(crc32c(content));
  EILPOST_RETURN_IF_ERROR(env::replace_file(directory_, checkpoint_name(covers), content));
  checkpoint_bytes_ = content.size();

  const std::scoped_lock lock(housekeeping_);
  (void)remove_checkpoints(kCheckpointsKept);
  return {};
}

std::size_t FileJournal::remove_checkpoints(std::size_t kept) {
  const std::vector<std::string> names = directory_.list().value_or(std::vector<std::string>());
  const std::vector<std::string> found = names_with(names, kCheckpointPrefix);
  std::size_t count = 0;
  for (std::size_t i = 0; i + kept < found.size(); ++i) {
    if (directory_.remove(found[i])) ++count;  // Else it is tried again with the next.
  }
  return count;
}

JournalUsage FileJournal::usage() const {
  const Position last = end();
  const std::scoped_lock lock(mutex_);
  const auto ahead =
      std::ranges::upper_bound(segments_, segment_of(last), {},
                               [](const SegmentPointer& segment) { return segment->facts.number; });
  const auto count = static_cast<std::uint64_t>(ahead - segments_.begin());
  JournalUsage usage;
  usage.segments_count = count;
  if (count > 0) usage.bytes = (count - 1) * options_.segment_bytes + offset_of(last);
  usage.disk_bytes = (segments_.size() + spares_count_) * options_.segment_bytes +
                     kCheckpointsKept * checkpoint_bytes_;
  return usage;
}

FileJournal::Segments FileJournal::segments() const {
  const std::scoped_lock lock(mutex_);
  return segments_;
}

FileJournal::SegmentPointer FileJournal::find_segment(std::uint64_t number) const {
  const std::scoped_lock lock(mutex_);
  const auto found = std::ranges::lower_bound(
      segments_, number, {}, [](const SegmentPointer& segment) { return segment->facts.number; });
  if (found == segments_.end() || (*found)->facts.number != number) return nullptr;
  return *found;
}

Result<Bytes> FileJournal::read_one(Position position) {
  const SegmentPointer segment = find_segment(segment_of(position));
  if (segment == nullptr || position >= end()) {
    return fail(ErrorCode::record_gone, segment_place(segment_of(position), offset_of(position)));
  }
  return read_record(*segment->file, segment->facts, offset_of(position));
}

}  // namespace eilpost::store
