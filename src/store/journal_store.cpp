#include "store/journal_store.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/assert.h"
#include "base/hash.h"
#include "base/probe.h"
#include "model/limits.h"
#include "store/file_journal.h"
#include "store/frame_writer.h"
#include "store/records.h"

namespace eilpost::store {
namespace {

constexpr std::size_t kCacheBytes = 16UL * 1024 * 1024;

Request encode_request(std::span<const Accept> batch, const Repeats& repeats) {
  constexpr std::size_t kEventBytesGuess = 160;
  constexpr std::size_t kOwedBytesGuess = 20;
  Request request;
  std::size_t bytes_guess = 0;
  for (const Accept& accept : batch) {
    bytes_guess +=
        accept.event->document.size() + kEventBytesGuess + accept.owed.size() * kOwedBytesGuess;
  }
  request.bytes.reserve(bytes_guess);
  request.parts.reserve(batch.size());
  for (const Accept& accept : batch) {
    const std::size_t begin = request.bytes.size();
    encode_accepted(accept, request.bytes);
    Request::Part part;
    part.record_bytes = request.bytes.size() - begin;
    const Event& event = *accept.event;
    if (!accept.replay_of) {
      part.fingerprint = repeats.fingerprint(event.source, event.id, event.user);
    }
    if (!accept.owed.empty()) part.event = accept.event;
    request.parts.push_back(std::move(part));
  }
  return request;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(env::Env& env, const Options& options,
                                           std::function<void(std::string_view)> on_damage) {
  JournalStore::Parts parts;
  parts.on_damage = std::move(on_damage);
  EILPOST_ASSIGN_OR_RETURN(parts.directory, env.directory().subdirectory("journal"));
  EILPOST_ASSIGN_OR_RETURN(
      parts.journal, FileJournal::open(*parts.directory, env.entropy(),
                                       {.segment_bytes = options.segment_bytes}, parts.on_damage));
  EILPOST_ASSIGN_OR_RETURN(parts.repeats, Repeats::open(*parts.directory, env.entropy(),
                                                        {.ids_max = options.repeat_ids_max,
                                                         .window = options.repeat_window},
                                                        parts.on_damage));
  return JournalStore::open(env, options, std::move(parts));
}

JournalStore::JournalStore(env::Env& env, const Options& options, Parts parts)
    : env_(env),
      options_(options),
      parts_(std::move(parts)),
      journal_(*parts_.journal),
      repeats_(*parts_.repeats),
      cache_(kCacheBytes),
      tail_(options.tail_bytes_max) {}

Result<std::unique_ptr<JournalStore>> JournalStore::open(env::Env& env, const Options& options,
                                                         Parts parts) {
  std::unique_ptr<JournalStore> store(new JournalStore(env, options, std::move(parts)));
  EILPOST_RETURN_IF_ERROR(store->replay());
  store->start();
  return store;
}

Position JournalStore::load_ledger() {
  const std::optional<Checkpoint> checkpoint = journal_.take_checkpoint();
  // What was trimmed since may have settled what the checkpoint says is owed.
  if (checkpoint && checkpoint->covers >= journal_.begin()) {
    ledger_ = Ledger::decode(checkpoint->bytes);
    if (ledger_ != nullptr) {
      EILPOST_PROBE("store.opened_with_checkpoint");
      return checkpoint->covers;
    }
    parts_.on_damage("The checkpoint cannot be read; the whole journal is read instead.");
  }
  ledger_ = std::make_unique<Ledger>();
  return {};
}

Result<void> JournalStore::replay() {
  const Position ledger_until = load_ledger();
  const Position from = std::min(ledger_until, repeats_.rebuild_from());
  const WallTime now = env_.clock().wall_now();
  EILPOST_RETURN_IF_ERROR(journal_.recover(from, [&](Position position, ByteView bytes) {
    take_in(position, bytes, ledger_until, now);
  }));
  unsettled_count_ = ledger_->unsettled_count();
  opened_with_ = ledger_->snapshot();
  measure();
  return {};
}

void JournalStore::take_in(Position position, ByteView bytes, Position ledger_until, WallTime now) {
  if (!decode_record(bytes, scratch_)) {
    parts_.on_damage(fmt::format("The record at {} cannot be understood.",
                                 segment_place(segment_of(position), offset_of(position))));
    return;
  }
  const bool may_be_repeated = scratch_.kind == RecordKind::accepted && !scratch_.event.replay_of &&
                               position >= repeats_.rebuild_from();
  if (may_be_repeated && repeats_.is_recent(scratch_.event.event.received_at, now)) {
    const EventView& event = scratch_.event.event;
    repeats_.remember(repeats_.fingerprint(event.source, event.id, event.user), position);
  }
  if (position >= ledger_until) {
    ledger_->apply(scratch_, position, bytes.size() + Journal::kRecordOverheadBytes);
  }
}

void JournalStore::start() {
  reader_ = env_.start_worker("journal-read");
  helper_ = env_.start_worker("journal-help");
  storage_ = env_.start_worker("journal");
  mailbox_ = std::make_shared<Mailbox>(env_, *storage_, [this] { drain(); });
  mailbox_->wake();
}

JournalStore::~JournalStore() {
  is_abandoned_ = true;
  if (mailbox_ != nullptr) (void)mailbox_->close();
  storage_.reset();
  helper_.reset();
  reader_.reset();
}

void JournalStore::close() {
  std::vector<Letter> rest = mailbox_->close();
  storage_.reset();
  helper_.reset();
  reader_.reset();
  if (is_abandoned_) return;
  // No other thread is left.
  deferred_retry_at_ = {};
  commit(std::move(rest));
  if (!is_abandoned_) save_checkpoint();
  is_abandoned_ = true;
}

void JournalStore::save_checkpoint() {
  const Result<void> saved = journal_.save_checkpoint(ledger_->snapshot().encode(), journal_.end());
  if (!saved) parts_.on_damage(fmt::format("No checkpoint was saved: {}", saved.error().detail));
}

void JournalStore::take_unsettled(const std::function<void(const Unsettled&)>& each) {
  std::optional<Ledger::Snapshot> snapshot;
  {
    const std::scoped_lock lock(ledger_mutex_);
    snapshot = std::exchange(opened_with_, std::nullopt);
  }
  if (!snapshot) return;
  // The calendar may have been ahead then, or be behind now: nothing waits longer than was decided.
  const WallTime now = env_.clock().wall_now();
  snapshot->for_each([&each, now](Unsettled one) {
    one.next_attempt_at = std::min(one.next_attempt_at, now + one.wait);
    each(one);
  });
}

void JournalStore::accept(std::span<const Accept> batch, env::Loop& loop,
                          std::move_only_function<void(Accepted)> done) {
  Request request = encode_request(batch, repeats_);
  request.loop = &loop;
  request.done = std::move(done);
  Letter letter = std::move(request);
  if (frame_bytes_of(letter) > journal_.append_bytes_max()) {
    loop.post([done = std::move(std::get<Request>(letter).done)]() mutable {
      done({.status = AcceptStatus::too_large, .sequences = {}});
    });
    return;
  }
  mailbox_->gather(std::move(letter), loop);
}

void JournalStore::record(Attempt attempt) {
  constexpr std::size_t kBytesGuess = 96;
  Note note;
  note.record.reserve(kBytesGuess + attempt.outcome.detail.size() + attempt.outcome.answer.size());
  encode_attempt(attempt, note.record);
  mailbox_->put_by(std::move(note), options_.lazy_delay);
}

void JournalStore::record(Settled settled) {
  Note note;
  encode_settled(settled, note.record);
  mailbox_->put_by(std::move(note), options_.lazy_delay);
}

void JournalStore::record(Batched batch) {
  Note note;
  encode_batch(batch, note.record);
  mailbox_->put_by(std::move(note), options_.lazy_delay);
}

void JournalStore::record(std::span<const Attempt> attempts) {
  Notes notes;
  for (const Attempt& attempt : attempts) {
    const std::size_t begin = notes.bytes.size();
    encode_attempt(attempt, notes.bytes);
    const std::size_t record_bytes = notes.bytes.size() - begin;
    const std::size_t frame_bytes =
        notes.bytes.size() + (notes.record_bytes.size() + 1) * Journal::kRecordOverheadBytes;
    if (frame_bytes > journal_.append_bytes_max() && !notes.record_bytes.empty()) {
      const ByteView last = ByteView(notes.bytes).subspan(begin);
      Notes next{.bytes = Bytes(last.begin(), last.end()), .record_bytes = {}};
      notes.bytes.resize(begin);
      mailbox_->put_by(std::exchange(notes, std::move(next)), options_.lazy_delay);
    }
    notes.record_bytes.push_back(record_bytes);
  }
  if (!notes.record_bytes.empty()) mailbox_->put_by(std::move(notes), options_.lazy_delay);
}

void JournalStore::flush(env::Loop& loop, std::move_only_function<void()> done) {
  mailbox_->push(Flush{.loop = &loop, .done = std::move(done)});
}

bool JournalStore::owes_between(Position from, Position until) {
  bool is_owed = false;
  const std::scoped_lock lock(ledger_mutex_);
  ledger_->for_each_from({.sequence = from}, [&](const Unsettled& oldest) {
    is_owed = oldest.delivery.sequence < until;
    return false;
  });
  return is_owed;
}

std::vector<DeliveryId> JournalStore::settled_of(std::vector<DeliveryId> deliveries) {
  const std::scoped_lock lock(ledger_mutex_);
  std::erase_if(deliveries, [this](DeliveryId id) { return ledger_->find(id).has_value(); });
  return deliveries;
}

void JournalStore::read_event(
    DeliveryId delivery, env::Loop& loop,
    std::move_only_function<void(Result<std::shared_ptr<const Event>>)> done) {
  if (auto event = cache_.find(delivery.sequence)) {
    loop.post(
        [event = std::move(event), done = std::move(done)]() mutable { done(std::move(event)); });
    return;
  }
  reader_->run([this, delivery, &loop, done = std::move(done)]() mutable {
    if (is_abandoned_) return;
    Result<std::shared_ptr<const Event>> event = load_event(delivery);
    if (!event && event.error().code == ErrorCode::journal_corrupt) {
      parts_.on_damage(fmt::format("Damage: the event of delivery {} cannot be read back: {}.",
                                   to_string(delivery), event.error().detail));
    }
    loop.post(
        [event = std::move(event), done = std::move(done)]() mutable { done(std::move(event)); });
  });
}

Result<std::shared_ptr<const Event>> JournalStore::load_event(DeliveryId delivery) {
  constexpr int kTries = 4;  // the record may be carried elsewhere between the two looks
  for (int i = 0;; ++i) {
    std::optional<Unsettled> found;
    {
      const std::scoped_lock lock(ledger_mutex_);
      found = ledger_->find(delivery);
    }
    if (!found) return fail(ErrorCode::record_gone, to_string(delivery));
    const Result<Bytes> bytes = journal_.read_one(found->location);
    const bool is_moved = !bytes && bytes.error().code != ErrorCode::disk_failed && i < kTries;
    if (is_moved) continue;
    if (!bytes) return std::unexpected(bytes.error());
    Record record;
    const bool is_event = decode_record(*bytes, record) && (record.kind == RecordKind::accepted ||
                                                            record.kind == RecordKind::carried);
    if (!is_event) return fail(ErrorCode::journal_corrupt, to_string(delivery));
    return std::make_shared<const Event>(to_event(record.event.event));
  }
}

Result<Followed> JournalStore::follow(Position from, std::size_t bytes_max) {
  if (std::optional<Followed> newest = tail_.take(from, bytes_max)) return std::move(*newest);
  EILPOST_PROBE("store.followed_from_disk");
  auto bytes = std::make_shared<Bytes>();
  std::vector<std::pair<Position, std::size_t>> sizes;
  Record scratch;
  Followed followed;
  EILPOST_ASSIGN_OR_RETURN(
      followed.next, journal_.read_from(from, bytes_max, [&](Position position, ByteView record) {
        if (!is_followed(record) || !decode_record(record, scratch)) return;
        bytes->insert(bytes->end(), record.begin(), record.end());
        sizes.emplace_back(position, record.size());
      }));
  followed.records.reserve(sizes.size());
  std::size_t offset = 0;
  for (const auto& [position, size] : sizes) {
    followed.records.push_back(
        {.position = position, .bytes = ByteView(*bytes).subspan(offset, size)});
    offset += size;
  }
  followed.frames.push_back(std::move(bytes));
  return followed;
}

void JournalStore::on_more(std::function<void()> wake) {
  const std::scoped_lock lock(wake_mutex_);
  wake_ = std::move(wake);
}

void JournalStore::followed_until(Position position) {
  followed_until_ = position.value;
}

void JournalStore::want_room(bool is_wanted) {
  if (is_room_wanted_.exchange(is_wanted) != is_wanted || is_wanted) mailbox_->wake();
}

Usage JournalStore::usage() {
  const JournalUsage journal = journal_.usage();
  return {.journal_bytes = journal.bytes,
          .disk_bytes = disk_bytes_,
          .segments_count = journal.segments_count,
          .unsettled_count = unsettled_count_,
          .frames_count = frames_count_,
          .written_bytes = written_bytes_,
          .is_full = is_full_};
}

}  // namespace eilpost::store
