// Goal: everything that was acknowledged is there after any crash; what is owed is exactly what was
// not settled; attempts are on record; repeats are still recognised.
//
// Method: a random workload in the simulated world, with small segments so that rolling, trimming,
// carrying, checkpoints and spills all happen; crashes at random moments, by power loss, by a
// killed process, or because the disk fails at its n-th operation. A model keeps what was promised.

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <vector>

#include "env/sim/sim_env.h"
#include "store/records.h"
#include "store/store.h"
#include "store/test_events.h"

namespace eilpost::store {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct DeliveryModel {
  Owed owed;
  std::string event_id;
  std::uint16_t attempts_handed = 0;   // to record()
  std::uint16_t attempts_durable = 0;  // and flushed
  bool is_settled_handed = false;
  bool is_settled_durable = false;
};

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), env_(seed) { open(); }

  void step() {
    const std::uint64_t what = random_.below(100);
    if (what < 40) send();
    if (what >= 40 && what < 45) send_again();
    if (what >= 45 && what < 85) note();
    if (what >= 85 && what < 90) flush();
    if (what >= 90 && what < 96) follow();
    if (what >= 96) env_.advance(minutes(random_.below(40)));
    env_.advance(milliseconds(random_.below(8)));
  }

  // The machine stops, at once or when the disk has failed, and comes back.
  void crash(bool by_failing_disk) {
    if (by_failing_disk) {
      env_.directory().fail_after(1 + random_.below(40));
      for (int i = 0; i < 200 && !env_.death(); ++i) step();
    }
    const bool is_power_loss = by_failing_disk || random_.chance(1, 2);
    env_.crash(is_power_loss ? env::Crash::power_loss : env::Crash::process_killed);
    store_.reset();
    env_.restart();
    open();
    check();
  }
  void close() {
    store_->close();
    store_.reset();
    env_.restart();
    for (auto& [id, model] : deliveries_) {
      model.is_settled_durable = model.is_settled_handed;
      model.attempts_durable = model.attempts_handed;
    }
    open();
    check();
  }
  // Every acknowledged event is known, and can be followed.
  void finish() {
    for (const auto& [id, number] : numbers_) {
      if (id % 5 != 0) continue;
      std::optional<Accepted> answer = accept_and_wait({number});
      ASSERT_TRUE(answer.has_value());
      ASSERT_FALSE(answer->sequences.at(0).has_value()) << "event " << number;
    }
  }
  [[nodiscard]] std::size_t acknowledged_count() const { return numbers_.size(); }
  [[nodiscard]] std::uint64_t frames_count() const { return store_->usage().frames_count; }

 private:
  void open() {
    store_ = Store::open(env_, {.segment_bytes = 32UL * 1024, .repeat_ids_max = 16 * 300},
                         [](std::string_view what) {
                           const bool is_expected =
                               what.contains("torn tail") || what.contains("simulated");
                           EXPECT_TRUE(is_expected) << what;
                         })
                 .value();
    store_->followed_until(followed_);
    pending_.clear();
  }

  void send() {
    std::vector<std::uint64_t> numbers;
    const std::uint64_t count = 1 + random_.below(5);
    for (std::uint64_t i = 0; i < count; ++i) numbers.push_back(++last_number_);
    if (random_.chance(1, 8)) numbers.push_back(numbers.front());
    accept(numbers);
  }
  void send_again() {
    if (numbers_.empty()) return;
    const auto any =
        std::next(numbers_.begin(), static_cast<std::ptrdiff_t>(random_.below(numbers_.size())));
    accept({any->second});
  }

  std::vector<Accept> make_batch(const std::vector<std::uint64_t>& numbers) {
    std::vector<Accept> batch;
    for (const std::uint64_t number : numbers) {
      batch.push_back(make_accept(make_event(number, env_.clock().wall_now()), number % 4));
    }
    return batch;
  }
  void accept(std::vector<std::uint64_t> numbers) {
    std::vector<Accept> batch = make_batch(numbers);
    store_->accept(std::move(batch), env_.lane(0),
                   [this, numbers](const Accepted& accepted) { learn(numbers, accepted); });
  }
  std::optional<Accepted> accept_and_wait(const std::vector<std::uint64_t>& numbers) {
    std::optional<Accepted> answer;
    store_->accept(make_batch(numbers), env_.lane(0),
                   [&](Accepted accepted) { answer = std::move(accepted); });
    (void)env_.run_until([&] { return answer.has_value(); }, seconds(5));
    return answer;
  }

  void learn(const std::vector<std::uint64_t>& numbers, const Accepted& accepted) {
    ASSERT_EQ(accepted.status, AcceptStatus::durable);
    ASSERT_EQ(accepted.sequences.size(), numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!accepted.sequences[i]) {
        // Either it was acknowledged before, or an unacknowledged frame was kept by a crash.
        continue;
      }
      const Position sequence = *accepted.sequences[i];
      ASSERT_FALSE(acknowledged_.contains(numbers[i])) << "A repeat was taken as new.";
      acknowledged_[numbers[i]] = sequence;
      numbers_.emplace_back(numbers[i], numbers[i]);
      for (std::uint16_t ordinal = 0; ordinal < numbers[i] % 4; ++ordinal) {
        deliveries_[{.sequence = sequence, .ordinal = ordinal}] = {
            .owed = make_owed(ordinal), .event_id = make_event(numbers[i]).id};
      }
    }
  }

  void note() {
    if (deliveries_.empty()) return;
    // Mostly young ones, so that old ones stay and are carried.
    auto at = deliveries_.end();
    const std::size_t back = 1 + random_.below(std::min<std::size_t>(deliveries_.size(), 30));
    std::advance(at, -static_cast<std::ptrdiff_t>(back));
    auto& [id, model] = *at;
    if (model.is_settled_handed) return;
    const std::uint64_t what = random_.below(10);
    if (what == 0) {
      store_->record(Settled{.delivery = id, .reason = FailReason::expired});
      model.is_settled_handed = true;
    } else {
      Attempt attempt =
          make_attempt(id, what < 7 ? DeliveryState::delivered : DeliveryState::retrying);
      attempt.number = ++model.attempts_handed;
      store_->record(std::move(attempt));
      model.is_settled_handed = what < 7;
    }
    pending_.push_back(id);
  }

  void flush() {
    std::vector<DeliveryModel> states;
    std::vector<DeliveryId> ids = pending_;
    for (const DeliveryId id : ids) states.push_back(deliveries_.at(id));
    store_->flush(env_.lane(0), [this, ids, states] {
      for (std::size_t i = 0; i < ids.size(); ++i) {
        DeliveryModel& model = deliveries_.at(ids[i]);
        model.attempts_durable = std::max(model.attempts_durable, states[i].attempts_handed);
        model.is_settled_durable = model.is_settled_durable || states[i].is_settled_handed;
      }
    });
    pending_.clear();
  }

  // As the history does: what was followed is kept by the follower.
  void follow() {
    const Result<Followed> followed = store_->follow(followed_, 20'000);
    if (!followed) return;
    for (const Entry& entry : to_entries(*followed)) {
      if (const auto* accepted = std::get_if<AcceptedEntry>(&entry)) {
        followed_events_[accepted->event.id] = accepted->sequence;
      }
      if (const auto* attempt = std::get_if<Attempt>(&entry)) {
        std::uint16_t& number = followed_attempts_[attempt->delivery];
        number = std::max(number, attempt->number);
      }
    }
    followed_ = followed->next;
    store_->followed_until(followed_);
  }

  void check() {
    check_owed();
    for (Position before{.value = UINT64_MAX}; before != followed_;) {
      before = followed_;
      follow();
    }
    for (const auto& [number, sequence] : acknowledged_) {
      const auto found = followed_events_.find(make_event(number).id);
      ASSERT_NE(found, followed_events_.end()) << "event " << number << " was not followed";
      ASSERT_EQ(found->second, sequence);
    }
    for (const auto& [id, model] : deliveries_) {
      if (model.attempts_durable == 0) continue;
      ASSERT_GE(followed_attempts_[id], model.attempts_durable);
    }
  }

  void check_owed() {
    std::map<DeliveryId, Unsettled> owed;
    store_->take_unsettled([&](const Unsettled& one) { owed.emplace(one.delivery, one); });
    for (auto& [id, model] : deliveries_) {
      const auto found = owed.find(id);
      if (found == owed.end()) {
        ASSERT_TRUE(model.is_settled_handed) << to_string(id) << " was lost";
        model.is_settled_durable = true;
        continue;
      }
      ASSERT_FALSE(model.is_settled_durable) << to_string(id) << " came back";
      model.is_settled_handed = false;
      ASSERT_EQ(found->second.owed.webhook, model.owed.webhook);
      ASSERT_GE(found->second.attempts_count, model.attempts_durable);
      ASSERT_LE(found->second.attempts_count, model.attempts_handed);
      model.attempts_handed = found->second.attempts_count;
      model.attempts_durable = found->second.attempts_count;
      if (random_.chance(1, 10)) check_event(id, model.event_id);
    }
  }

  void check_event(DeliveryId id, const std::string& event_id) {
    std::string found;
    store_->read_event(id, env_.lane(0), [&](const auto& event) {
      found = event ? (*event)->id : std::string(name_of(event.error().code));
    });
    ASSERT_TRUE(env_.run_until([&] { return !found.empty(); }, seconds(5)));
    ASSERT_EQ(found, event_id);
  }

  Random random_;
  env::SimEnv env_;
  std::unique_ptr<Store> store_;
  std::uint64_t last_number_ = 0;
  std::map<std::uint64_t, Position> acknowledged_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> numbers_;
  std::map<DeliveryId, DeliveryModel> deliveries_;
  std::vector<DeliveryId> pending_;  // noted since the last flush
  Position followed_;
  std::map<std::string, Position> followed_events_;
  std::map<DeliveryId, std::uint16_t> followed_attempts_;
};

TEST(StoreCrash, WhatWasPromisedHoldsAfterAnyCrash) {
  std::size_t acknowledged_count = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(fmt::format("seed={}", seed));
    World world(seed);
    Random random(seed ^ 0xC0FFEE);
    for (int round = 0; round < 4; ++round) {
      const std::uint64_t steps = random.below(120);
      for (std::uint64_t i = 0; i < steps; ++i) world.step();
      if (random.chance(1, 5)) {
        world.close();
      } else {
        world.crash(random.chance(1, 2));
      }
      if (testing::Test::HasFailure()) return;
    }
    world.finish();
    if (testing::Test::HasFailure()) return;
    acknowledged_count += world.acknowledged_count();
  }
  EXPECT_GT(acknowledged_count, 2'500U);
}

}  // namespace
}  // namespace eilpost::store
