#include "history/history.h"

#include <atomic>
#include <fmt/format.h>
#include <mutex>
#include <utility>

#include "base/probe.h"
#include "history/log_files.h"
#include "history/log_reader.h"
#include "history/mender.h"
#include "history/recent.h"
#include "history/writer.h"

namespace eilpost::history {
namespace {

constexpr std::size_t kBatchBytes = 4U << 20U;
constexpr std::uint64_t kCheckpointBytes = 64U << 20U;  // of documents, about
constexpr Duration kCheckpointAge = std::chrono::seconds(30);
constexpr Duration kBatchWait = std::chrono::milliseconds(100);
constexpr Duration kGiveWayEvery = std::chrono::seconds(2);
constexpr Duration kMeasureEvery = std::chrono::seconds(1);
// A newest file of less is not dropped to make room: the next one would take about as much.
constexpr std::uint64_t kWorthDroppingBytes = 256U << 10U;
constexpr Duration kRetentionInterval = std::chrono::minutes(10);
// A batch of less than this reached the journal's end, unless it ended with a segment: then the
// next one does.
constexpr std::uint64_t kSmallBatchBytes = 256U << 10U;
constexpr std::uint64_t kRecordBytes = 200;  // of a record beside its bytes

std::uint64_t bytes_of(const store::Followed& followed) {
  std::uint64_t bytes = 0;
  for (const store::FollowedRecord& record : followed.records) {
    bytes += kRecordBytes + record.bytes.size();
  }
  return bytes;
}

class FileHistory final : public History {
 public:
  FileHistory(env::Env& env, store::Store& store, const Options& options,
              std::function<void(std::string_view)> on_trouble,
              std::unique_ptr<env::Directory> directory)
      : env_(env),
        store_(store),
        options_(options),
        on_trouble_(std::move(on_trouble)),
        directory_(std::move(directory)),
        files_(env, *directory_, options, on_trouble_,
               [this](Position from, Position until) { return store_.owes_between(from, until); }),
        recent_(env, *directory_, on_trouble_),
        writer_(files_),
        mender_(files_, store),
        reader_(files_, recent_) {}
  FileHistory(const FileHistory&) = delete;
  FileHistory& operator=(const FileHistory&) = delete;
  ~FileHistory() override { end(); }

  [[nodiscard]] Result<void> open();

  void run_query(std::move_only_function<void(Reader&)> query) override;
  void add_test(TestRecord record) override;
  void add_item(ItemRow item) override;
  void on_written(std::function<void(const store::Followed&)> tell) override;
  void apply_retention() override;
  void make_room() override;
  [[nodiscard]] Usage usage() override;
  [[nodiscard]] std::uint64_t disk_bytes() const override { return disk_bytes_; }
  void close() override;

 private:
  // What the store's thread wakes; it may outlive the History.
  struct Bell {
    std::mutex mutex;
    FileHistory* owner = nullptr;
  };
  enum class Progress : std::uint8_t { failed, idle, small, large };

  void give(std::move_only_function<void()> job);
  void schedule_soon();
  void schedule();
  void end();
  [[nodiscard]] Progress write_some();
  [[nodiscard]] Result<Progress> write_batch();
  // False: it failed.
  bool write_until_end();
  void tell(Position from, const store::Followed& followed);
  void keep_house(Progress progress);
  void checkpoint();
  [[nodiscard]] bool free_some(std::uint64_t newest_bytes_min);
  [[nodiscard]] bool leave_out();
  void give_way();
  void begin_mending();
  void mend(std::vector<DeliveryId> found);
  void drop_old();
  void note_trouble(std::string_view doing, const Error& error);
  // A failure of what is recent: it is left out, the log goes on.
  void note_recent(const Result<void>& done);
  void measure();
  void measure_disk();

  env::Env& env_;
  store::Store& store_;
  const Options options_;
  const std::function<void(std::string_view)> on_trouble_;
  std::unique_ptr<env::Directory> directory_;

