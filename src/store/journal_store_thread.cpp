// What the Store does on its storage thread: commits, and keeps the journal in order.

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/probe.h"
#include "model/limits.h"
#include "store/frame_writer.h"
#include "store/journal_store.h"
#include "store/records.h"
#include "store/segment.h"

namespace eilpost::store {
namespace {

constexpr std::uint64_t kCheckpointEveryBytes = 256ULL * 1024 * 1024;
constexpr std::uint64_t kSegmentsSpared = 4;  // a log so short is never made shorter
constexpr Duration kDiskRetry = std::chrono::seconds(1);

std::string_view text_of_outcome(AppendOutcome outcome) {
  switch (outcome) {
    case AppendOutcome::durable:
      return "the journal is well";
    case AppendOutcome::full:
      return "the disk is full";
    case AppendOutcome::fenced:
      return "another process took the journal over";
    case AppendOutcome::unknown:
      return "it is not known whether the journal took a record";
    case AppendOutcome::failed:
      return "the journal could not be written";
  }
  assert_failed("unknown AppendOutcome");
}

}  // namespace

void JournalStore::drain() {
  bool is_more = true;
  while (is_more && !is_abandoned_) {
    std::optional<std::vector<Letter>> letters = mailbox_->take();
    is_more = letters.has_value();
    commit(std::move(letters).value_or(std::vector<Letter>()));
    if (!is_abandoned_) keep_house();
  }
}

void JournalStore::commit(std::vector<Letter> letters) {
  // What was deferred comes first; but it is not tried again for every letter that comes.
  if (!deferred_.empty() && env_.clock().now() + kDiskRetry / 2 >= deferred_retry_at_) {
    std::vector<Letter> all = std::exchange(deferred_, {});
    std::ranges::move(letters, std::back_inserter(all));
    letters = std::move(all);
  }
  const std::size_t frame_bytes_max = std::min(limits::kFrameBytesMax, journal_.append_bytes_max());
  std::size_t begin = 0;
  while (begin < letters.size() && !is_abandoned_) {
    if (auto* chore = std::get_if<Chore>(&letters[begin])) {
      chore->run();
      ++begin;
      continue;
    }
    if (must_wait(letters[begin])) {
      deferred_.push_back(std::move(letters[begin]));
      ++begin;
      continue;
    }
    std::size_t bytes = frame_bytes_of(letters[begin]);
    std::size_t end = begin + 1;
    for (; end < letters.size(); ++end) {
      if (std::holds_alternative<Chore>(letters[end]) || must_wait(letters[end])) break;
      bytes += frame_bytes_of(letters[end]);
      if (bytes > frame_bytes_max) break;
    }
    write(std::span(letters).subspan(begin, end - begin));
    begin = end;
  }
  note_deferred();
}

// Nothing overtakes what was recorded before.
bool JournalStore::must_wait(const Letter& letter) const {
  const bool is_kept_in_order = std::holds_alternative<Note>(letter) ||
                                std::holds_alternative<Notes>(letter) ||
                                std::holds_alternative<Flush>(letter);
  return is_kept_in_order && !deferred_.empty();
}

void JournalStore::note_deferred() {
  std::uint64_t bytes = 0;
  for (const Letter& letter : deferred_) bytes += frame_bytes_of(letter);
  deferred_bytes_ = bytes;
}

// Writes one frame. On a full disk requests are refused, and the others may use the reserve.
void JournalStore::write(std::span<Letter> letters) {
  FrameWriter frame(repeats_, letters);
  frame.collect(journal_.end());
  AppendOutcome outcome = AppendOutcome::durable;
  if (frame.has_requests()) {
    outcome = append_or_make_space(frame.records());
    const bool was_written = !frame.records().empty();  // There may be nothing but repeats.
    if (was_written) is_full_ = outcome == AppendOutcome::full;
    if (outcome == AppendOutcome::full) {
      EILPOST_PROBE("store.event_refused_disk_full");
      frame.refuse_requests();
      frame.collect(journal_.end());
    }
  }
  if (!frame.has_requests()) outcome = append(frame.records(), Space::reserve);

  if (outcome == AppendOutcome::full) {
    EILPOST_PROBE("store.notes_deferred");
    for (Letter& letter : frame.give_back()) deferred_.push_back(std::move(letter));
    const Instant now = env_.clock().now();
    if (now < deferred_retry_at_) return;  // A timer is set already.
    deferred_retry_at_ = now + kDiskRetry;
    mailbox_->wake_after(kDiskRetry);
    return;
  }
  if (outcome != AppendOutcome::durable) {
    die(outcome);
    return;
  }
  apply(frame.records());
  frame.complete(positions_, cache_);
}

AppendOutcome JournalStore::append(std::span<const ByteView> records, Space space) {
  positions_.clear();
  if (records.empty()) return AppendOutcome::durable;
  append_begin_ = journal_.end();
  const AppendOutcome outcome = journal_.append(records, space, positions_);
  if (outcome == AppendOutcome::durable) {
    ++frames_count_;
    written_bytes_ += frame_bytes(records);
  }
  return outcome;
}

AppendOutcome JournalStore::append_or_make_space(std::span<const ByteView> records) {
  const AppendOutcome outcome = append(records, Space::common);
  const Instant now = env_.clock().now();
  if (outcome != AppendOutcome::full || now < space_retry_at_) return outcome;
  // Commits come faster than the helper makes space: wait for it.
  EILPOST_PROBE("store.commit_waits_for_space");
  if (!journal_.prepare_space()) {
    space_retry_at_ = now + kDiskRetry;
    return outcome;
  }
  return append(records, Space::common);
}

void JournalStore::apply(std::span<const ByteView> records) {
  if (records.empty()) return;
  {
    const std::scoped_lock lock(ledger_mutex_);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const bool is_good = decode_record(records[i], scratch_);
      EILPOST_ASSERT(is_good);
      ledger_->apply(scratch_, positions_[i], records[i].size() + Journal::kRecordOverheadBytes);
    }
    unsettled_count_ = ledger_->unsettled_count();
    // Under the lock: of what is not owed any more, the follower finds the end.
    tail_.add(append_begin_, journal_.end(), records, positions_);
  }
  const std::scoped_lock lock(wake_mutex_);
  if (wake_) wake_();
}

