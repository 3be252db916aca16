#pragma once
// The Store over any Journal.
//
// Three Workers: the storage thread writes frames and alone changes the ledger and the repeats; a
// helper makes space, checkpoints and files of repeats; a reader reads events back.

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "env/env.h"
#include "model/limits.h"
#include "store/carrier.h"
#include "store/event_cache.h"
#include "store/journal.h"
#include "store/ledger.h"
#include "store/mailbox.h"
#include "store/repeats.h"
#include "store/store.h"
#include "store/tail.h"

namespace eilpost::store {

class JournalStore final : public Store {
 public:
  // What a Store is made of, and owns.
  struct Parts {
    std::unique_ptr<env::Directory> directory;  // of the journal and the repeats
    std::unique_ptr<Journal> journal;
    std::unique_ptr<Repeats> repeats;
    std::function<void(std::string_view)> on_damage;
  };

  // Reads the journal. Errors: disk_failed, disk_full.
  [[nodiscard]] static Result<std::unique_ptr<JournalStore>> open(env::Env& env,
                                                                  const Options& options,
                                                                  Parts parts);
  ~JournalStore() override;
  JournalStore(const JournalStore&) = delete;
  JournalStore& operator=(const JournalStore&) = delete;

  void take_unsettled(const std::function<void(const Unsettled&)>& each) override;
  void accept(std::span<const Accept> batch, env::Loop& loop,
              std::move_only_function<void(Accepted)> done) override;
  void record(Attempt attempt) override;
  void record(Settled settled) override;
  void record(Batched batch) override;
  void record(std::span<const Attempt> attempts) override;
  [[nodiscard]] bool owes_between(Position from, Position until) override;
  [[nodiscard]] std::vector<DeliveryId> settled_of(std::vector<DeliveryId> deliveries) override;
  void flush(env::Loop& loop, std::move_only_function<void()> done) override;
  void read_event(
      DeliveryId delivery, env::Loop& loop,
      std::move_only_function<void(Result<std::shared_ptr<const Event>>)> done) override;
  [[nodiscard]] Result<Followed> follow(Position from, std::size_t bytes_max) override;
  void on_more(std::function<void()> wake) override;
  void followed_until(Position position) override;
  [[nodiscard]] Usage usage() override;
  [[nodiscard]] std::uint64_t unsettled_count() const override { return unsettled_count_; }
  [[nodiscard]] std::uint64_t disk_bytes() const override { return disk_bytes_; }
  [[nodiscard]] bool is_full() const override { return is_full_; }
  [[nodiscard]] bool is_behind() const override {
    return deferred_bytes_ >= limits::kDeferredBytesMax;
  }
  void want_room(bool is_wanted) override;
  void close() override;

 private:
  JournalStore(env::Env& env, const Options& options, Parts parts);
  [[nodiscard]] Result<void> replay();
  // What the ledger knows then was before the position given back.
  [[nodiscard]] Position load_ledger();
  void take_in(Position position, ByteView bytes, Position ledger_until, WallTime now);
  void start();

  // On the storage thread.
  void drain();
  void commit(std::vector<Letter> letters);
  [[nodiscard]] bool must_wait(const Letter& letter) const;
  void write(std::span<Letter> letters);
  // One append; gives the positions of the records in positions_.
  [[nodiscard]] AppendOutcome append(std::span<const ByteView> records, Space space);
  [[nodiscard]] AppendOutcome append_or_make_space(std::span<const ByteView> records);
  void apply(std::span<const ByteView> records);
  void die(AppendOutcome outcome);

  // What the helper does. Each is tried again for itself when it failed, so that on a full disk
  // making space does not keep what frees some from its turn.
  enum class Job : std::uint8_t { trim, spill, space, checkpoint };
  static constexpr std::size_t kJobs = 4;

  void keep_house();
  void keep_short();
  void keep_repeats();
  void merge_repeats();
  void keep_space();
  void keep_checkpoint();
  void keep_trying();
  void measure();
  // Of the segment before which nobody needs the journal but, perhaps, the repeats.
  [[nodiscard]] std::uint64_t followed_segment() const;
  void carry(std::uint64_t segment);
  [[nodiscard]] bool is_long() const;
  [[nodiscard]] bool may_help(Job job) const;
  // Runs `work` on the helper; `failed` is what a failure means, for people.
  void help(Job job, std::string_view failed, std::move_only_function<Result<void>()> work);
  void note_deferred();
  void save_checkpoint();

  [[nodiscard]] Result<std::shared_ptr<const Event>> load_event(DeliveryId delivery);

  env::Env& env_;
  const Options options_;
  Parts parts_;
  Journal& journal_;
  Repeats& repeats_;
  EventCache cache_;
  Tail tail_;
  std::mutex ledger_mutex_;  // the storage thread writes with it, and reads without
  std::unique_ptr<Ledger> ledger_;
  std::optional<Ledger::Snapshot> opened_with_;

  // The storage thread's.
  std::vector<Letter> deferred_;  // notes and flushes for which there was no space
  std::vector<Position> positions_;
  Position append_begin_;  // of the last append
  Record scratch_;
  Instant space_retry_at_{};     // not sooner: the disk was full
  Instant deferred_retry_at_{};  // a timer is set for then
  std::array<Instant, kJobs> help_retry_at_{};
  Instant full_retry_at_{};  // a timer is set for then
  bool is_helper_busy_ = false;
  std::uint64_t checkpoint_at_bytes_ = 0;  // written_bytes_ when the last one was begun
  Carrier carrier_;

  std::atomic<bool> is_abandoned_ = false;  // dead or destroyed: nothing is done any more
  std::atomic<bool> is_full_ = false;
  std::atomic<bool> is_room_wanted_ = false;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  std::atomic<std::uint64_t> deferred_bytes_ = 0;
  std::atomic<std::uint64_t> followed_until_ = 0;
  std::atomic<std::uint64_t> unsettled_count_ = 0;
  std::atomic<std::uint64_t> frames_count_ = 0;
  std::atomic<std::uint64_t> written_bytes_ = 0;
  std::mutex wake_mutex_;
  std::function<void()> wake_;

  std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<env::Worker> reader_;
  std::unique_ptr<env::Worker> helper_;
  std::unique_ptr<env::Worker> storage_;
};

}  // namespace eilpost::store
