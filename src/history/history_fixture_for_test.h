#pragma once
// A History over a real Store in the simulated world.

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/sim/sim_env.h"
#include "history/history.h"
#include "store/store.h"
#include "store/test_events.h"

namespace eilpost::history {

// A Store whose journal is trimmed at once as far as its follower allows: the worst case.
class TrimmedStore final : public store::Store {
 public:
  // `trimmed` outlives crashes, as what is trimmed does. Both must outlive the TrimmedStore.
  TrimmedStore(store::Store& store, Position& trimmed) : store_(store), trimmed_(trimmed) {}

  void take_unsettled(const std::function<void(const store::Unsettled&)>& each) override {
    store_.take_unsettled(each);
  }
  void accept(std::span<const store::Accept> batch, env::Loop& loop,
              std::move_only_function<void(store::Accepted)> done) override {
    store_.accept(batch, loop, std::move(done));
  }
  void record(Attempt attempt) override { store_.record(std::move(attempt)); }
  void record(store::Settled settled) override { store_.record(settled); }
  void record(store::Batched batch) override { store_.record(std::move(batch)); }
  void record(std::span<const Attempt> attempts) override { store_.record(attempts); }
  void flush(env::Loop& loop, std::move_only_function<void()> done) override {
    store_.flush(loop, std::move(done));
  }
  [[nodiscard]] bool owes_between(Position from, Position until) override {
    return store_.owes_between(from, until);
  }
  [[nodiscard]] std::vector<DeliveryId> settled_of(std::vector<DeliveryId> deliveries) override {
    return store_.settled_of(std::move(deliveries));
  }
  void read_event(
      DeliveryId delivery, env::Loop& loop,
      std::move_only_function<void(Result<std::shared_ptr<const Event>>)> done) override {
    store_.read_event(delivery, loop, std::move(done));
  }
  [[nodiscard]] Result<store::Followed> follow(Position from, std::size_t bytes_max) override {
    return store_.follow(std::max(from, trimmed_), bytes_max);
  }
  void on_more(std::function<void()> wake) override { store_.on_more(std::move(wake)); }
  void followed_until(Position position) override {
    EXPECT_GE(position, trimmed_);
    trimmed_ = position;
  }
  [[nodiscard]] store::Usage usage() override { return store_.usage(); }
  [[nodiscard]] std::uint64_t unsettled_count() const override { return store_.unsettled_count(); }
  [[nodiscard]] std::uint64_t disk_bytes() const override { return store_.disk_bytes(); }
  [[nodiscard]] bool is_full() const override { return says_full_ || store_.is_full(); }
  [[nodiscard]] bool is_behind() const override { return store_.is_behind(); }
  void want_room(bool is_wanted) override { store_.want_room(is_wanted); }
  void close() override { store_.close(); }

  // Whatever the journal has, ingest stands still for want of space.
  void say_full(bool says_full) { says_full_ = says_full; }

 private:
  store::Store& store_;
  Position& trimmed_;
  std::atomic<bool> says_full_ = false;
};

class HistoryFixture {
 public:
  explicit HistoryFixture(std::uint64_t seed = 1, Options options = {}, bool trims = false)
      : options_(options), trims_(trims), env_(seed) {
    open();
  }
  HistoryFixture(const HistoryFixture&) = delete;
  HistoryFixture& operator=(const HistoryFixture&) = delete;
  ~HistoryFixture() { destroy(); }

  void open() {
    store_ =
        store::Store::open(env_, {.segment_bytes = 64UL * 1024}, [](std::string_view) {}).value();
    // The pipeline would take these.
    store_->take_unsettled([](const store::Unsettled&) {});
    trimmed_store_ = std::make_unique<TrimmedStore>(*store_, trimmed_);
    store::Store& followed = trims_ ? static_cast<store::Store&>(*trimmed_store_) : *store_;
    auto opened = History::open(env_, followed, options_,
                                [this](std::string_view what) { troubles_.emplace_back(what); });
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    history_ = std::move(*opened);
  }
  void close() {
    history_->close();
    store_->close();
    destroy();
    env_.restart();
  }
  void reopen() {
    close();
    open();
  }
  void crash(env::Crash kind = env::Crash::power_loss) {
    env_.crash(kind);
    destroy();
    env_.restart();
    open();
  }

