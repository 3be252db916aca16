// Goal: nothing that is durable in the journal is missing in the log, or there twice, after any
// crash; files are dropped, set aside and outlived as the header says.
//
// Method: a real Store with small segments, a History with small files, both on the simulated
// disk; crashes by power loss, killed process and failing disk at random moments.

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "base/random.h"
#include "database/database.h"
#include "history/history_fixture_for_test.h"

namespace eilpost::history {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class World {
 public:
  explicit World(std::uint64_t seed)
      : random_(seed), log_(seed, {.bytes_max = 1U << 20U, .file_rows_max = 30}, /*trims=*/true) {}

  void step() {
    const std::uint64_t what = random_.below(10);
    if (what < 4) accept();
    if (what >= 4 && what < 8) attempt();
    if (what == 8 && log_.flush()) {
      for (auto& [id, model] : deliveries_) model.durable = model.handed;
    }
    if (what == 9) log_.env().advance(seconds(random_.below(40)));
    log_.env().advance(std::chrono::milliseconds(random_.below(10)));
  }
  void crash() {
    const std::uint64_t kind = random_.below(3);
    if (kind == 0) {
      log_.env().directory().fail_after(1 + random_.below(60));
      for (int i = 0; i < 60 && !log_.env().death(); ++i) step();
    }
    log_.crash(kind == 1 ? env::Crash::process_killed : env::Crash::power_loss);
  }
  void reopen() {
    log_.reopen();
    for (auto& [id, model] : deliveries_) model.durable = model.handed;
  }

  void check() {
    const std::vector<DeliveryRow> rows = log_.deliveries();
    std::map<DeliveryId, DeliveryRow> by_id;
    for (const DeliveryRow& row : rows) ASSERT_TRUE(by_id.emplace(row.id, row).second);
    ASSERT_TRUE(std::ranges::is_sorted(rows, std::ranges::greater{}, &DeliveryRow::id));
    for (auto& [id, model] : deliveries_) {
      ASSERT_TRUE(by_id.contains(id)) << to_string(id);
      const DeliveryRow& row = by_id.at(id);
      ASSERT_EQ(row.event_id, model.event_id);
      ASSERT_GE(row.attempts_count, model.durable);
      ASSERT_LE(row.attempts_count, model.handed);
      const bool is_delivered = row.attempts_count == 3;
      ASSERT_EQ(row.state == DeliveryState::delivered, is_delivered);
      ASSERT_EQ(log_.ask([&](Reader& reader) { return reader.attempts(id); }).size(),
                row.attempts_count);
      // What was not durable at the crash never was.
      model.handed = model.durable = row.attempts_count;
    }
  }
  void check_documents() {
    for (const auto& [id, model] : deliveries_) {
      const auto event = log_.ask([&](Reader& reader) { return reader.event_of(id); });
      ASSERT_TRUE(event.has_value());
      ASSERT_EQ(event->document, model.document);
    }
  }
  [[nodiscard]] HistoryFixture& log() { return log_; }

 private:
  struct Model {
    std::string event_id;
    std::string document;
    std::uint16_t handed = 0;
    std::uint16_t durable = 0;
  };

  void accept() {
    std::vector<store::Accept> batch;
    std::vector<Event> events;
    const std::uint64_t count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      events.push_back(log_.event(++last_number_));
      batch.push_back(store::make_accept(events.back(), last_number_ % 3));
    }
    const std::vector<Position> sequences = log_.accept(std::move(batch));
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      const std::uint64_t owed_count = (last_number_ - count + 1 + i) % 3;
      for (std::uint16_t ordinal = 0; ordinal < owed_count; ++ordinal) {
        deliveries_[{.sequence = sequences[i], .ordinal = ordinal}] = {
            .event_id = events[i].id, .document = events[i].document};
      }
    }
  }
  void attempt() {
    if (deliveries_.empty()) return;
    const auto it = std::next(deliveries_.begin(),
                              static_cast<std::ptrdiff_t>(random_.below(deliveries_.size())));
    if (it->second.handed == 3) return;
    const std::uint16_t number = ++it->second.handed;
    log_.attempt(it->first, number == 3 ? DeliveryState::delivered : DeliveryState::retrying,
                 number);
  }

  Random random_;
  HistoryFixture log_;
  std::map<DeliveryId, Model> deliveries_;
  std::uint64_t last_number_ = 0;
};

