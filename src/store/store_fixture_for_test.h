#pragma once
// A Store in the simulated world.

#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/sim/sim_env.h"
#include "store/store.h"
#include "store/test_events.h"

namespace eilpost::store {

class StoreTest : public testing::Test {
 protected:
  StoreTest() { open(); }

  void open() {
    store_ = Store::open(env_, options_, [this](std::string_view what) {
               reports_.emplace_back(what);
             }).value();
  }
  void reopen() {
    store_->close();
    store_.reset();
    env_.restart();
    open();
  }
  void crash(env::Crash kind = env::Crash::power_loss) {
    env_.crash(kind);
    store_.reset();
    env_.restart();
    open();
  }

  Accepted accept(std::vector<Accept> batch) {
    std::optional<Accepted> answer;
    store_->accept(std::move(batch), env_.lane(0),
                   [&](Accepted accepted) { answer = std::move(accepted); });
    EXPECT_TRUE(env_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5)));
    return std::move(answer).value_or(Accepted{});
  }
  // One event that owes `owed_count` deliveries; its accept sequence.
  Position accept_one(std::uint64_t number, std::uint64_t owed_count = 1) {
    Accepted accepted = accept(one(number, owed_count));
    EXPECT_EQ(accepted.status, AcceptStatus::durable);
    EXPECT_TRUE(accepted.sequences.at(0).has_value());
    return accepted.sequences.at(0).value_or(Position{});
  }
  [[nodiscard]] std::vector<Accept> one(std::uint64_t number, std::uint64_t owed_count = 1) {
    std::vector<Accept> batch;
    batch.push_back(make_accept(make_event(number, env_.clock().wall_now()), owed_count));
    return batch;
  }
  // An attempt after which another follows, 5 minutes after the simulation's beginning.
  static Attempt retrying(DeliveryId id, std::uint16_t number) {
    Attempt attempt = make_attempt(id, DeliveryState::retrying);
    attempt.number = number;
    attempt.next.retry_at = env::kSimWallStart + std::chrono::seconds(300);
    return attempt;
  }
  // As retrying(), but that ended now.
  void record_retry_in(DeliveryId id, std::chrono::seconds wait) {
    Attempt attempt = retrying(id, 1);
    attempt.started_at = env_.clock().wall_now() - attempt.duration;
    attempt.next.retry_at = env_.clock().wall_now() + wait;
    store_->record(std::move(attempt));
    flush();
  }
  void flush() {
    bool is_done = false;
    store_->flush(env_.lane(0), [&] { is_done = true; });
    EXPECT_TRUE(env_.run_until([&] { return is_done; }, std::chrono::seconds(5)));
  }
  Result<std::shared_ptr<const Event>> read(DeliveryId id) {
    std::optional<Result<std::shared_ptr<const Event>>> answer;
    store_->read_event(id, env_.lane(0), [&](auto result) { answer = std::move(result); });
    EXPECT_TRUE(env_.run_until([&] { return answer.has_value(); }, std::chrono::seconds(5)));
    return std::move(*answer);
  }
  std::vector<Unsettled> unsettled() {
    std::vector<Unsettled> all;
    store_->take_unsettled([&](const Unsettled& delivery) { all.push_back(delivery); });
    return all;
  }

  // Accepts events until the disk, on which so much is left, takes no more.
  void fill_disk(std::uint64_t free_bytes = 0) {
    accepted_.push_back(accept_one(0));
    env_.advance(std::chrono::seconds(1));
    env_.directory().set_capacity_bytes(env_.directory().used_bytes() + free_bytes);
    for (std::uint64_t number = 1; number < 1000; ++number) {
      const Accepted accepted = accept(one(number));
      if (accepted.status == AcceptStatus::full) break;
      accepted_.push_back(accepted.sequences.at(0).value());
    }
    EXPECT_TRUE(store_->usage().is_full);
  }
  void settle_all() {
    for (const Position sequence : accepted_) store_->record(make_attempt({.sequence = sequence}));
  }

  env::SimEnv env_{1};
  Options options_{.segment_bytes = 64UL * 1024};
  std::vector<Position> accepted_;  // by fill_disk()
  std::vector<std::string> reports_;
  std::unique_ptr<Store> store_;
};

}  // namespace eilpost::store