  // Their accept sequences; nothing if they were not made durable.
  std::vector<Position> accept(std::vector<store::Accept> batch) {
    std::optional<store::Accepted> answer;
    store_->accept(std::move(batch), env_.lane(0),
                   [&](store::Accepted accepted) { answer = std::move(accepted); });
    std::vector<Position> sequences;
    const bool is_answered =
        env_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5));
    if (!is_answered || answer->status != store::AcceptStatus::durable) return sequences;
    for (const auto& sequence : answer->sequences) sequences.push_back(sequence.value());
    return sequences;
  }
  Position accept(Event event, std::uint64_t owed_count = 1) {
    std::vector<store::Accept> batch;
    batch.push_back(store::make_accept(std::move(event), owed_count));
    const std::vector<Position> sequences = accept(std::move(batch));
    EXPECT_EQ(sequences.size(), 1U);
    return sequences.empty() ? Position{} : sequences.front();
  }
  Position accept(std::uint64_t number, std::uint64_t owed_count = 1) {
    return accept(event(number), owed_count);
  }
  [[nodiscard]] Event event(std::uint64_t number) {
    return store::make_event(number, env_.clock().wall_now());
  }
  Attempt attempt(DeliveryId id, DeliveryState state, std::uint16_t number = 1) {
    Attempt made = store::make_attempt(id, state);
    made.number = number;
    store_->record(made);
    return made;
  }
  bool flush() {
    bool is_done = false;
    store_->flush(env_.lane(0), [&] { is_done = true; });
    return env_.run_until([&] { return is_done; }, std::chrono::seconds(5));
  }

  // What `query` answers, after everything durable was written.
  template <class Query>
  auto ask(Query query) {
    using Answer = decltype(query(std::declval<Reader&>()));
    std::optional<Answer> answer;
    history_->run_query([&](Reader& reader) { answer = query(reader); });
    EXPECT_TRUE(env_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(10)));
    EXPECT_TRUE(answer->has_value()) << answer->error().detail;
    return std::move(*answer).value_or(typename Answer::value_type{});
  }
  std::vector<DeliveryRow> deliveries(const Filter& filter = {}) {
    return ask([&](Reader& reader) { return reader.deliveries(filter, {.count = 10'000}); }).rows;
  }
  // The event ids of deliveries, newest first.
  std::vector<std::string> ids(const Filter& filter) {
    std::vector<std::string> found;
    for (const DeliveryRow& row : deliveries(filter)) found.push_back(row.event_id);
    return found;
  }
  std::optional<DeliveryRow> delivery(DeliveryId id) {
    return ask([&](Reader& reader) { return reader.delivery(id); });
  }
  std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& [path, bytes] : env_.directory().image()) {
      if (path.starts_with("history/log-") && path.ends_with(".db")) names.push_back(path);
    }
    return names;
  }

  [[nodiscard]] env::SimEnv& env() { return env_; }
  [[nodiscard]] store::Store& store() { return *store_; }
  [[nodiscard]] History& history() { return *history_; }
  // Of a history that trims.
  [[nodiscard]] TrimmedStore& followed() { return *trimmed_store_; }
  // Of a history that trims: how far the log is durable, as it says.
  [[nodiscard]] Position trimmed() const { return trimmed_; }
  [[nodiscard]] const std::vector<std::string>& troubles() const { return troubles_; }

 private:
  void destroy() {
    history_.reset();
    trimmed_store_.reset();
    store_.reset();
  }

  Options options_;
  bool trims_;
  Position trimmed_;
  env::SimEnv env_;
  std::vector<std::string> troubles_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<TrimmedStore> trimmed_store_;
  std::unique_ptr<History> history_;
};

}  // namespace eilpost::history