TEST(HistoryCrash, LogHoldsWhatIsDurableOnceAfterAnyCrash) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    World world(seed);
    for (int round = 0; round < 6; ++round) {
      for (int i = 0; i < 40; ++i) world.step();
      if (round % 4 == 3) {
        world.reopen();
      } else {
        world.crash();
      }
      ASSERT_NO_FATAL_FAILURE(world.check());
    }
    ASSERT_NO_FATAL_FAILURE(world.check_documents());
    EXPECT_GT(world.log().files().size(), 1U);
  }
}

TEST(HistoryCrash, JournalMayBeTrimmedByBytesAndByTime) {
  HistoryFixture log(1, {.bytes_max = 4U << 20U}, /*trims=*/true);
  for (std::uint64_t i = 0; i < 400; ++i) log.accept(i);  // more than a sixteenth of bytes_max
  log.env().advance(seconds(1));
  const Position by_bytes = log.trimmed();
  EXPECT_GT(by_bytes, Position{});
  log.accept(1000);
  log.env().advance(seconds(1));
  EXPECT_EQ(log.trimmed(), by_bytes);
  log.env().advance(seconds(31));
  const Position last = log.accept(1001);
  log.env().advance(seconds(1));
  EXPECT_GT(log.trimmed(), last);
}

// With 3 kB that hardly shrink.
Event long_event(Event event, Random& random) {
  std::string filler;
  for (int i = 0; i < 190; ++i) filler += fmt::format("{:016x}", random.next());
  event.document.insert(event.document.size() - 1, fmt::format(R"(,"filler":"{}")", filler));
  return event;
}

// Fills files with one delivery a day; `settle` says which of them are delivered.
std::vector<DeliveryId> fill_days(HistoryFixture& log, std::uint64_t days, std::uint64_t owed_day) {
  std::vector<DeliveryId> ids;
  for (std::uint64_t day = 0; day < days; ++day) {
    ids.push_back({.sequence = log.accept(day)});
    if (day != owed_day) log.attempt(ids.back(), DeliveryState::delivered);
    EXPECT_TRUE(log.flush());
    (void)log.deliveries();
    log.env().advance(hours(25));
  }
  return ids;
}

TEST(HistoryRetention, OldFilesAreDroppedButNotWhatIsOwed) {
  HistoryFixture log(1, {.retention = hours(24 * 5)});
  const std::vector<DeliveryId> ids = fill_days(log, 10, 2);
  log.history().apply_retention();
  std::vector<DeliveryId> kept;
  for (const DeliveryRow& row : log.deliveries()) kept.push_back(row.id);
  EXPECT_EQ(kept, (std::vector<DeliveryId>{ids[9], ids[8], ids[7], ids[6], ids[2]}));
  EXPECT_EQ(log.files().size(), 5U);

  log.attempt(ids[2], DeliveryState::delivered);
  log.attempt(ids[1], DeliveryState::delivered, 2);  // Its file is gone.
  ASSERT_TRUE(log.flush());
  (void)log.deliveries();  // It is written by then.
  log.history().apply_retention();
  EXPECT_FALSE(log.delivery(ids[2]).has_value());
  EXPECT_FALSE(log.delivery(ids[1]).has_value());
  log.reopen();
  EXPECT_EQ(log.deliveries().size(), 4U);
  EXPECT_TRUE(log.troubles().empty());
}

TEST(HistoryRetention, SettlingThatIsWrittenAgainFreesNothingElse) {
  HistoryFixture log;
  const Position sequence = log.accept(1, 2);
  (void)log.deliveries();
  log.env().advance(hours(25));
  log.accept(2);  // in a file of its own
  (void)log.deliveries();
  EXPECT_EQ(log.files().size(), 2U);
  log.attempt({.sequence = sequence, .ordinal = 0}, DeliveryState::delivered);
  ASSERT_TRUE(log.flush());
  (void)log.deliveries();
  log.crash(env::Crash::process_killed);
  EXPECT_EQ(log.deliveries().size(), 3U);
  log.env().advance(hours(24 * 40));
  log.history().apply_retention();
  EXPECT_EQ(log.delivery({.sequence = sequence, .ordinal = 1})->state, DeliveryState::pending);
}