void JournalStore::die(AppendOutcome outcome) {
  EILPOST_PROBE("store.journal_failed");
  is_abandoned_ = true;
  env_.die(kExitJournalFailed, text_of_outcome(outcome));
}

// What gives space comes before what takes some.
void JournalStore::keep_house() {
  keep_short();
  keep_repeats();
  keep_space();
  keep_checkpoint();
  keep_trying();
  measure();
}

// One job at a time, and none soon after it failed.
bool JournalStore::may_help(Job job) const {
  const Instant retry_at = help_retry_at_[static_cast<std::size_t>(job)];
  return !is_helper_busy_ && env_.clock().now() >= retry_at;
}

void JournalStore::help(Job job, std::string_view failed,
                        std::move_only_function<Result<void>()> work) {
  is_helper_busy_ = true;
  helper_->run([this, job, failed, work = std::move(work)]() mutable {
    if (is_abandoned_) return;
    mailbox_->push(Chore{[this, job, failed, result = work()] {
      is_helper_busy_ = false;
      if (result) return;
      help_retry_at_[static_cast<std::size_t>(job)] = env_.clock().now() + kDiskRetry;
      if (result.error().code == ErrorCode::disk_full) return;  // usage() says it.
      parts_.on_damage(fmt::format("{}: {}", failed, result.error().detail));
    }});
  });
}

void JournalStore::keep_space() {
  if (!may_help(Job::space) || !journal_.wants_space()) return;
  help(Job::space, "No space was made ready", [this] {
    Result<void> done = journal_.prepare_space();
    const bool was_full = !done && done.error().code == ErrorCode::disk_full;
    mailbox_->push(Chore{[this, is_done = done.has_value(), was_full] {
      if (is_done) is_full_ = false;
      if (was_full && journal_.is_in_reserve()) is_full_ = true;
    }});
    return done;
  });
}

// On a full disk nothing may come any more that wakes this thread; and the follower may give way.
void JournalStore::keep_trying() {
  const Instant now = env_.clock().now();
  if (!is_full_ || now < full_retry_at_) return;
  full_retry_at_ = now + kDiskRetry;
  mailbox_->wake_after(kDiskRetry);
  const std::scoped_lock lock(wake_mutex_);
  if (wake_) wake_();
}

void JournalStore::measure() {
  disk_bytes_ = journal_.usage().disk_bytes + repeats_.file_bytes();
}

