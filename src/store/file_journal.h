#pragma once
// The journal in files of one folder. Format: docs/JOURNAL.md.
//
// Ownership: holds the folder's lock; the Directory must outlive it.
// Limits:    kFrameBytesHardMax an append; a segment at most kSegmentBytesMax.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "env/directory.h"
#include "env/entropy.h"
#include "store/journal.h"
#include "store/segment.h"

namespace eilpost::store {

// Of the segments that are ready beyond the one in use, so many are kept for a full disk.
inline constexpr std::size_t kReserveSegments = 2;

// Is told of damage and of a torn tail, in a sentence with the place.
using DamageSink = std::function<void(std::string_view)>;

class FileJournal final : public Journal {
 public:
  struct Options {
    std::uint64_t segment_bytes = kSegmentBytesMax;
  };

  // Reads the list of segments and the checkpoint, or begins a new journal.
  // Errors: already_locked, disk_full, disk_failed.
  [[nodiscard]] static Result<std::unique_ptr<FileJournal>> open(env::Directory& directory,
                                                                 env::Entropy& entropy,
                                                                 const Options& options,
                                                                 DamageSink on_damage);

  [[nodiscard]] std::optional<Checkpoint> take_checkpoint() override;
  [[nodiscard]] Result<void> recover(Position from, const RecordSink& each) override;
  [[nodiscard]] Position begin() const override;
  [[nodiscard]] Position end() const override;
  [[nodiscard]] AppendOutcome append(std::span<const ByteView> records, Space space,
                                     std::vector<Position>& positions) override;
  [[nodiscard]] std::size_t append_bytes_max() const override;
  [[nodiscard]] Result<Position> read_from(Position from, std::size_t bytes_max,
                                           const RecordSink& each) override;
  [[nodiscard]] Result<Bytes> read_one(Position position) override;
  [[nodiscard]] Result<void> trim(Position before) override;
  [[nodiscard]] Result<void> save_checkpoint(ByteView bytes, Position covers) override;
  [[nodiscard]] Result<void> prepare_space() override;
  [[nodiscard]] bool wants_space() const override;
  [[nodiscard]] Result<void> give_back_space(std::size_t kept) override;
  [[nodiscard]] bool is_in_reserve() const override;
  [[nodiscard]] JournalUsage usage() const override;
  [[nodiscard]] std::optional<Instant> owned_until() const override { return std::nullopt; }

  FileJournal(env::Directory& directory, env::Entropy& entropy, const Options& options,
              DamageSink on_damage);

 private:
  struct Segment {
    SegmentFacts facts;
    std::unique_ptr<env::File> file;
  };
  using SegmentPointer = std::shared_ptr<Segment>;  // readers hold on to what they read
  using Segments = std::vector<SegmentPointer>;     // oldest first
  class Recovery;

  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<std::vector<SegmentFacts>> list_segments(
      const std::vector<std::string>& names);
  [[nodiscard]] Result<std::vector<SegmentFacts>> list_by_headers(
      const std::vector<std::string>& names);
  [[nodiscard]] Result<void> open_segments(const std::vector<SegmentFacts>& listed,
                                           const std::vector<std::string>& names);
  [[nodiscard]] Result<void> set_strays_aside(const std::vector<std::string>& names);
  // With the housekeeping lock held.
  [[nodiscard]] Result<void> add_segments();
  // All but the newest; how many were removed.
  std::size_t remove_checkpoints(std::size_t kept);
  [[nodiscard]] Result<void> load_checkpoints(const std::vector<std::string>& names);
  [[nodiscard]] Result<std::vector<SegmentFacts>> begin_new();
  [[nodiscard]] Result<void> choose_current(Position end, bool is_mark_wanted);
  [[nodiscard]] Result<void> rewrite_last_frame();
  [[nodiscard]] Result<void> write_mark();
  [[nodiscard]] Result<void> wipe(env::File& file, std::uint64_t offset);

  enum class Filled : std::uint8_t { no, yes };
  [[nodiscard]] Result<SegmentPointer> make_segment(const SegmentFacts& facts, Filled filled);
  [[nodiscard]] Result<SegmentPointer> make_file(const SegmentFacts& facts, Filled filled);
  [[nodiscard]] Result<void> check_room();
  [[nodiscard]] Result<void> fill(env::File& file);
  [[nodiscard]] Result<void> save_manifest(const Segments& segments);
  [[nodiscard]] Result<void> give_up(Segments victims);
  [[nodiscard]] Result<void> give_up_unlisted(const Segments& victims);
  [[nodiscard]] Result<void> empty_files(const std::vector<std::string>& names);
  [[nodiscard]] AppendOutcome write_frame(std::span<const ByteView> records,
                                          std::vector<Position>& positions);
  [[nodiscard]] AppendOutcome take_back();
  [[nodiscard]] bool roll(Space space);
  [[nodiscard]] SegmentFacts new_facts(std::uint64_t number);
  [[nodiscard]] Segments segments() const;
  [[nodiscard]] SegmentPointer find_segment(std::uint64_t number) const;
  [[nodiscard]] std::size_t ahead_count() const;
  void report(std::string_view what) const { on_damage_(what); }

  env::Directory& directory_;
  env::Entropy& entropy_;
  const Options options_;
  const DamageSink on_damage_;
  std::optional<Checkpoint> checkpoint_;
  Position known_durable_;  // everything before was durable: a checkpoint covers it

  // The owner's.
  SegmentPointer current_;
  std::uint64_t offset_ = kSegmentHeaderBytes;  // of the next frame in `current_`
  Position last_frame_;
  FrameBuilder builder_;
  bool is_in_reserve_ =
      false;  // `current_` was taken from the reserve, which was not made up since
  bool is_dead_ = false;

  std::atomic<std::uint64_t> end_{0};
  std::mutex housekeeping_;          // held while files are made or given up
  std::vector<std::string> spares_;  // guarded by housekeeping_
  // Spares of segments that the saved list still names: they show that these were given up, so they
  // are not used before a newer list is saved. Guarded by housekeeping_.
  std::vector<std::string> given_up_;
  std::atomic<std::uint64_t> spares_count_{0};
  std::atomic<std::uint64_t> checkpoint_bytes_{0};  // of the newest
  mutable std::mutex mutex_;
  Segments segments_;  // guarded by mutex_
};

}  // namespace eilpost::store