TEST(HistoryRetention, EverythingGoesWhenNothingNewComes) {
  HistoryFixture log(1, {.retention = hours(24 * 5)});
  (void)fill_days(log, 3, 99);
  log.env().advance(hours(24 * 6));
  log.history().apply_retention();
  EXPECT_TRUE(log.deliveries().empty());
  log.reopen();
  EXPECT_TRUE(log.deliveries().empty());  // Nothing of it is written from the journal again.
  const DeliveryId id{.sequence = log.accept(100)};
  EXPECT_TRUE(log.delivery(id).has_value());
}

TEST(HistoryRetention, SizeIsBounded) {
  HistoryFixture log(1, {.bytes_max = 1U << 20U});
  Random random(1);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    log.attempt({.sequence = log.accept(long_event(log.event(i), random))},
                DeliveryState::delivered);
  }
  ASSERT_TRUE(log.flush());
  log.env().advance(minutes(1));
  log.accept(9000);
  log.env().advance(seconds(1));
  EXPECT_LT(log.history().usage().bytes, 1400U << 10U);
  EXPECT_GT(log.history().usage().bytes, 400U << 10U);
}

TEST(HistoryFailure, DamagedFileIsSetAsideAndTheRestGoesOn) {
  HistoryFixture log(1, {.file_rows_max = 5});
  std::vector<DeliveryId> ids;
  for (std::uint64_t i = 0; i < 20; ++i) {
    ids.push_back({.sequence = log.accept(i)});
    (void)log.deliveries();
  }
  const std::vector<std::string> files = log.files();
  ASSERT_GE(files.size(), 3U);
  log.close();
  for (std::uint64_t offset = 0; offset < 100; ++offset) {
    log.env().directory().flip_bit(files[1], offset, 3);
  }
  log.open();
  EXPECT_EQ(log.troubles().size(), 1U);
  EXPECT_TRUE(log.troubles().at(0).contains("set aside"));
  EXPECT_EQ(log.deliveries().size(), 15U);
  log.attempt(ids[7], DeliveryState::delivered);  // It was in the damaged file.
  log.accept(100);
  EXPECT_EQ(log.deliveries().size(), 16U);
  const auto image = log.env().directory().image();
  EXPECT_TRUE(std::ranges::any_of(
      image, [](const auto& file) { return file.first.ends_with(".db.corrupt"); }));
}

TEST(HistoryFailure, DamagedNewestFileIsWrittenAgainFromTheJournal) {
  HistoryFixture log;
  for (std::uint64_t i = 0; i < 10; ++i) log.accept(i);
  EXPECT_EQ(log.deliveries().size(), 10U);
  log.close();
  for (std::uint64_t offset = 0; offset < 100; ++offset) {
    log.env().directory().flip_bit(log.files().at(0), offset, 3);
  }
  log.open();
  EXPECT_EQ(log.deliveries().size(), 10U);
  EXPECT_EQ(log.troubles().size(), 1U);
}

TEST(HistoryFailure, FileOfTheFormatBeforeTheFirstReleaseIsSetAsideAndWrittenAnew) {
  HistoryFixture log;
  for (std::uint64_t i = 0; i < 10; ++i) log.accept(i);
  EXPECT_EQ(log.deliveries().size(), 10U);
  log.close();
  const auto directory = log.env().directory().subdirectory("history").value();
  const std::string name = "log-00000000000000000000.db";
  ASSERT_TRUE(directory->remove(name).has_value());
  {
    const auto old = database::Database::open(log.env(), *directory, name, {}).value();
    ASSERT_TRUE(
        old->run("CREATE TABLE deliveries (sequence INTEGER, ordinal INTEGER)").has_value());
  }
  log.open();
  ASSERT_EQ(log.troubles().size(), 1U);
  EXPECT_TRUE(log.troubles()[0].contains("earlier version")) << log.troubles()[0];
  EXPECT_TRUE(directory->open(name + ".corrupt", env::OpenMode::read).has_value());
  EXPECT_EQ(log.deliveries().size(), 10U);
}

