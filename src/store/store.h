#pragma once
// What makes events and deliveries durable: one journal, one storage thread, group commit.
//
// A request's events are appended as one unit: taken whole or not at all. Repeats (same source, id
// and end user within the window of limits) are recognised in the order of the journal, so two
// requests at once cannot both be first. What happened to deliveries is recorded lazily: durable
// with the next frame, or after 20 ms.
//
// Format:    docs/JOURNAL.md.
// Ownership: the Env and its directory must outlive the Store.
// Threads:   every function may be called from any thread; callbacks run on the Loop given.
// Errors:    a failed write or sync that leaves the journal in doubt ends the process (Env::die,
//            exit code kExitJournalFailed). A full disk does not: accept() answers `full`, and
//            works again when there is space.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "env/env.h"
#include "model/delivery.h"
#include "model/event.h"
#include "model/ids.h"
#include "model/limits.h"

namespace eilpost::store {

inline constexpr int kExitJournalFailed = 74;  // EX_IOERR

struct Options {
  std::uint64_t segment_bytes = limits::kSegmentBytes;
  std::size_t repeat_ids_max = limits::kRepeatIdsMax;
  std::size_t tail_bytes_max = limits::kTailBytesMax;  // of records in memory, for who follows
  Duration repeat_window = limits::kRepeatWindow;
  Duration lazy_delay = limits::kLazyAppendDelay;
};

// A new delivery that sends an earlier one again. The webhook-id to send is Event::webhook_id,
// which is stored and read back with the event.
struct ReplayOf {
  DeliveryId original;  // of a backfill: the event's sequence and kWholeEvent
};
// An ordinal that no delivery has: the event itself.
inline constexpr std::uint16_t kWholeEvent = UINT16_MAX;

// An event and everything it owes.
struct Accept {
  std::shared_ptr<const Event> event;  // the caller may keep it too: nobody changes it
  std::vector<Owed> owed;              // at most 65,535
  std::optional<ReplayOf> replay_of;   // then it is never a repeat
};

enum class AcceptStatus : std::uint8_t {
  durable,
  full,       // no space now
  too_large,  // more than the journal takes at once, ever
};

struct Accepted {
  AcceptStatus status = AcceptStatus::durable;
  // One for each Accept of the batch, in order: its accept sequence, or nothing if it is a repeat.
  std::vector<std::optional<Position>> sequences;
};

// A delivery that ended without an attempt.
struct Settled {
  DeliveryId delivery;
  FailReason reason = FailReason::none;
  WallTime at;
};

// From now on these deliveries are sent together, as one request, until one of them is settled or
// sent with others.
struct Batched {
  std::vector<DeliveryId> members;  // at most limits::kBatchEventsMax; one: it goes alone again
};

// The batch that a delivery was last put into.
struct BatchRef {
  Position formed_at;               // of the record that says so: names the batch
  std::uint32_t members_count = 0;  // 0: none

  [[nodiscard]] bool is_there() const { return members_count > 0; }
  friend bool operator==(const BatchRef&, const BatchRef&) = default;
};

// Of a delivery's attempts that use up no try so many are known after a restart.
inline constexpr std::uint16_t kSplitsMax = 1023;

// Tells users apart, but for rare collisions; 0: nobody.
[[nodiscard]] std::uint32_t user_hash(std::string_view user);

// A delivery that is owed, as the journal knows it.
struct Unsettled {
  DeliveryId delivery;
  Position location;  // of the record that holds its event; moves when the journal is trimmed
  Owed owed;
  std::uint32_t user_hash = 0;  // of user_hash()
  std::uint16_t attempts_count = 0;
  std::uint16_t splits_count = 0;  // attempts of these that use up no try; at most kSplitsMax
  WallTime accepted_at;
  WallTime next_attempt_at;                      // in the past: at once
  std::chrono::milliseconds wait{};              // that was decided, until then
  DeliveryState state = DeliveryState::pending;  // pending or retrying
  BatchRef batch;
};

// What a record of the journal says, for those who follow it.
struct AcceptedEntry {
  Position sequence;
  Event event;
  std::vector<Owed> owed;
  std::optional<ReplayOf> replay_of;
};
using Entry = std::variant<AcceptedEntry, Attempt, Settled>;

// A durable record, which records.h can read.
struct FollowedRecord {
  Position position;
  ByteView bytes;
};

struct Followed {
  std::vector<FollowedRecord> records;
  Position next;                                     // where to go on
  std::vector<std::shared_ptr<const Bytes>> frames;  // what the records point into
};

struct Usage {
  std::uint64_t journal_bytes = 0;  // on disk, recycled segments left out
  std::uint64_t disk_bytes = 0;     // of all files of the store, about
  std::uint64_t segments_count = 0;
  std::uint64_t unsettled_count = 0;
  std::uint64_t frames_count = 0;   // since the start
  std::uint64_t written_bytes = 0;  // since the start
  bool is_full = false;             // the disk: accept() answers `full`
};

class Store {
 public:
  // Opens (or makes) the store in the Env's directory, subfolder "journal": replays what is there,
  // reports damage to `on_damage` (a sentence with the place). Blocks.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(
      env::Env& env, const Options& options, std::function<void(std::string_view)> on_damage);