  // The worker's.
  LogFiles files_;
  Recent recent_;
  Writer writer_;
  Mender mender_;
  LogReader reader_;
  std::uint64_t unsaved_bytes_ = 1;  // of an earlier run, perhaps
  Instant saved_at_{};
  Instant retention_at_{};
  Instant give_way_at_{};  // not sooner
  bool is_giving_way_ = false;
  std::optional<Instant> room_asked_at_;
  Instant measured_at_{};
  Position next_;  // of the journal to follow
  Position told_until_;
  bool is_in_trouble_ = false;
  bool is_recent_in_trouble_ = false;
  bool may_be_lost_ = true;  // of deliveries, how they ended; damage is found at a start

  std::mutex mutex_;  // of worker_ and tell_
  std::function<void(const store::Followed&)> tell_;
  std::atomic<bool> is_waiting_ = false;
  std::atomic<bool> is_scheduled_ = false;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> disk_bytes_ = 0;
  std::atomic<std::uint64_t> files_count_ = 0;
  std::atomic<std::uint64_t> written_until_ = 0;
  std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::unique_ptr<env::Worker> worker_;
};

Result<void> FileHistory::open() {
  EILPOST_RETURN_IF_ERROR(files_.load());
  note_recent(recent_.open());
  next_ = files_.saved_position();
  told_until_ = files_.position();
  saved_at_ = env_.clock().now();
  measure();
  worker_ = env_.start_worker("history");
  bell_->owner = this;
  store_.on_more([bell = bell_] {
    const std::scoped_lock lock(bell->mutex);
    if (bell->owner != nullptr) bell->owner->schedule_soon();
  });
  schedule();
  return {};
}

void FileHistory::give(std::move_only_function<void()> job) {
  const std::scoped_lock lock(mutex_);
  if (worker_) worker_->run(std::move(job));
}

// The journal goes ahead for a moment, so that what comes meanwhile is one transaction.
void FileHistory::schedule_soon() {
  if (is_waiting_.exchange(true)) return;
  env::Loop& loop = env_.lane(0);
  loop.post([bell = bell_, &loop] {
    loop.timers().call_at(loop.clock().now() + kBatchWait, [bell] {
      const std::scoped_lock lock(bell->mutex);
      if (bell->owner == nullptr) return;
      bell->owner->is_waiting_ = false;
      bell->owner->schedule();
    });
  });
}

void FileHistory::schedule() {
  if (is_scheduled_.exchange(true)) return;
  give([this] {
    is_scheduled_ = false;
    // One batch, so that queries come in between.
    const Progress progress = write_some();
    if (progress == Progress::large) schedule();
    keep_house(progress);
  });
}

FileHistory::Progress FileHistory::write_some() {
  Result<Progress> done = write_batch();
  const auto is_full = [&] { return !done && done.error().code == ErrorCode::disk_full; };
  while (is_full() && free_some(0)) done = write_batch();
  if (is_full() && leave_out()) return Progress::large;
  if (!done) {
    note_trouble("writing", done.error());
    return Progress::failed;
  }
  if (std::exchange(is_in_trouble_, false)) on_trouble_("The history is written again.");
  return *done;
}

Result<FileHistory::Progress> FileHistory::write_batch() {
  // Behind next_ only after a file was lost: what the journal still has of it is written again.
  const Position from = std::min(next_, files_.position());
  EILPOST_ASSIGN_OR_RETURN(const store::Followed followed, store_.follow(from, kBatchBytes));
  if (followed.records.empty() && followed.next <= from) return Progress::idle;
  EILPOST_ASSIGN_OR_RETURN(const std::vector<AcceptedRecord> accepted, writer_.write(followed));
  next_ = followed.next;
  note_recent(recent_.add(accepted));
  const std::uint64_t bytes = bytes_of(followed);
  unsaved_bytes_ += bytes;
  tell(from, followed);
  measure();
  return bytes < kSmallBatchBytes ? Progress::small : Progress::large;
}

void FileHistory::tell(Position from, const store::Followed& followed) {
  if (from < told_until_) {
    EILPOST_PROBE("history.written_again");
    return;  // Written again, after a file was lost.
  }
  told_until_ = followed.next;
  std::function<void(const store::Followed&)> tell;
  {
    const std::scoped_lock lock(mutex_);
    tell = tell_;
  }
  if (tell) tell(followed);
}

bool FileHistory::write_until_end() {
  int small_count = 0;
  while (small_count < 2) {
    switch (write_some()) {
      case Progress::failed:
        return false;
      case Progress::idle:
        return true;
      case Progress::small:
        ++small_count;
        break;
      case Progress::large:
        small_count = 0;
        break;
    }
  }
  return true;
}

void FileHistory::keep_house(Progress progress) {
  give_way();
  const bool is_caught_up = progress == Progress::idle || progress == Progress::small;
  if (may_be_lost_ && is_caught_up && !store_.is_full()) begin_mending();
  const Instant now = env_.clock().now();
  const std::uint64_t bytes_max = std::min(kCheckpointBytes, options_.bytes_max / 16);
  if (unsaved_bytes_ > 0 && (unsaved_bytes_ >= bytes_max || now - saved_at_ >= kCheckpointAge)) {
    checkpoint();
    drop_old();
  } else if (now >= retention_at_) {
    drop_old();
  }
}

// Drops a file: the oldest that may go, or the newest if ingest stands still.
bool FileHistory::free_some(std::uint64_t newest_bytes_min) {
  if (files_.drop_oldest()) return true;
  return store_.is_full() && files_.drop_newest(newest_bytes_min);
}

// What cannot be written keeps the journal from being trimmed. If ingest stands still over it and
// nothing of it is owed, the log goes on behind it.
bool FileHistory::leave_out() {
  if (!store_.is_full()) return false;
  const Position from = std::min(next_, files_.position());
  const Result<store::Followed> followed = store_.follow(from, kBatchBytes);
  if (!followed || followed->next <= from) return false;
  if (store_.owes_between(from, followed->next)) return false;
  on_trouble_(fmt::format("No space on the disk: {} records of the journal are not in the history.",
                          followed->records.size()));
  files_.skip_to(followed->next);
  next_ = followed->next;
  may_be_lost_ = true;
  unsaved_bytes_ += kRecordBytes * followed->records.size() + 1;
  tell(from, *followed);
  return true;
}

// Ingest stands still for want of space. First the journal may be trimmed as far as the log goes;
// if that is not enough, files go one by one.
void FileHistory::give_way() {
  if (!store_.is_full()) {
    is_giving_way_ = false;
    return;
  }
  const Instant now = env_.clock().now();
  if (now < give_way_at_) return;
  give_way_at_ = now + kGiveWayEvery;
  if (unsaved_bytes_ > 0) checkpoint();
  if (!std::exchange(is_giving_way_, true)) return;
  if (free_some(kWorthDroppingBytes)) measure();
}

// Whatever the store was taking in or committing when they were found is known after a flush.
void FileHistory::begin_mending() {
  may_be_lost_ = false;
  Result<std::vector<DeliveryId>> found = mender_.find();
  if (!found) {
    may_be_lost_ = true;
    note_trouble("looking for lost records", found.error());
    return;
  }
  if (found->empty()) return;
  store_.flush(env_.lane(0), [bell = bell_, found = std::move(*found)]() mutable {
    const std::scoped_lock lock(bell->mutex);
    if (bell->owner == nullptr) return;
    bell->owner->give([owner = bell->owner, found = std::move(found)]() mutable {
      owner->mend(std::move(found));
    });
  });
}

void FileHistory::mend(std::vector<DeliveryId> found) {
  may_be_lost_ = found.size() >= kMendedAtOnce;
  const std::vector<DeliveryId> lost = store_.settled_of(std::move(found));
  if (lost.empty()) return;
  // What is not lost is in the journal by now, and then in the log.
  const bool is_caught_up = write_until_end();
  const Result<std::size_t> ended =
      is_caught_up ? mender_.end(lost, env_.clock().wall_now()) : std::size_t{0};
  if (!ended || !is_caught_up) may_be_lost_ = true;
  if (!ended) {
    note_trouble("ending lost deliveries", ended.error());
  } else if (*ended > 0) {
    unsaved_bytes_ += kRecordBytes * *ended;
    on_trouble_(
        fmt::format("Of {} deliveries the log never heard how they ended; it shows them as "
                    "failed, record_lost.",
                    *ended));
  }
}

void FileHistory::make_room() {
  give([this] {
    const Instant now = env_.clock().now();
    const std::optional<Instant> asked_at = std::exchange(room_asked_at_, now);
    if (unsaved_bytes_ > 0) checkpoint();
    if (asked_at && now - *asked_at < kRoomAskedAgain) (void)files_.drop_oldest();
    measure();
    measure_disk();  // Who asks looks again soon, and would ask for more than is needed.
  });
}

void FileHistory::checkpoint() {
  const Position position = std::min(next_, files_.position());
  saved_at_ = env_.clock().now();
  Result<void> done = files_.checkpoint(position);
  while (!done && done.error().code == ErrorCode::disk_full && free_some(0)) {
    done = files_.checkpoint(position);
  }
  note_recent(recent_.checkpoint());
  if (!done) {
    note_trouble("saving", done.error());
    return;
  }
  unsaved_bytes_ = 0;
  store_.followed_until(position);
  measure();
}

void FileHistory::drop_old() {
  retention_at_ = env_.clock().now() + kRetentionInterval;
  files_.apply_retention(env_.clock().wall_now());
  measure();
}

void FileHistory::note_trouble(std::string_view doing, const Error& error) {
  if (std::exchange(is_in_trouble_, true)) return;
  EILPOST_PROBE("history.in_trouble");
  on_trouble_(fmt::format("The history failed at {}: {} {} It goes on when that works again.",
                          doing, text_of(error.code), error.detail));
}

void FileHistory::note_recent(const Result<void>& done) {
  const bool was_in_trouble = std::exchange(is_recent_in_trouble_, !done);
  if (done || was_in_trouble) return;
  EILPOST_PROBE("history.recent_in_trouble");
  on_trouble_(fmt::format("Recent events and what was seen in them are not kept: {} {}",
                          text_of(done.error().code), done.error().detail));
}

void FileHistory::measure() {
  bytes_ = files_.bytes();
  files_count_ = files_.entries().size();
  written_until_ = files_.position().value;
  const Instant now = env_.clock().now();
  if (now - measured_at_ >= kMeasureEvery || disk_bytes_ == 0) measure_disk();
}

void FileHistory::measure_disk() {
  measured_at_ = env_.clock().now();
  disk_bytes_ = files_.disk_bytes();
}

void FileHistory::run_query(std::move_only_function<void(Reader&)> query) {
  give([this, query = std::move(query)]() mutable {
    write_until_end();
    query(reader_);
  });
}

void FileHistory::add_test(TestRecord record) {
  give([this, record = std::move(record)] { note_recent(recent_.add_test(record)); });
}

void FileHistory::add_item(ItemRow item) {
  give([this, item = std::move(item)] { note_recent(recent_.add_item(item)); });
}

void FileHistory::on_written(std::function<void(const store::Followed&)> tell) {
  const std::scoped_lock lock(mutex_);
  tell_ = std::move(tell);
}

void FileHistory::apply_retention() {
  give([this] { drop_old(); });
}

History::Usage FileHistory::usage() {
  return {.bytes = bytes_,
          .files_count = files_count_,
          .disk_bytes = disk_bytes_,
          .written_until = {.value = written_until_}};
}

void FileHistory::end() {
  {
    const std::scoped_lock lock(bell_->mutex);
    bell_->owner = nullptr;
  }
  std::unique_ptr<env::Worker> worker;
  {
    const std::scoped_lock lock(mutex_);
    worker = std::move(worker_);
  }
}

void FileHistory::close() {
  give([this] {
    write_until_end();
    checkpoint();
  });
  end();
}

}  // namespace

Result<std::unique_ptr<History>> History::open(env::Env& env, store::Store& store,
                                               const Options& options,
                                               std::function<void(std::string_view)> on_trouble) {
  EILPOST_ASSIGN_OR_RETURN(auto directory, env.directory().subdirectory("history"));
  auto history = std::make_unique<FileHistory>(env, store, options, std::move(on_trouble),
                                               std::move(directory));
  EILPOST_RETURN_IF_ERROR(history->open());
  return history;
}

}  // namespace eilpost::history