TEST(HistoryFailure, DamagedRecentFileIsBegunAnew) {
  HistoryFixture log;
  log.accept(1);
  (void)log.deliveries();
  log.close();
  for (std::uint64_t offset = 0; offset < 100; ++offset) {
    log.env().directory().flip_bit("history/recent.db", offset, 3);
  }
  log.open();
  EXPECT_EQ(log.troubles().size(), 1U);
  log.accept(2);
  EXPECT_EQ(
      log.ask([](Reader& reader) { return reader.recent_events("survey.submitted", 9); }).size(),
      1U);
  EXPECT_EQ(log.deliveries().size(), 2U);
}

TEST(HistoryFailure, FailingDiskIsReportedAndTheLogCatchesUp) {
  HistoryFixture log;
  log.accept(1);
  EXPECT_EQ(log.deliveries().size(), 1U);
  // The journal's operations succeed: it is asked for nothing while these fail.
  for (int i = 0; i < 2; ++i) {
    log.accept(2 + static_cast<std::uint64_t>(i));
    log.env().directory().fail_once(1);
    log.env().advance(seconds(1));
  }
  log.accept(9);
  EXPECT_EQ(log.deliveries().size(), 4U);
  EXPECT_EQ(log.files().size(), 1U);
}

// A history and a journal on a disk that they fill together.
class FullDisk {
 public:
  explicit FullDisk(Options options, std::uint64_t bytes) : log_(1, options) {
    log_.env().directory().set_capacity_bytes(bytes);
  }

  // Accepts events, of a document of 3 kB that hardly shrinks, until the disk is full.
  void fill() {
    bool is_taken = true;
    while (is_taken && owed_.size() < 20'000) {
      constexpr std::size_t kEvents = 10;
      std::vector<store::Accept> batch;
      batch.reserve(kEvents);
      while (batch.size() < kEvents) batch.push_back(store::make_accept(event()));
      const std::vector<Position> sequences = log_.accept(std::move(batch));
      for (const Position sequence : sequences) owed_.push_back({.sequence = sequence});
      log_.env().advance(milliseconds(100));
      is_taken = !sequences.empty();
    }
    EXPECT_TRUE(log_.store().is_full());
  }
  void settle() {
    for (const DeliveryId id : owed_) log_.attempt(id, DeliveryState::delivered);
    settled_count_ += owed_.size();
    owed_.clear();
  }
  // Within a minute, though no request comes.
  [[nodiscard]] bool recovers() {
    return log_.env().run_until([this] { return !log_.store().is_full(); }, minutes(1));
  }
  [[nodiscard]] HistoryFixture& log() { return log_; }
  [[nodiscard]] std::size_t settled_count() const { return settled_count_; }

 private:
  Event event() { return long_event(log_.event(++number_), random_); }

  Random random_{7};
  HistoryFixture log_;
  std::uint64_t number_ = 0;
  std::vector<DeliveryId> owed_;
  std::size_t settled_count_ = 0;
};