void JournalStore::keep_repeats() {
  if (!may_help(Job::spill)) return;
  // Ids that are not in a file yet keep the journal long, for up to an hour. Many small files would
  // make it slow to look for a repeat, so there must be something to win.
  std::uint64_t held_count = 0;
  if (const auto needed = repeats_.needed_from()) {
    held_count = segment_of(journal_.end()) - segment_of(*needed);
  }
  const bool is_full = is_full_ && held_count > 0;
  const bool is_urgent = is_full || (is_room_wanted_ && held_count >= kSegmentsSpared);
  auto work = repeats_.begin_spill(journal_.end(), env_.clock().wall_now(), is_urgent);
  if (!work) {
    if (!is_full_) merge_repeats();
    return;
  }
  help(Job::spill, "Ids of accepted events stay in memory",
       [this, is_full, work = std::move(*work)]() -> Result<void> {
         Repeats::Spilled spilled = work();
         const bool may_fit = is_full && !spilled && spilled.error().code == ErrorCode::disk_full;
         // The reserve is for what is owed.
         const std::size_t kept = unsettled_count_ > 0 ? 1 : 0;
         if (may_fit && journal_.give_back_space(kept)) spilled = work();
         Result<void> result;
         if (!spilled) result = std::unexpected(spilled.error());
         mailbox_->push(Chore{[this, spilled = std::move(spilled)]() mutable {
           repeats_.spilled(std::move(spilled), env_.clock().wall_now());
         }});
         return result;
       });
}

// Each event is looked for in every file.
void JournalStore::merge_repeats() {
  auto work = repeats_.begin_merge();
  if (!work) return;
  help(Job::spill, "Files of ids of accepted events stay small",
       [this, work = std::move(*work)]() -> Result<void> {
         Repeats::Spilled merged = work();
         Result<void> result;
         if (!merged) result = std::unexpected(merged.error());
         mailbox_->push(Chore{
             [this, merged = std::move(merged)]() mutable { repeats_.merged(std::move(merged)); }});
         return result;
       });
}

void JournalStore::keep_checkpoint() {
  const std::uint64_t every_bytes =
      std::min(kCheckpointEveryBytes, kSegmentsSpared * options_.segment_bytes);
  if (!may_help(Job::checkpoint) || written_bytes_ - checkpoint_at_bytes_ < every_bytes) return;
  EILPOST_PROBE("store.checkpoint_saved");
  checkpoint_at_bytes_ = written_bytes_;
  std::unique_lock lock(ledger_mutex_);
  Ledger::Snapshot snapshot = ledger_->snapshot();
  lock.unlock();
  help(Job::checkpoint, "No checkpoint was saved",
       [this, snapshot = std::move(snapshot), covers = journal_.end()] {
         return journal_.save_checkpoint(snapshot.encode(), covers);
       });
}

std::uint64_t JournalStore::followed_segment() const {
  return std::min(segment_of(journal_.end()), segment_of({.value = followed_until_}));
}

// Trims what nobody needs; if something owed is in the way of much that nobody needs, carries it.
void JournalStore::keep_short() {
  std::uint64_t bound = followed_segment();
  if (const auto needed = repeats_.needed_from()) bound = std::min(bound, segment_of(*needed));
  const std::optional<std::uint64_t> owed = ledger_->oldest_segment();
  const std::uint64_t trim_to = owed ? std::min(bound, *owed) : bound;
  if (trim_to > segment_of(journal_.begin())) {  // Before more is carried.
    if (!may_help(Job::trim)) return;
    help(Job::trim, "The journal was not trimmed",
         [this, trim_to] { return journal_.trim(to_position(trim_to, 0)); });
    return;
  }
  if (owed && *owed < bound && !carrier_.is_through(*owed) && is_long()) carry(*owed);
}

bool JournalStore::is_long() const {
  const std::uint64_t spared_bytes = kSegmentsSpared * options_.segment_bytes;
  return journal_.usage().bytes > 2 * ledger_->live_bytes() + spared_bytes;
}

// One step; the next is another job, so that commits come between.
void JournalStore::carry(std::uint64_t segment) {
  const std::vector<Bytes> carried = carrier_.next(*ledger_, journal_, segment);
  if (!carried.empty()) {
    EILPOST_PROBE("store.copied_forward");
    const std::vector<ByteView> records(carried.begin(), carried.end());
    // On a full disk the reserve is lent: the segment that is trimmed then makes it up again.
    const AppendOutcome outcome = append(records, is_full_ ? Space::reserve : Space::common);
    if (outcome == AppendOutcome::full) {
      carrier_.start_over();
      return;
    }
    if (outcome != AppendOutcome::durable) {
      die(outcome);
      return;
    }
    apply(records);
  }
  mailbox_->wake();
}

}  // namespace eilpost::store