  virtual ~Store() = default;  // After close(), or as a crash would.

  // Hands over every delivery that was owed when the store was opened, in accept order. Once.
  virtual void take_unsettled(const std::function<void(const Unsettled&)>& each) = 0;

  // Makes a request's events durable, with all others that `loop` asks for in the same turn. `done`
  // runs on `loop`, and may own what `batch` shows.
  virtual void accept(std::span<const Accept> batch, env::Loop& loop,
                      std::move_only_function<void(Accepted)> done) = 0;

  // Records what happened, lazily. The order of calls of one thread is kept.
  virtual void record(Attempt attempt) = 0;
  virtual void record(Settled settled) = 0;
  virtual void record(Batched batch) = 0;
  // Of one batch: after a crash all of them are there, or none, if they fit into a frame (16 MiB).
  virtual void record(std::span<const Attempt> attempts) = 0;

  // Makes everything recorded so far durable, then calls `done`.
  virtual void flush(env::Loop& loop, std::move_only_function<void()> done) = 0;

  // Whether a delivery of an event accepted from `from` on, before `until`, is not settled.
  [[nodiscard]] virtual bool owes_between(Position from, Position until) = 0;

  // Those of `deliveries` that are not owed: they are settled, or not known. In their order.
  [[nodiscard]] virtual std::vector<DeliveryId> settled_of(std::vector<DeliveryId> deliveries) = 0;

  // The event of an unsettled delivery, verified; from a cache when it is fresh. Errors:
  // record_gone once every delivery of the record is settled, journal_corrupt.
  virtual void read_event(
      DeliveryId delivery, env::Loop& loop,
      std::move_only_function<void(Result<std::shared_ptr<const Event>>)> done) = 0;

  // The durable records from `from` on, about `bytes_max` of them, each of which is good; blocks on
  // the disk unless the follower keeps up, so call it on a Worker. Position{} starts at the oldest.
  // Errors: journal_corrupt never (damage is skipped).
  [[nodiscard]] virtual Result<Followed> follow(Position from, std::size_t bytes_max) = 0;
  // Calls `wake` on the storage thread when there is more to follow. One follower.
  virtual void on_more(std::function<void()> wake) = 0;
  // The follower has what lies before `position` in durable form: it may be trimmed.
  virtual void followed_until(Position position) = 0;

  [[nodiscard]] virtual Usage usage() = 0;
  // Of usage(), cheap: one atomic load each.
  [[nodiscard]] virtual std::uint64_t unsettled_count() const = 0;
  [[nodiscard]] virtual std::uint64_t disk_bytes() const = 0;
  [[nodiscard]] virtual bool is_full() const = 0;
  // What was recorded waits in memory for space on the disk, and as much as may
  // (kDeferredBytesMax): no attempt should be begun now.
  [[nodiscard]] virtual bool is_behind() const = 0;

  // While it is wanted the journal is kept as short as can be, though that costs more.
  virtual void want_room(bool is_wanted) = 0;

  // Commits everything, saves a checkpoint, ends the storage thread. Nothing may be called after.
  virtual void close() = 0;
};

}  // namespace eilpost::store