// Again and again: ingest comes back by itself once nothing is owed, and the log goes on.
TEST(HistoryFailure, FullDiskIsGivenBackToIngestOnceNothingIsOwed) {
  for (const std::uint64_t file_rows : {100U, 1'000'000U}) {  // many files, or the newest alone
    for (const std::uint64_t bytes : {1U << 20U, 2U << 20U, 3U << 20U}) {
      SCOPED_TRACE(fmt::format("{} rows, {} bytes", file_rows, bytes));
      FullDisk disk({.file_rows_max = file_rows}, bytes);
      for (int round = 0; round < 5; ++round) {
        SCOPED_TRACE(round);
        disk.fill();
        disk.settle();
        ASSERT_TRUE(disk.recovers());
      }
      EXPECT_GT(disk.settled_count(), 200U);
      disk.log().env().directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
      const DeliveryId id{.sequence = disk.log().accept(100'000)};
      EXPECT_TRUE(disk.log().delivery(id).has_value());
    }
  }
}

TEST(HistoryFailure, FileThatCouldNotBeBegunTakesNothingLater) {
  bool has_failed = false;
  for (std::uint64_t room = 0; room <= 30'000; room += 300) {
    SCOPED_TRACE(room);
    HistoryFixture log(1, {.file_age_max = hours(1)});
    (void)log.accept(1);
    (void)log.deliveries();
    log.reopen();  // So what is left is for the new file.
    env::SimDirectory& disk = log.env().directory();
    log.env().clock().jump_wall(hours(2));
    disk.set_capacity_bytes(disk.used_bytes() + room);
    (void)log.accept(2);
    log.env().advance(seconds(3));
    has_failed = has_failed || !log.troubles().empty();
    log.env().clock().jump_wall(-hours(2));  // So the file there is goes on.
    disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
    const DeliveryId id{.sequence = log.accept(3), .ordinal = 0};
    log.env().advance(seconds(3));
    log.reopen();
    log.attempt(id, DeliveryState::delivered);
    ASSERT_TRUE(log.flush());
    const std::optional<DeliveryRow> delivery = log.delivery(id);
    ASSERT_TRUE(delivery.has_value());
    EXPECT_EQ(delivery->state, DeliveryState::delivered);
  }
  EXPECT_TRUE(has_failed);
}

TEST(HistoryFailure, FullDiskSetsNoFileAside) {
  FullDisk disk({.file_rows_max = 200}, 2U << 20U);
  for (int round = 0; round < 5; ++round) {
    disk.fill();
    disk.log().env().advance(minutes(2));
    disk.settle();
    disk.log().env().advance(minutes(2));
  }
  for (const std::string& trouble : disk.log().troubles()) {
    EXPECT_FALSE(trouble.contains("set aside")) << trouble;
  }
}

// What is owed stays in the log, however full the disk.
TEST(HistoryFailure, FullDiskDropsNothingThatIsOwed) {
  FullDisk disk({.file_rows_max = 100}, 2U << 20U);
  const DeliveryId owed{.sequence = disk.log().accept(200'000)};
  (void)disk.log().deliveries();
  disk.fill();
  disk.settle();
  disk.log().env().advance(minutes(1));
  disk.log().env().directory().set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  disk.log().env().advance(minutes(1));
  EXPECT_EQ(disk.log().delivery(owed)->state, DeliveryState::pending);
  EXPECT_TRUE(disk.log().store().owes_between(owed.sequence, {.value = owed.sequence.value + 1}));
}

// Damages the records of the event in the journal.
void damage_in_journal(env::SimDirectory& disk, std::string_view event_id) {
  int found_count = 0;
  for (const auto& [path, bytes] : disk.image()) {
    if (!path.starts_with("journal/")) continue;
    const std::string_view text = as_text(bytes);
    for (std::size_t at = text.find(event_id); at != std::string_view::npos;
         at = text.find(event_id, at + 1)) {
      disk.flip_bit(path, at, 3);
      ++found_count;
    }
  }
  EXPECT_GT(found_count, 0);
}

TEST(HistoryFailure, WhatTheJournalLostToDamageEndsWhenTheLogIsOpened) {
  HistoryFixture log;
  const DeliveryId owed{.sequence = log.accept(1001)};
  const DeliveryId lost{.sequence = log.accept(1002)};
  const DeliveryId tried{.sequence = log.accept(1003)};
  log.attempt(tried, DeliveryState::retrying);
  EXPECT_EQ(log.deliveries().size(), 3U);
  log.close();
  // The checkpoint would still owe it.
  for (const auto& [path, bytes] : log.env().directory().image()) {
    if (path.contains("checkpoint")) log.env().directory().flip_bit(path, bytes.size() / 2, 1);
  }
  damage_in_journal(log.env().directory(), log.event(1002).id);
  log.open();
  log.env().advance(seconds(1));
  const std::optional<DeliveryRow> row = log.delivery(lost);
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->state, DeliveryState::failed);
  EXPECT_EQ(row->reason, FailReason::record_lost);
  EXPECT_TRUE(row->settled_at.has_value());
  EXPECT_EQ(log.delivery(owed)->state, DeliveryState::pending);
  EXPECT_EQ(log.delivery(tried)->state, DeliveryState::retrying);
  ASSERT_EQ(log.troubles().size(), 1U);
  EXPECT_TRUE(log.troubles()[0].contains("Of 1 deliveries")) << log.troubles()[0];
}

TEST(HistoryFailure, WhatTheLogLeftOutOnAFullDiskEndsOnceThereIsSpace) {
  HistoryFixture log(1, {}, /*trims=*/true);
  const DeliveryId owed{.sequence = log.accept(1)};  // So the file stays.
  const DeliveryId left_out{.sequence = log.accept(2)};
  EXPECT_EQ(log.delivery(left_out)->state, DeliveryState::pending);
  env::SimDirectory& disk = log.env().directory();
  disk.set_capacity_bytes(disk.used_bytes());  // The journal has space of its own.
  log.followed().say_full(true);
  log.attempt(left_out, DeliveryState::delivered);
  ASSERT_TRUE(log.flush());
  log.env().advance(seconds(1));
  EXPECT_TRUE(std::ranges::any_of(log.troubles(), [](const std::string& trouble) {
    return trouble.contains("are not in the history");
  }));
  EXPECT_EQ(log.delivery(left_out)->state, DeliveryState::pending);

  disk.set_capacity_bytes(env::SimDirectory::kCapacityDefault);
  log.followed().say_full(false);
  log.accept(3);
  log.env().advance(seconds(1));
  EXPECT_EQ(log.delivery(left_out)->state, DeliveryState::failed);
  EXPECT_EQ(log.delivery(left_out)->reason, FailReason::record_lost);
  EXPECT_EQ(log.delivery(owed)->state, DeliveryState::pending);
}

TEST(HistoryRetention, RoomIsMadeByTheOldestFileWhenAskedTwice) {
  HistoryFixture log(1, {.retention = hours(24 * 50)});
  (void)fill_days(log, 5, 0);  // The first is owed.
  const std::vector<std::string> files = log.files();
  const std::uint64_t bytes = log.history().usage().disk_bytes;
  log.history().make_room();
  log.env().advance(seconds(1));
  EXPECT_EQ(log.files(), files);
  log.history().make_room();
  log.env().advance(seconds(1));
  EXPECT_EQ(log.files().size(), files.size() - 1);
  EXPECT_EQ(log.files().at(0), files.at(0));
  EXPECT_LT(log.history().usage().disk_bytes, bytes);
}

TEST(HistoryRetention, WhatTheLogTakesIsKnownAtOnceWhenRoomWasMade) {
  HistoryFixture log(1, {.retention = hours(24 * 50)});
  (void)fill_days(log, 5, 0);
  for (int i = 0; i < 3; ++i) {
    (void)log.accept(200'000 + static_cast<std::uint64_t>(i));  // There is something to save.
    log.env().advance(milliseconds(500));
    log.history().make_room();
    log.env().advance(milliseconds(10));
    std::uint64_t bytes = 0;
    for (const auto& [path, content] : log.env().directory().image()) {
      if (path.starts_with("history/")) bytes += content.size();
    }
    EXPECT_EQ(log.history().disk_bytes(), bytes);
  }
}

TEST(HistoryFailure, FullDiskDropsTheOldestFile) {
  HistoryFixture log(1, {.file_rows_max = 20});
  for (std::uint64_t i = 0; i < 100; ++i) {
    log.attempt({.sequence = log.accept(i)}, DeliveryState::delivered);
    if (i % 10 == 9) (void)log.deliveries();  // Each ten in a batch of their own.
  }
  ASSERT_TRUE(log.flush());
  log.env().advance(minutes(1));
  const std::size_t files_count = log.files().size();
  ASSERT_GE(files_count, 4U);
  const std::string oldest = log.files().at(0);

  log.accept(200, 40);
  log.env().directory().set_capacity_bytes(log.env().directory().used_bytes() + 2000);
  for (int i = 0; i < 10; ++i) log.env().advance(seconds(1));
  (void)log.deliveries();
  EXPECT_NE(log.files().at(0), oldest);
  EXPECT_TRUE(std::ranges::any_of(
      log.troubles(), [](const std::string& text) { return text.contains("was dropped"); }));
  log.env().directory().set_capacity_bytes(1ULL << 40U);
  EXPECT_EQ(log.deliveries().front().event_id, log.event(200).id);
}

}  // namespace
}  // namespace eilpost::history
